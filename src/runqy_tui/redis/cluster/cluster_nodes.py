"""One primary of a cluster: its link, whether it answers, and when to try it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from redis.exceptions import NoPermissionError, ResponseError

from runqy_tui.model import Node
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.cluster.slot_map import SlotMap, topology_of
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address, shown
from runqy_tui.redis.wire.error_translation import translate
from runqy_tui.redis.wire.replies import Reply, UnreachableError
from runqy_tui.redis.wire.transport import Batch, OpenNode

if TYPE_CHECKING:
    from runqy_tui.redis.connecting.target import RedisTarget
    from runqy_tui.redis.wire.replies import Reply
    from runqy_tui.redis.wire.transport import OpenNode

PATIENCE = 0.5
"""Share of the usual timeout that one node gets: the others' answers wait for it."""

_PAUSE_FIRST_S = 0.25
_PAUSE_LIMIT_S = 8.0


class ClusterNode:
    """A node and how it fares. One that failed is asked again beside the polls, with back-off."""

    def __init__(self, target: RedisTarget, address: Address, open_node: OpenNode) -> None:
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


_RENEW_S = 30.0
_RENEW_DOWN_S = 0.5
"""While a node is down, a failover is looked for at most this often."""


class ClusterNodes:
    """Every node that was met, and which of them serve what.

    ``changes`` counts whenever another set of primaries serves than before.
    """

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self.topology: SlotMap | None = None
        self.changes = 0
        self.stale = False
        self.closed = False
        self._target = target
        self._open = open_node
        self._seeds: tuple[Address, ...] = target.seeds or ((target.host, target.port),)
        self._members: dict[Address, ClusterNode] = {}
        self._asked_at = 0.0
        self._informed: Address | None = None

    def member(self, address: Address) -> ClusterNode:
        """The node at an address; ``ConnectionFailedError`` once all is closed."""
        if self.closed:
            raise ConnectionFailedError(
                f"The connection to Redis at {self._target.address} is closed."
            )
        if address not in self._members:
            self._members[address] = ClusterNode(self._target, address, self._open)
        return self._members[address]

    def primaries(self) -> list[ClusterNode]:
        """Those that serve slots, by address."""
        addresses = () if self.topology is None else self.topology.primaries
        return [self.member(address) for address in addresses]

    def told(self) -> tuple[Node, ...]:
        """The primaries as the screens know them."""
        return () if self.closed else tuple(member.node for member in self.primaries())

    def first_up(self) -> ClusterNode | None:
        """The one that is asked what any of them could answer; always the same while it lasts."""
        return next((member for member in self.primaries() if member.up), None)

    async def current(self) -> SlotMap:
        """What is known, learned from the seeds where nothing is or no primary answers."""
        if self.topology is None or self.first_up() is None:
            return await self._learn()
        for member in self.primaries():
            member.look_again()
        return self.topology

    def outdated(self, informed: Address | None = None) -> None:
        """Have the next round ask anew, of ``informed`` where that node knows better."""
        self.stale = True
        self._informed = informed

    def named(self, address: Address) -> None:
        """Have a node tried that another one names, whatever became of it before."""
        if self.topology is None or address not in self.topology.primaries:
            self.member(address).forgive()

    def teacher(self) -> Address | None:
        """Whom to ask for the topology in this round; ``None`` where it is not due."""
        age = monotonic() - self._asked_at
        down = any(not member.up for member in self.primaries())
        if not (self.stale or age > _RENEW_S or (down and age > _RENEW_DOWN_S)):
            return None
        if self._informed is not None and self.member(self._informed).up:
            return self._informed
        first = self.first_up()
        return None if first is None else first.address

    async def teach(self, reply: Reply, came_by: str) -> None:
        """Take in a CLUSTER SLOTS reply; one that tells nothing changes nothing."""
        self._asked_at = monotonic()
        topology = topology_of(reply, came_by)
        if topology is None:
            return
        self.stale, self._informed = False, None
        for address in topology.primaries:
            self.named(address)
        if self.topology is None or topology.primaries != self.topology.primaries:
            self.changes += 1
        self.topology = topology
        kept = {*topology.primaries, *self._seeds}
        for address, member in list(self._members.items()):
            if address not in kept and not member.busy:
                await member.close()
                self._members.pop(address, None)

    async def close(self) -> None:
        """Close every connection."""
        self.closed = True
        await asyncio.gather(*(member.close() for member in self._members.values()))

    async def _learn(self) -> SlotMap:
        """From whichever seed or known primary answers first."""
        known = () if self.topology is None else self.topology.primaries
        members = [self.member(address) for address in dict.fromkeys((*self._seeds, *known))]
        tasks = [asyncio.ensure_future(_ask_slots(member)) for member in members]
        faults: list[RunqyTuiError] = []
        try:
            for answer in asyncio.as_completed(tasks):
                reply, host, fault = await answer
                if fault is None:
                    await self.teach(reply, host)
                    if self.topology is not None:
                        return self.topology
                else:
                    faults.append(fault)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise self._unanswered(faults)

    def _unanswered(self, faults: list[RunqyTuiError]) -> RunqyTuiError:
        denied = next((fault for fault in faults if isinstance(fault, AccessDeniedError)), None)
        if denied is not None:
            return denied
        asked = ", ".join(shown(seed) for seed in self._seeds)
        return ConnectionFailedError(
            f"None of the cluster's nodes answers, asked at {asked}. {faults[0]}"
        )


async def _ask_slots(member: ClusterNode) -> tuple[Reply, str, RunqyTuiError | None]:
    """The reply to CLUSTER SLOTS, the host that gave it, and why it is of no use."""
    batch = Batch()
    slots = batch.ask("CLUSTER", "SLOTS")
    replies = await member.ask(batch)
    host = member.address[0]
    if replies is None:
        return None, host, member.fault
    reply = replies[slots]
    where = f"Redis at {shown(member.address)}"
    if isinstance(reply, NoPermissionError):
        return (
            None,
            host,
            AccessDeniedError(
                f"{where} does not let this user run CLUSTER SLOTS (NOPERM): "
                "`runqy-tui acl --for cluster` prints the rights that a monitor needs."
            ),
        )
    if isinstance(reply, ResponseError) and "cluster support disabled" in str(reply):
        return (
            None,
            host,
            ConnectionFailedError(
                f"{where} is a single server and no cluster: use redis:// or rediss://."
            ),
        )
    if isinstance(reply, ResponseError):
        return None, host, translate(reply, member.link.target)
    if topology_of(reply, host) is None:
        return (
            None,
            host,
            ConnectionFailedError(
                f"{where} belongs to a cluster in which no node serves any slot: create it first."
            ),
        )
    return reply, host, None
