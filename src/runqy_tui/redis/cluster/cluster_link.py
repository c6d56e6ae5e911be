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
"""Rounds without a pause: one for a redirection, one for a connection that was closed."""

_WAIT_S = 2.0
"""How long a trip waits for a cluster that says it is down; once, and then no more."""

_UNDECIDED = (
    "The cluster is moving slots: some answers are missing, the next poll asks for them again"
)


class ClusterLink:
    """Satisfies :class:`~runqy_tui.redis.wire.transport.RedisLink` for a Redis Cluster."""

    def __init__(self, target: RedisTarget, open_node: OpenNode) -> None:
        self._target = target
        self.round_trips = 0
        self.epoch = 0
        self._nodes = ClusterNodes(target, open_node)
        self._walks = ClusterScan()
        self._changes = 0
        self._patient = True

    @property
    def target(self) -> RedisTarget:
        """What was asked for."""
        return self._target

    @property
    def whereabouts(self) -> Topology:
        """The primaries, and what is wrong with each."""
        return Topology(nodes=self._nodes.told())

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch, to all nodes at the same time; see :meth:`Link.trip`.

        Redirections cost further rounds for the commands they concern. While the cluster says
        that it is down, as in a failover, those are asked again for up to two seconds.
        """
        if not batch.count:
            return []
        plan = BatchPlan(batch, await self._nodes.current(), self._walks)
        todo, failed = plan.todo, defaultdict[Address, int](int)
        deadline = monotonic() + (_WAIT_S if self._patient else 0.0)
        for attempt in range(_MOST_ROUNDS):
            todo = await self._round(plan, todo, failed)
            if not todo or (attempt >= _AT_ONCE and monotonic() > deadline):
                break
            if attempt >= _AT_ONCE:
                await asyncio.sleep(0.05 * attempt)
        self._patient = not todo
        if self._nodes.first_up() is None:
            await self._nodes.current()  # says so where no node answers at all
            if self._nodes.first_up() is None:
                raise ConnectionFailedError(self._headless())
        self._settle(plan, todo)
        self._note_changes()
        return plan.answers()

    async def close(self) -> None:
        """Close every connection; whoever asks later opens no new one."""
        await self._nodes.close()

    async def _round(
        self, plan: BatchPlan, todo: list[int], failed: dict[Address, int]
    ) -> list[int]:
        """Send what is to be done once; gives what is to be done again."""
        groups, lost = self._route(plan, todo, failed)
        teacher = self._nodes.teacher()
        if teacher is not None:
            groups.setdefault(teacher, [])
        addresses = list(groups)
        sent = [
            self._send(plan, address, groups[address], teacher=address == teacher)
            for address in addresses
        ]
        self.round_trips += bool(sent)
        found = await asyncio.gather(*sent)
        again: list[int] = []
        for address, replies in zip(addresses, found, strict=True):
            if replies is None:
                failed[address] += 1
                self._nodes.outdated()
                again.extend(self._given_up(plan, address, groups[address]))
            else:
                for index, reply in zip(groups[address], replies, strict=True):
                    plan.replies[index] = reply
                    if isinstance(reply, ResponseError):
                        again.extend(self._judge(plan, index, reply, address))
        return again + [index for index in lost if self._moved(plan, index)]

    async def _send(
        self, plan: BatchPlan, address: Address, indexes: list[int], *, teacher: bool
    ) -> list[Reply] | None:
        """The replies of one node in the order of ``indexes``; ``None`` where it is down."""
        batch = Batch()
        packed, places = plan.packed(indexes)
        batch.join(packed)
        slots = batch.ask("CLUSTER", "SLOTS") if teacher else None
        replies = await self._nodes.member(address).ask(batch)
        if replies is None:
            return None
        if slots is not None:
            await self._nodes.teach(replies[slots], address[0])
        return [replies[place] for place in places]

    def _route(
        self, plan: BatchPlan, todo: list[int], failed: dict[Address, int]
    ) -> tuple[dict[Address, list[int]], list[int]]:
        """Each command's node, and those whose node is down: they have their reply already."""
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
                # A restarted server closes what it had: that is no reason to call it down.
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
        topology = self._nodes.topology
        if topology is None:
            return None
        if plan.anywhere(index):
            first = self._nodes.first_up()
            return topology.primaries[0] if first is None else first.address
        return plan.owner(index, topology)

    def _moved(self, plan: BatchPlan, index: int) -> bool:
        """Whether a command whose node was down has another by now."""
        address = self._owner(plan, index)
        return address is not None and self._nodes.member(address).up

    def _given_up(self, plan: BatchPlan, address: Address, indexes: list[int]) -> list[int]:
        """Have commands whose node failed find their node anew."""
        reply = self._nodes.member(address).unreachable()
        for index in indexes:
            plan.replies[index] = reply
            if plan.keys[index] is not None:
                plan.homes.pop(index, None)
                plan.asking.discard(index)
        return indexes

    def _judge(
        self, plan: BatchPlan, index: int, reply: ResponseError, address: Address
    ) -> list[int]:
        """What is to be asked again because of an error; nothing where it is the answer."""
        if isinstance(reply, AskError):
            home = (reachable(str(reply.host), address[0]), int(reply.port))
            plan.homes[index] = home
            self._nodes.named(home)
            if isinstance(reply, MovedError):
                plan.asking.discard(index)
                self._nodes.outdated(address)
            else:
                plan.asking.add(index)
            return [index]
        if isinstance(reply, TryAgainError | ClusterCrossSlotError):
            return plan.scatter(index) or ([index] if isinstance(reply, TryAgainError) else [])
        if isinstance(reply, ClusterDownError | ReadOnlyError):
            plan.homes.pop(index, None)
            self._nodes.outdated()
            return [index]
        return []

    def _settle(self, plan: BatchPlan, todo: list[int]) -> None:
        """Give what could not be had a reply that says so; raises where nothing can be had."""
        for index in todo:
            reply = plan.replies[index]
            if isinstance(reply, ClusterDownError) and "not served" in str(reply):
                plan.replies[index] = UnservedError()
            elif isinstance(reply, ClusterDownError):
                if not _any_good(plan):
                    raise ConnectionFailedError(self._down())
                address = self._owner(plan, index)
                plan.replies[index] = UnreachableError(
                    f"Node {'?' if address is None else shown(address)} of the cluster says it is "
                    "down (CLUSTERDOWN): it has just come back, or sees too few of the others. "
                    "What its queues hold is unknown until then"
                )
            elif isinstance(reply, AskError | TryAgainError):
                plan.replies[index] = UnreachableError(_UNDECIDED)

    def _headless(self) -> str:
        dead = ", ".join(node.address for node in self._nodes.told())
        return (
            f"The Redis cluster at {self._target.address} has no primary that answers: {dead} are "
            "down. Start them again, or promote their replicas."
        )

    def _down(self) -> str:
        dead = [node.address for node in self._nodes.told() if node.problem]
        named = f": {', '.join(dead)} does not answer" if dead else ""
        return (
            f"The Redis cluster at {self._target.address} says it is down (CLUSTERDOWN){named}. "
            "Start the missing node or promote its replica; with cluster-require-full-coverage no "
            "the other nodes would go on."
        )

    def _note_changes(self) -> None:
        reconnected = [m.up and m.reconnected() for m in self._nodes.primaries()]
        if any(reconnected) or self._changes != self._nodes.changes:
            self._changes = self._nodes.changes
            self.epoch += 1


def _any_good(plan: BatchPlan) -> bool:
    return any(
        key is not None and not isinstance(reply, ResponseError)
        for key, reply in zip(plan.keys, plan.replies, strict=True)
    )
