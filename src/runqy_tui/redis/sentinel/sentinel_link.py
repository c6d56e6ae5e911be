"""A link to the primary that Sentinels name; it follows failovers."""

from __future__ import annotations

import asyncio
from time import monotonic, time
from typing import NamedTuple

from redis.exceptions import MasterDownError, ReadOnlyError

from runqy_tui.model import Topology
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address, shown
from runqy_tui.redis.sentinel.sentinel_client import Inquiry, PrimarySearch, Sentinels, role_of
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, NodeLink, OpenNode

CHECK_INTERVAL_S = 5.0
"""Interval at which the Sentinels are asked although the primary answers."""

GRACE_S = 0.25
"""How long a trip waits for Sentinels slower than the server; longer on a slow connection."""

_UNANSWERED_LIMIT = 2
"""Consecutive requests without an answer of any Sentinel that lead to a warning."""


class _Switch(NamedTuple):
    """A change of primary: the previous address, and the wall-clock and monotonic time."""

    left: Address
    at: float
    moment: float


class SentinelLink:
    """Satisfies :class:`~runqy_tui.redis.wire.transport.RedisLink`: always the primary."""

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self.round_trips = 0
        self.epoch = 0
        self._target = target
        self._open = open_node
        self._sentinels = Sentinels(target, open_node)
        self._node: NodeLink | None = None
        self._address: Address | None = None
        self._switch: _Switch | None = None
        self._problem: str | None = None
        self._unconfirmed = False
        self._unanswered = 0
        self._check_due_at = 0.0
        self._closed = False
        self._lock = asyncio.Lock()

    @property
    def target(self) -> RedisTarget:
        """The service and its Sentinels."""
        return self._target

    @property
    def topology(self) -> Topology:
        """The primary at present, and the last change of it."""
        if self._address is None:
            return Topology()
        problem = self._problem
        if problem is None and self._unanswered >= _UNANSWERED_LIMIT:
            problem = "No Sentinel answers: a failover would be noticed late"
        switch = self._switch
        return Topology(
            primary=shown(self._address),
            switched_from=None if switch is None else shown(switch.left),
            switched_at=None if switch is None else switch.at,
            switched_ago_s=None if switch is None else monotonic() - switch.moment,
            problem=problem,
        )

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch to the primary; if it fails or was demoted, to its successor.

        All commands only read, so that sending them twice is harmless.
        """
        if not batch.count:
            return []
        self._refuse_when_closed()
        node = self._node
        if node is None or self._unconfirmed:
            node = await self._locate(node)
        failure: ConnectionFailedError | None = None
        replies: list[Reply] = []
        try:
            replies, suspicious = await self._ask(node, batch)
        except ConnectionFailedError as error:
            failure, suspicious = error, True
        except asyncio.CancelledError:
            self._unconfirmed = True  # a poll's deadline may be shorter than the server's timeout
            raise
        if not suspicious:
            return replies
        self._unconfirmed = True
        successor = await self._locate(node, failure)
        if successor is node and failure is None:
            return replies
        return await self._send(successor, batch)

    async def close(self) -> None:
        """Close every connection; later requests open no new one."""
        self._closed = True
        await self._sentinels.close()
        if self._node is not None:
            await self._node.close()

    async def _ask(self, node: NodeLink, batch: Batch) -> tuple[list[Reply], bool]:
        """The replies, and whether there may be another primary by now."""
        epoch, started = node.epoch, monotonic()
        if started < self._check_due_at:
            replies = await self._send(node, batch)
            return replies, node.epoch != epoch or _is_replica(replies)
        self._check_due_at = started + CHECK_INTERVAL_S
        async with self._sentinels.ask_all() as inquiry:
            extended = batch.copy()
            role_slot = extended.ask("INFO", "replication", parse=role_of)
            *replies, _ = found = await self._send(node, extended)
            role = role_slot.value(found)
            await self._await_primary(inquiry, max(GRACE_S, 4 * (monotonic() - started)))
        moved = any(address != self._address for address in inquiry.primaries())
        if role == "master":
            self._problem = None
        demoted = role == "slave" and self._problem is None
        return replies, moved or demoted or node.epoch != epoch or _is_replica(replies)

    async def _await_primary(self, inquiry: Inquiry, timeout_s: float) -> None:
        """Wait until a Sentinel names a primary, up to ``timeout_s``."""
        end = monotonic() + timeout_s
        while not inquiry.primaries():
            if not await inquiry.next_answer(max(0.0, end - monotonic())):
                self._unanswered += 1
                return
        self._unanswered = 0

    async def _send(self, node: NodeLink, batch: Batch) -> list[Reply]:
        epoch = node.epoch
        try:
            replies = await node.trip(batch)
        finally:
            self.epoch += node.epoch != epoch
        self.round_trips += 1
        return replies

    async def _locate(
        self, left: NodeLink | None, failure: ConnectionFailedError | None = None
    ) -> NodeLink:
        """Find the primary again, because ``left`` is unconfirmed.

        The current one is not tried again if it has just failed with ``failure``. Raises
        ``ConnectionFailedError`` or ``AccessDeniedError`` if none is found.
        """
        async with self._lock:
            self._refuse_when_closed()
            if self._node is not None and (self._node is not left or not self._unconfirmed):
                return self._node  # another caller has found it
            search = PrimarySearch(self._target, self._open, self._address, self._node)
            if failure is not None and self._address is not None:
                search.failures[self._address] = failure
            switched = self._switch
            async with self._sentinels.ask_all() as inquiry:
                found = await search.run(inquiry, None if switched is None else switched.left)
            if found is None:
                raise search.failure(inquiry)
            await self._adopt(*found)
            if not inquiry.primaries():
                self._unanswered = _UNANSWERED_LIMIT
            return found[1]

    async def _adopt(self, address: Address, node: NodeLink, problem: str | None) -> None:
        old, before = self._node, self._address
        self._problem, self._unconfirmed, self._unanswered = problem, False, 0
        self._check_due_at = monotonic() + CHECK_INTERVAL_S
        if node is not old:
            self._node, self._address = node, address
            self.epoch += 1
            if before is not None:
                self._switch = _Switch(before, time(), monotonic())
            if old is not None:
                await old.close()
        if self._closed:
            await node.close()
            self._refuse_when_closed()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ConnectionFailedError(
                f"The connection to Redis at {self._target.address} is closed."
            )


def _is_replica(replies: list[Reply]) -> bool:
    """Whether a reply shows that the server is a replica, or one that lost its primary."""
    return any(isinstance(reply, MasterDownError | ReadOnlyError) for reply in replies)
