"""One primary of a cluster: its link, whether it answers, and when to try it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from runqy_tui.model import Node
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.redis.cluster.topology import UnreachableError
from runqy_tui.redis.connecting.urlparts import Address, shown
from runqy_tui.redis.wire.transport import Batch

if TYPE_CHECKING:
    from runqy_tui.redis.connecting.target import Target
    from runqy_tui.redis.sentinel.asking import OpenNode
    from runqy_tui.redis.wire.replies import Reply

PATIENCE = 0.5
"""Share of the usual timeout that one node gets: the others' answers wait for it."""

_PAUSE_FIRST_S = 0.25
_PAUSE_LIMIT_S = 8.0


class Member:
    """A node and how it fares. One that failed is asked again beside the polls, with back-off."""

    def __init__(self, target: Target, address: Address, open_node: OpenNode) -> None:
        own = target.at(*address)
        self.address = address
        self.link = open_node(replace(own, timeout=target.timeout * PATIENCE))
        self.fault: RunqyTuiError | None = None
        self.slow = False
        self.busy = 0
        self._name = shown(address)
        self._failures = 0
        self._due = 0.0
        self._epoch = 0
        self._probe: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether it answered when it was last asked."""
        return self.fault is None

    @property
    def node(self) -> Node:
        """What the screens know of it."""
        return Node(self._name, self._problem())

    def unreachable(self) -> UnreachableError:
        """The reply to each command that belongs to this node while it is down."""
        return UnreachableError(
            f"Node {self._name} of the cluster {self._problem() or 'does not answer'}. "
            "What its queues hold is unknown, its workers are shown as last seen. "
            "Start it again, or promote a replica"
        )

    async def ask(self, batch: Batch) -> list[Reply] | None:
        """The replies, or ``None`` where it does not answer; then :attr:`fault` says why."""
        started = monotonic()
        self.busy += 1
        try:
            replies = await self.link.trip(batch)
        except RunqyTuiError as error:
            self._failed(error, monotonic() - started)
            return None
        finally:
            self.busy -= 1
        self.fault, self.slow, self._failures = None, False, 0
        return replies

    def forgive(self) -> None:
        """Forget that it was down: its part in the cluster has changed since."""
        self.fault, self.slow, self._failures = None, False, 0

    def reconnected(self) -> bool:
        """Whether a connection was made again since the last time this was asked."""
        before, self._epoch = self._epoch, self.link.epoch
        return before != self._epoch

    def look_again(self) -> None:
        """Ask a node that is down whether it is back, where that is due, without waiting."""
        probing = self._probe is not None and not self._probe.done()
        if not (self.up or probing or monotonic() < self._due):
            self._probe = asyncio.get_running_loop().create_task(self._try())

    async def close(self) -> None:
        """Close its connections."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self.link.close()

    async def _try(self) -> None:
        batch = Batch()
        batch.ask("TIME")
        await self.ask(batch)

    def _failed(self, error: RunqyTuiError, took: float) -> None:
        self.fault = error
        self.slow = took > self.link.target.timeout * PATIENCE
        self._due = monotonic() + min(_PAUSE_LIMIT_S, _PAUSE_FIRST_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)

    def _problem(self) -> str | None:
        """The first sentence of the fault, without the address that is said anyway."""
        if self.fault is None:
            return None
        text = str(self.fault).removeprefix(f"Redis at {self.link.target.address} ")
        return text.partition(". ")[0].rstrip(".")
