"""Asking the Sentinels who the primary is: all at the same time, each for a short while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple

from redis.exceptions import ResponseError

from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address
from runqy_tui.redis.wire.replies import Reply, refused, strings
from runqy_tui.redis.wire.transport import Batch, NodeLink
from runqy_tui.text.safe import decode, safe_line

PATIENCE_S = 1.0
"""A Sentinel answers from memory: one that takes longer is as good as down."""

OpenNode = Callable[[RedisTarget], NodeLink]


class SentinelAnswer(NamedTuple):
    """What one Sentinel said: a primary, an error, or neither where it knows no such service."""

    sentinel: str
    primary: Address | None = None
    error: RunqyTuiError | None = None


class Sentinels:
    """Keeps one connection to each."""

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self._service = target.service
        ways = [target.sentinel_at(*seed) for seed in target.seeds]
        patience = min(target.timeout, PATIENCE_S)
        self._nodes = [open_node(replace(way, timeout=patience)) for way in ways]

    def asking(self) -> Inquiry:
        """Ask every one, within ``async with``: what has not answered at its end is dropped."""
        return Inquiry([(node, self._service) for node in self._nodes])

    async def close(self) -> None:
        """Close every connection."""
        for node in self._nodes:
            await node.close()


class Inquiry:
    """One question to all; ``answers`` grows while it is waited for."""

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
        """Whether every Sentinel has said something."""
        return not self._pending

    async def more(self, patience: float | None = None) -> bool:
        """Wait for the next answer; false where there is none, in that time or at all."""
        if not self._pending:
            return False
        done, self._pending = await asyncio.wait(
            self._pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        self.answers += [task.result() for task in done]
        return bool(done)

    def named(self, left: Address | None = None) -> list[Address]:
        """Primaries by the number of Sentinels that name them; the one left last comes last.

        For a while after a failover Sentinels disagree, and one that is cut off goes on to.
        """
        votes = Counter(answer.primary for answer in self.answers if answer.primary is not None)
        return sorted(votes, key=lambda address: (-votes[address], address == left))

    def explain(self, service: str) -> RunqyTuiError:
        """Why nobody names a primary, in one line with a mend."""
        for answer in self.answers:
            if answer.primary is None and answer.error is None:
                return ConnectionFailedError(
                    f'Sentinel at {answer.sentinel} knows no service "{safe_line(service)}". Check '
                    'the name in the URL: it stands in sentinel.conf behind "sentinel monitor".'
                )
        errors = [answer.error for answer in self.answers if answer.error is not None]
        for error in errors:
            if isinstance(error, AccessDeniedError):
                return AccessDeniedError(str(error))
        told = str(errors[0]) if errors else "None was asked."
        if len(errors) > 1:
            names = ", ".join(sorted(answer.sentinel for answer in self.answers))
            told = f"No Sentinel answers, of {names}. {told}"
        return ConnectionFailedError(told)


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
                f"{where} does not let this user ask for a primary (NOPERM): a monitor needs "
                "+sentinel|get-master-addr-by-name there."
            ),
        )
    parts = [decode(part) for part in strings(reply)]
    if len(parts) == 2 and parts[0] and parts[1].isdecimal() and 0 < int(parts[1]) < 65_536:
        return SentinelAnswer(sentinel, primary=(parts[0], int(parts[1])))
    shown = safe_line(str(reply))[:100] if isinstance(reply, ResponseError) else "no address"
    return SentinelAnswer(sentinel, error=ConnectionFailedError(f"{where} answers with {shown}."))
