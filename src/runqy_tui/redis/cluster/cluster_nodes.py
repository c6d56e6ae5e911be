"""The nodes of a cluster: their links, which of them answer, and which serve which slots."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic

from redis.exceptions import NoPermissionError, ResponseError

from runqy_tui.model import Node
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.cluster.slot_map import SlotMap, parse_slots
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address, shown
from runqy_tui.redis.wire.error_translation import translate
from runqy_tui.redis.wire.replies import Reply, UnreachableError
from runqy_tui.redis.wire.transport import Batch, OpenNode

NODE_TIMEOUT_SHARE = 0.5
"""Fraction of the timeout that one node gets: the replies of the others wait for it."""

_PAUSE_FIRST_S = 0.25
_PAUSE_LIMIT_S = 8.0


class ClusterNode:
    """A node and whether it answers. A failed one is probed beside the polls, with back-off."""

    def __init__(self, target: RedisTarget, address: Address, open_node: OpenNode) -> None:
        own = target.at(*address)
        self.address = address
        self.link = open_node(replace(own, timeout=target.timeout * NODE_TIMEOUT_SHARE))
        self.fault: RunqyTuiError | None = None
        self.slow = False
        self.busy = 0
        self._name = shown(address)
        self._failures = 0
        self._probe_due_at = 0.0
        self._epoch = 0
        self._probe: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether it answered the last request."""
        return self.fault is None

    @property
    def node(self) -> Node:
        """The node as a model value."""
        return Node(self._name, self._problem())

    def unreachable(self) -> UnreachableError:
        """The reply to each command that belongs to this node while it is down."""
        return UnreachableError(
            f"Node {self._name} of the cluster {self._problem() or 'does not answer'}. "
            "The contents of its queues are unknown, its workers are shown as last seen. "
            "Start it again, or promote a replica"
        )

    async def ask(self, batch: Batch) -> list[Reply] | None:
        """The replies, or ``None`` if the node does not answer; :attr:`fault` is then the error."""
        started = monotonic()
        self.busy += 1
        try:
            replies = await self.link.trip(batch)
        except RunqyTuiError as error:
            self._note_failure(error, monotonic() - started)
            return None
        finally:
            self.busy -= 1
        self.fault, self.slow, self._failures = None, False, 0
        return replies

    def reset_failures(self) -> None:
        """Treat it as up again: its role in the cluster has changed."""
        self.fault, self.slow, self._failures = None, False, 0

    def reconnected(self) -> bool:
        """Whether it was connected again since the previous call."""
        before, self._epoch = self._epoch, self.link.epoch
        return before != self._epoch

    def probe_if_due(self) -> None:
        """Start a probe of a node that is down, if one is due; does not wait for it."""
        probing = self._probe is not None and not self._probe.done()
        if not (self.up or probing or monotonic() < self._probe_due_at):
            self._probe = asyncio.get_running_loop().create_task(self._run_probe())

    async def close(self) -> None:
        """Close its connections."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self.link.close()

    async def _run_probe(self) -> None:
        batch = Batch()
        batch.ask("TIME")
        await self.ask(batch)

    def _note_failure(self, error: RunqyTuiError, took: float) -> None:
        self.fault = error
        self.slow = took > self.link.target.timeout * NODE_TIMEOUT_SHARE
        self._probe_due_at = monotonic() + min(_PAUSE_LIMIT_S, _PAUSE_FIRST_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)

    def _problem(self) -> str | None:
        """The first sentence of the error, without the address; ``None`` if the node is up."""
        if self.fault is None:
            return None
        text = str(self.fault).removeprefix(f"Redis at {self.link.target.address} ")
        return text.partition(". ")[0].rstrip(".")


_RENEW_S = 30.0
_RENEW_DOWN_S = 0.5
"""Shortest interval of CLUSTER SLOTS while a node is down: a failover may replace it."""


class ClusterNodes:
    """Every node in use, and the slots that each serves.

    ``changes`` counts the changes of the set of primaries.
    """

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self.slot_map: SlotMap | None = None
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
        """The node at an address. Raises ``ConnectionFailedError`` once all are closed."""
        if self.closed:
            raise ConnectionFailedError(
                f"The connection to Redis at {self._target.address} is closed."
            )
        if address not in self._members:
            self._members[address] = ClusterNode(self._target, address, self._open)
        return self._members[address]

    def primaries(self) -> list[ClusterNode]:
        """The nodes that serve slots, by address."""
        addresses = () if self.slot_map is None else self.slot_map.primaries
        return [self.member(address) for address in addresses]

    def nodes(self) -> tuple[Node, ...]:
        """The primaries as model values; empty once all are closed."""
        return () if self.closed else tuple(member.node for member in self.primaries())

    def first_up(self) -> ClusterNode | None:
        """The primary that gets commands without a key: the first that answers."""
        return next((member for member in self.primaries() if member.up), None)

    async def current(self) -> SlotMap:
        """The current slot map; read from the seeds if none is known or no primary answers.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if that fails everywhere.
        """
        if self.slot_map is None or self.first_up() is None:
            return await self._read_slots()
        for member in self.primaries():
            member.probe_if_due()
        return self.slot_map

    def mark_stale(self, informed: Address | None = None) -> None:
        """Have the next round read the slots again, from ``informed`` if it has newer ones."""
        self.stale = True
        self._informed = informed

    def retry(self, address: Address) -> None:
        """Have a node tried that another node refers to, even if it failed before."""
        if self.slot_map is None or address not in self.slot_map.primaries:
            self.member(address).reset_failures()

    def slots_source(self) -> Address | None:
        """The node to read CLUSTER SLOTS from in this round; ``None`` if that is not due."""
        age = monotonic() - self._asked_at
        down = any(not member.up for member in self.primaries())
        if not (self.stale or age > _RENEW_S or (down and age > _RENEW_DOWN_S)):
            return None
        if self._informed is not None and self.member(self._informed).up:
            return self._informed
        first = self.first_up()
        return None if first is None else first.address

    async def update_slots(self, reply: Reply, asked_host: str) -> None:
        """Replace the slot map by a CLUSTER SLOTS reply; one without nodes changes nothing."""
        self._asked_at = monotonic()
        slot_map = parse_slots(reply, asked_host)
        if slot_map is None:
            return
        self.stale, self._informed = False, None
        for address in slot_map.primaries:
            self.retry(address)
        if self.slot_map is None or slot_map.primaries != self.slot_map.primaries:
            self.changes += 1
        self.slot_map = slot_map
        kept = {*slot_map.primaries, *self._seeds}
        for address, member in list(self._members.items()):
            if address not in kept and not member.busy:
                await member.close()
                self._members.pop(address, None)

    async def close(self) -> None:
        """Close every connection."""
        self.closed = True
        await asyncio.gather(*(member.close() for member in self._members.values()))

    async def _read_slots(self) -> SlotMap:
        """Read the slots from the first seed or known primary that answers."""
        known = () if self.slot_map is None else self.slot_map.primaries
        members = [self.member(address) for address in dict.fromkeys((*self._seeds, *known))]
        tasks = [asyncio.ensure_future(_ask_slots(member)) for member in members]
        faults: list[RunqyTuiError] = []
        try:
            for answer in asyncio.as_completed(tasks):
                reply, host, fault = await answer
                if fault is None:
                    await self.update_slots(reply, host)
                    if self.slot_map is not None:
                        return self.slot_map
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
    """The reply to CLUSTER SLOTS, the host that sent it, and the error if it is unusable."""
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
    if parse_slots(reply, host) is None:
        return (
            None,
            host,
            ConnectionFailedError(
                f"{where} belongs to a cluster in which no node serves any slot: create it first."
            ),
        )
    return reply, host, None
