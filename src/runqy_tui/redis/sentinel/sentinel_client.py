"""Finds the primary through Sentinels: all are asked at once, each with a short timeout."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple

from redis.exceptions import ResponseError

from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address, shown
from runqy_tui.redis.wire.replies import Reply, info_fields, refused, strings
from runqy_tui.redis.wire.transport import Batch, NodeLink, OpenNode
from runqy_tui.text.safe import decode, safe_line

SENTINEL_TIMEOUT_S = 1.0
"""A Sentinel answers from memory: one that takes longer counts as down."""


class SentinelAnswer(NamedTuple):
    """The answer of one Sentinel: a primary, an error, or neither if it has no such service."""

    sentinel: str
    primary: Address | None = None
    error: RunqyTuiError | None = None


class Sentinels:
    """One connection to each Sentinel."""

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self._service = target.service
        timeout_s = min(target.timeout, SENTINEL_TIMEOUT_S)
        targets = [target.sentinel_at(*seed) for seed in target.seeds]
        self._nodes = [open_node(replace(sentinel, timeout=timeout_s)) for sentinel in targets]

    def ask_all(self) -> Inquiry:
        """Ask all of them, within ``async with``: answers still missing at its end are dropped."""
        return Inquiry([(node, self._service) for node in self._nodes])

    async def close(self) -> None:
        """Close every connection."""
        for node in self._nodes:
            await node.close()


class Inquiry:
    """A request to all Sentinels; ``answers`` grows in :meth:`next_answer`."""

    def __init__(self, questions: Sequence[tuple[NodeLink, str]]) -> None:
        self.answers: list[SentinelAnswer] = []
        self._questions = questions
        self._pending: set[asyncio.Task[SentinelAnswer]] = set()

    async def __aenter__(self) -> Inquiry:
        self._pending = {asyncio.create_task(_ask(*question)) for question in self._questions}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    @property
    def finished(self) -> bool:
        """Whether every Sentinel has answered."""
        return not self._pending

    async def next_answer(self, timeout_s: float | None = None) -> bool:
        """Wait for the next answer; false if none came in that time, or none is outstanding."""
        if not self._pending:
            return False
        done, self._pending = await asyncio.wait(
            self._pending, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        self.answers += [task.result() for task in done]
        return bool(done)

    def primaries(self, left: Address | None = None) -> list[Address]:
        """Primaries by the number of Sentinels that name them; of equals ``left`` comes last.

        For a while after a failover Sentinels disagree, and an isolated one continues to.
        """
        votes = Counter(answer.primary for answer in self.answers if answer.primary is not None)
        return sorted(votes, key=lambda address: (-votes[address], address == left))

    def failure(self, service: str) -> RunqyTuiError:
        """The error for the case that no Sentinel names a primary, with a fix."""
        for answer in self.answers:
            if answer.primary is None and answer.error is None:
                return ConnectionFailedError(
                    f'Sentinel at {answer.sentinel} knows no service "{safe_line(service)}". Check '
                    'the name in the URL: sentinel.conf has it after "sentinel monitor".'
                )
        errors = [answer.error for answer in self.answers if answer.error is not None]
        for error in errors:
            if isinstance(error, AccessDeniedError):
                return AccessDeniedError(str(error))
        reason = str(errors[0]) if errors else "None was asked."
        if len(errors) > 1:
            names = ", ".join(sorted(answer.sentinel for answer in self.answers))
            reason = f"No Sentinel answers, of {names}. {reason}"
        return ConnectionFailedError(reason)


async def _ask(node: NodeLink, service: str) -> SentinelAnswer:
    batch = Batch()
    primary = batch.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
    address = node.target.address
    try:
        replies = await node.trip(batch)
    except RunqyTuiError as error:
        return SentinelAnswer(address, error=error)
    return _read(replies[primary], address)


def _read(reply: Reply, sentinel: str) -> SentinelAnswer:
    if reply is None:
        return SentinelAnswer(sentinel)
    where = f"Sentinel at {sentinel}"
    if isinstance(reply, ResponseError) and "unknown command" in str(reply).lower():
        text = f"{sentinel} is a Redis server and no Sentinel. Sentinels use port 26379."
        return SentinelAnswer(sentinel, error=ConnectionFailedError(text))
    if refused(reply):
        return SentinelAnswer(
            sentinel,
            error=AccessDeniedError(
                f"{where} does not let this user read the primary (NOPERM): a monitor needs "
                "+sentinel|get-master-addr-by-name there."
            ),
        )
    parts = [decode(part) for part in strings(reply)]
    if len(parts) == 2 and parts[0] and parts[1].isdecimal() and 0 < int(parts[1]) < 65_536:
        return SentinelAnswer(sentinel, primary=(parts[0], int(parts[1])))
    shown = safe_line(str(reply))[:100] if isinstance(reply, ResponseError) else "no address"
    return SentinelAnswer(sentinel, error=ConnectionFailedError(f"{where} answers with {shown}."))


class PrimarySearch:
    """Tries the addresses that Sentinels name until one is not a replica."""

    def __init__(
        self,
        target: RedisTarget,
        open_node: OpenNode,
        address: Address | None,
        node: NodeLink | None,
    ) -> None:
        self.failures: dict[Address, RunqyTuiError] = {}
        self._target = target
        self._open = open_node
        self._current = (address, node)
        self._replica: tuple[Address, NodeLink] | None = None

    async def run(
        self, inquiry: Inquiry, left: Address | None
    ) -> tuple[Address, NodeLink, str | None] | None:
        """Address, node, and a warning about it or ``None``; ``None`` if no server answers."""
        try:
            found = await self._find(inquiry, left)
        except BaseException:
            await self._drop_replica()
            raise
        if found is not None:
            await self._drop_replica()
            return *found, None
        if self._replica is None:
            return None
        warning = (
            f"Sentinel names {shown(self._replica[0])} as the primary, but that is a replica: its "
            "data may be stale. A failover may be in progress"
        )
        return *self._replica, warning

    async def _find(
        self, inquiry: Inquiry, left: Address | None
    ) -> tuple[Address, NodeLink] | None:
        found = await self._first(inquiry.primaries(left))
        while found is None and await inquiry.next_answer():
            found = await self._first(inquiry.primaries(left))
        address, _ = self._current
        if found is None and address is not None:
            found = await self._first([address])  # it answers, though no Sentinel names it
        return found

    async def _first(self, addresses: list[Address]) -> tuple[Address, NodeLink] | None:
        for address in addresses:
            known = self._replica is not None and self._replica[0] == address
            if known or address in self.failures:
                continue
            node = await self._try(address)
            if node is not None:
                return address, node
        return None

    async def _try(self, address: Address) -> NodeLink | None:
        current, node = self._current
        if node is None or current != address:
            node = self._open(self._target.at(*address))
        batch = Batch()
        role = batch.ask("INFO", "replication", parse=role_of)
        try:
            replies = await node.trip(batch)
        except RunqyTuiError as error:
            self.failures[address] = error
        except BaseException:
            await self._close(node)
            raise
        else:
            if role.value(replies) != "slave":
                return node
            if self._replica is None:
                self._replica = address, node
                return None
        await self._close(node)
        return None

    async def _drop_replica(self) -> None:
        if self._replica is not None:
            await self._close(self._replica[1])

    async def _close(self, node: NodeLink) -> None:
        if node is not self._current[1]:
            await node.close()

    def failure(self, inquiry: Inquiry) -> RunqyTuiError:
        """The error for the case that no primary answers, in one line."""
        service = self._target.service
        for address, error in self.failures.items():
            if not isinstance(error, ConnectionFailedError):
                return error
            if address in inquiry.primaries():
                return ConnectionFailedError(
                    f'The primary {shown(address)} that Sentinel names for "{safe_line(service)}" '
                    f"does not answer; a failover may be in progress. {error}"
                )
        return inquiry.failure(service)


def role_of(reply: Reply) -> str | None:
    """The role in an INFO reply, ``master`` or ``slave``; ``None`` if INFO was refused."""
    return (info_fields(reply) or {}).get("role")
