"""Among the addresses that Sentinels name, the one that is a primary."""

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

LOOK_EVERY_S = 5.0
"""So often the Sentinels are asked although all seems well."""

GRACE_S = 0.25
"""A trip waits so long for Sentinels that are slower than the server; on a slow line longer."""

_SILENT_LOOKS = 2
"""One question without an answer is nothing: so many in a row are worth a warning."""


class _Switch(NamedTuple):
    """A change of the primary: from where, by the wall clock, and by one that never jumps."""

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
        self._doubtful = False
        self._silent = 0
        self._due = 0.0
        self._closed = False
        self._turn = asyncio.Lock()

    @property
    def target(self) -> RedisTarget:
        """The service and its Sentinels."""
        return self._target

    @property
    def whereabouts(self) -> Topology:
        """The primary at present, and the last change of it."""
        if self._address is None:
            return Topology()
        problem = self._problem
        if problem is None and self._silent >= _SILENT_LOOKS:
            problem = "No Sentinel answers at present: a failover would be noticed late"
        switch = self._switch
        return Topology(
            primary=shown(self._address),
            switched_from=None if switch is None else shown(switch.left),
            switched_at=None if switch is None else switch.at,
            switched_ago_s=None if switch is None else monotonic() - switch.moment,
            problem=problem,
        )

    async def trip(self, batch: Batch) -> list[Reply]:
        """Ask the primary; where it fails or is none any more, ask its successor.

        Everything asked only reads, so that asking twice does no harm.
        """
        if not batch.count:
            return []
        self._refuse_when_closed()
        node = self._node
        if node is None or self._doubtful:
            node = await self._locate(node)
        failure: ConnectionFailedError | None = None
        replies: list[Reply] = []
        try:
            replies, shaken = await self._ask(node, batch)
        except ConnectionFailedError as error:
            failure, shaken = error, True
        except asyncio.CancelledError:
            self._doubtful = True  # a poll's deadline may be shorter than the server's timeout
            raise
        if not shaken:
            return replies
        self._doubtful = True
        successor = await self._locate(node, failure)
        if successor is node and failure is None:
            return replies
        return await self._on(successor, batch)

    async def close(self) -> None:
        """Close every connection; whoever asks later opens no new one."""
        self._closed = True
        await self._sentinels.close()
        if self._node is not None:
            await self._node.close()

    async def _ask(self, node: NodeLink, batch: Batch) -> tuple[list[Reply], bool]:
        """The replies, and whether something hints at another primary."""
        epoch, started = node.epoch, monotonic()
        if started < self._due:
            replies = await self._on(node, batch)
            return replies, node.epoch != epoch or _cut_off(replies)
        self._due = started + LOOK_EVERY_S
        async with self._sentinels.asking() as inquiry:
            extended = batch.copy()
            role_slot = extended.ask("INFO", "replication", parse=role_of)
            *replies, _ = found = await self._on(node, extended)
            role = role_slot.value(found)
            await self._hear(inquiry, max(GRACE_S, 4 * (monotonic() - started)))
        moved = any(address != self._address for address in inquiry.named())
        if role == "master":
            self._problem = None
        demoted = role == "slave" and self._problem is None
        return replies, moved or demoted or node.epoch != epoch or _cut_off(replies)

    async def _hear(self, inquiry: Inquiry, patience: float) -> None:
        """Wait until a Sentinel names somebody, but not for long."""
        end = monotonic() + patience
        while not inquiry.named():
            if not await inquiry.more(max(0.0, end - monotonic())):
                self._silent += 1
                return
        self._silent = 0

    async def _on(self, node: NodeLink, batch: Batch) -> list[Reply]:
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
        """Find the primary, ``left`` being in doubt; where that failed just now it is not retried.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError`` where none is found.
        """
        async with self._turn:
            self._refuse_when_closed()
            if self._node is not None and (self._node is not left or not self._doubtful):
                return self._node  # somebody else found it meanwhile
            search = PrimarySearch(self._target, self._open, self._address, self._node)
            if failure is not None and self._address is not None:
                search.failures[self._address] = failure
            switched = self._switch
            async with self._sentinels.asking() as inquiry:
                found = await search.run(inquiry, None if switched is None else switched.left)
            if found is None:
                raise search.explain(inquiry)
            await self._adopt(*found)
            if not inquiry.named():
                self._silent = _SILENT_LOOKS
            return found[1]

    async def _adopt(self, address: Address, node: NodeLink, problem: str | None) -> None:
        old, before = self._node, self._address
        self._problem, self._doubtful, self._silent = problem, False, 0
        self._due = monotonic() + LOOK_EVERY_S
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


def _cut_off(replies: list[Reply]) -> bool:
    """Whether the server says that it is a replica, or one that lost its primary."""
    return any(isinstance(reply, MasterDownError | ReadOnlyError) for reply in replies)
