"""The way to a cluster: one link per primary, each command sent where its key belongs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from time import monotonic

from redis.exceptions import (
    AskError,
    ClusterCrossSlotError,
    ClusterDownError,
    MovedError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from runqy_tui.model import Topology
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.cluster.batch_plan import BatchPlan, ClusterScan
from runqy_tui.redis.cluster.cluster_nodes import ClusterNodes
from runqy_tui.redis.cluster.slot_map import UnservedError, reachable
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.connecting.url_parsing import Address, shown
from runqy_tui.redis.wire.replies import Reply, UnreachableError
from runqy_tui.redis.wire.transport import Batch, OpenNode

_MOST_ROUNDS = 16
_AT_ONCE = 3
"""Rounds without a pause: one for a redirection, one for a closed connection."""

_WAIT_S = 2.0
"""How long a trip waits for a cluster that reports to be down; not again while it lasts."""

_MOVING_SLOTS = "The cluster is moving slots: some replies are missing until the next poll"


class ClusterLink:
    """Satisfies :class:`~runqy_tui.redis.wire.transport.RedisLink` for a Redis Cluster."""

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self._target = target
        self.round_trips = 0
        self.epoch = 0
        self._nodes = ClusterNodes(target, open_node)
        self._scan = ClusterScan()
        self._changes = 0
        self._may_wait = True

    @property
    def target(self) -> RedisTarget:
        """The cluster as the URL names it."""
        return self._target

    @property
    def topology(self) -> Topology:
        """The primaries, each with its problem if it does not answer."""
        return Topology(nodes=self._nodes.nodes())

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch, to all nodes at the same time; see :meth:`RedisLink.trip`.

        Redirections cost further rounds for the commands they concern. While the cluster reports
        to be down, as in a failover, those are sent again for up to two seconds. Raises
        ``ConnectionFailedError`` or ``AccessDeniedError`` if no node answers.
        """
        if not batch.count:
            return []
        plan = BatchPlan(batch, await self._nodes.current(), self._scan)
        todo, failed = plan.todo, defaultdict[Address, int](int)
        deadline = monotonic() + (_WAIT_S if self._may_wait else 0.0)
        for attempt in range(_MOST_ROUNDS):
            todo = await self._round(plan, todo, failed)
            if not todo or (attempt >= _AT_ONCE and monotonic() > deadline):
                break
            if attempt >= _AT_ONCE:
                await asyncio.sleep(0.05 * attempt)
        self._may_wait = not todo
        if self._nodes.first_up() is None:
            await self._nodes.current()  # raises if no node answers at all
            if self._nodes.first_up() is None:
                raise ConnectionFailedError(self._no_primary_text())
        self._finish_errors(plan, todo)
        self._update_epoch()
        return plan.answers()

    async def close(self) -> None:
        """Close every connection; later requests open no new one."""
        await self._nodes.close()

    async def _round(
        self, plan: BatchPlan, todo: list[int], failed: dict[Address, int]
    ) -> list[int]:
        """Send the commands once; returns those that have to be sent again."""
        groups, lost = self._route(plan, todo, failed)
        slots_source = self._nodes.slots_source()
        if slots_source is not None:
            groups.setdefault(slots_source, [])
        addresses = list(groups)
        sent = [
            self._send(plan, address, groups[address], slots_source=address == slots_source)
            for address in addresses
        ]
        self.round_trips += bool(sent)
        found = await asyncio.gather(*sent)
        again: list[int] = []
        for address, replies in zip(addresses, found, strict=True):
            if replies is None:
                failed[address] += 1
                self._nodes.mark_stale()
                again.extend(self._reroute(plan, address, groups[address]))
            else:
                for index, reply in zip(groups[address], replies, strict=True):
                    plan.replies[index] = reply
                    if isinstance(reply, ResponseError):
                        again.extend(self._classify_error(plan, index, reply, address))
        return again + [index for index in lost if self._moved(plan, index)]

    async def _send(
        self, plan: BatchPlan, address: Address, indexes: list[int], *, slots_source: bool
    ) -> list[Reply] | None:
        """The replies of one node in the order of ``indexes``; ``None`` if it is down."""
        batch = Batch()
        packed, places = plan.packed(indexes)
        batch.join(packed)
        slots = batch.ask("CLUSTER", "SLOTS") if slots_source else None
        replies = await self._nodes.member(address).ask(batch)
        if replies is None:
            return None
        if slots is not None:
            await self._nodes.update_slots(replies[slots], address[0])
        return [replies[place] for place in places]

    def _route(
        self, plan: BatchPlan, todo: list[int], failed: dict[Address, int]
    ) -> tuple[dict[Address, list[int]], list[int]]:
        """The commands of each node, and those whose node is down, which have their reply."""
        groups: dict[Address, list[int]] = {}
        lost: list[int] = []
        gone: dict[Address, UnreachableError] = {}
        for index in todo:
            address = self._owner(plan, index)
            if address is None:
                plan.replies[index] = UnservedError()
                continue
            if address not in groups and address not in gone:
                member = self._nodes.member(address)
                # A restarted server closes its old connections: that does not mean it is down.
                if member.up or (failed.get(address) == 1 and not member.slow):
                    groups[address] = []
                else:
                    gone[address] = member.unreachable()
            if address in gone:
                plan.replies[index] = gone[address]
                lost.append(index)
            else:
                groups[address].append(index)
        return groups, lost

    def _owner(self, plan: BatchPlan, index: int) -> Address | None:
        slot_map = self._nodes.slot_map
        if slot_map is None:
            return None
        if plan.anywhere(index):
            first = self._nodes.first_up()
            return slot_map.primaries[0] if first is None else first.address
        return plan.owner(index, slot_map)

    def _moved(self, plan: BatchPlan, index: int) -> bool:
        """Whether a command whose node was down has another node by now."""
        address = self._owner(plan, index)
        return address is not None and self._nodes.member(address).up

    def _reroute(self, plan: BatchPlan, address: Address, indexes: list[int]) -> list[int]:
        """Route commands of a failed node again; returns their indexes."""
        reply = self._nodes.member(address).unreachable()
        for index in indexes:
            plan.replies[index] = reply
            if plan.keys[index] is not None:
                plan.homes.pop(index, None)
                plan.asking.discard(index)
        return indexes

    def _classify_error(
        self, plan: BatchPlan, index: int, reply: ResponseError, address: Address
    ) -> list[int]:
        """The commands to send again because of an error; none if the error is the reply."""
        if isinstance(reply, AskError):
            home = (reachable(str(reply.host), address[0]), int(reply.port))
            plan.homes[index] = home
            self._nodes.retry(home)
            if isinstance(reply, MovedError):
                plan.asking.discard(index)
                self._nodes.mark_stale(address)
            else:
                plan.asking.add(index)
            return [index]
        if isinstance(reply, TryAgainError | ClusterCrossSlotError):
            return plan.scatter(index) or ([index] if isinstance(reply, TryAgainError) else [])
        if isinstance(reply, ClusterDownError | ReadOnlyError):
            plan.homes.pop(index, None)
            self._nodes.mark_stale()
            return [index]
        return []

    def _finish_errors(self, plan: BatchPlan, todo: list[int]) -> None:
        """Replace the replies of commands that still failed by errors that name the cause.

        Raises ``ConnectionFailedError`` if no command got a reply.
        """
        for index in todo:
            reply = plan.replies[index]
            if isinstance(reply, ClusterDownError) and "not served" in str(reply):
                plan.replies[index] = UnservedError()
            elif isinstance(reply, ClusterDownError):
                if not _has_any_reply(plan):
                    raise ConnectionFailedError(self._cluster_down_text())
                address = self._owner(plan, index)
                plan.replies[index] = UnreachableError(
                    f"Node {'?' if address is None else shown(address)} of the cluster reports "
                    "CLUSTERDOWN: it has just restarted, or reaches too few of the others. "
                    "The contents of its queues are unknown until then"
                )
            elif isinstance(reply, AskError | TryAgainError):
                plan.replies[index] = UnreachableError(_MOVING_SLOTS)

    def _no_primary_text(self) -> str:
        dead = ", ".join(node.address for node in self._nodes.nodes())
        return (
            f"The Redis cluster at {self._target.address} has no primary that answers: {dead} are "
            "down. Start them again, or promote their replicas."
        )

    def _cluster_down_text(self) -> str:
        dead = [node.address for node in self._nodes.nodes() if node.problem]
        named = f": {', '.join(dead)} does not answer" if dead else ""
        return (
            f"The Redis cluster at {self._target.address} reports CLUSTERDOWN{named}. "
            "Start the missing node or promote its replica; with cluster-require-full-coverage no "
            "the other nodes would keep serving."
        )

    def _update_epoch(self) -> None:
        reconnected = [m.up and m.reconnected() for m in self._nodes.primaries()]
        if any(reconnected) or self._changes != self._nodes.changes:
            self._changes = self._nodes.changes
            self.epoch += 1


def _has_any_reply(plan: BatchPlan) -> bool:
    return any(
        key is not None and not isinstance(reply, ResponseError)
        for key, reply in zip(plan.keys, plan.replies, strict=True)
    )
