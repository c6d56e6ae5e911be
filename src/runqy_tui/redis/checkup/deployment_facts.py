"""Facts about a deployment and the cost of its polls, in lines for ``doctor``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from runqy_tui.model import ServerHealth, Snapshot, Topology
from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.polling.budget import LEAST_S
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, RedisLink
from runqy_tui.text.humanize import amount, size


@dataclass(frozen=True, slots=True)
class Cost:
    """Traffic so far, or between two moments; ``ms`` is the time it took."""

    trips: int
    commands: int
    sent: int
    received: int
    ms: float = 0.0

    def since(self, before: Cost, ms: float) -> Cost:
        """The difference to an earlier moment."""
        return Cost(
            self.trips - before.trips,
            self.commands - before.commands,
            self.sent - before.sent,
            self.received - before.received,
            ms,
        )

    def __str__(self) -> str:
        trips = "1 round trip" if self.trips == 1 else f"{self.trips} round trips"
        return (
            f"{self.commands:,} commands in {trips}, {size(self.sent)} sent, "
            f"{size(self.received)} received, {self.ms:.0f} ms"
        )


def describe(
    snapshot: Snapshot, *, cold: Cost, warm: Cost, interval: float, budget: int
) -> list[CheckLine]:
    """The lines about the server, its topology, its contents, and the cost of a poll.

    ``interval`` in seconds, ``budget`` in commands per second.
    """
    return [
        _server(snapshot),
        *_where(snapshot.redis.where),
        _data(snapshot),
        _poll(cold, warm, interval, budget),
    ]


def _server(snapshot: Snapshot) -> CheckLine:
    version, mode = snapshot.redis.version, snapshot.redis.mode
    named = version if version is None or version.startswith("valkey") else f"Redis {version}"
    parts = [named or "version unknown", mode or "mode unknown", _role(snapshot.health)]
    text = ", ".join(parts)
    health = snapshot.health
    if health is not None and health.master_link_up is False:
        remedy = "Check the replication, or monitor the primary: the data here are stale."
        return CheckLine("server", Verdict.WARN, f"{text}, cut off from its primary", remedy)
    if mode == "cluster" and not snapshot.redis.where.nodes:
        remedy = "Use redis+cluster:// in the URL: the other nodes are not read."
        return CheckLine("server", Verdict.WARN, f"{text}: one node of it", remedy)
    if health is not None and health.writes_blocked:
        remedy = "Fix the server: workers and producers cannot write."
        return CheckLine(
            "server", Verdict.WARN, f"{text}, refuses writes: {health.writes_blocked}", remedy
        )
    return CheckLine("server", Verdict.OK, text)


def _role(health: ServerHealth | None) -> str:
    role = None if health is None else health.role
    return {"master": "primary", "slave": "replica"}.get(role or "", role or "role unknown")


def _where(where: Topology) -> list[CheckLine]:
    lines = []
    if where.primary:
        lines.append(CheckLine("Sentinel", Verdict.OK, f"names {where.primary} as the primary"))
    down = [f"{node.address} ({node.problem})" for node in where.nodes if node.problem]
    if down:
        text = f"{len(down)} of {len(where.nodes)} primaries do not answer: {', '.join(down)}"
        remedy = "Start these nodes, or let their replicas take over: their queues are not shown."
        lines.append(
            CheckLine("cluster", Verdict.FAIL, text, remedy, ConnectionFailedError.exit_code)
        )
    elif where.nodes:
        count = "1 primary" if len(where.nodes) == 1 else f"{len(where.nodes)} primaries"
        text = f"{count}: {', '.join(node.address for node in where.nodes)}"
        lines.append(CheckLine("cluster", Verdict.OK, text))
    return lines


def _data(snapshot: Snapshot) -> CheckLine:
    queues, workers = snapshot.queues, snapshot.workers
    if not queues and not workers:
        remedy = "Check the database number in the URL, and whether runqy writes to this Redis."
        return CheckLine("data", Verdict.WARN, "no queue and no worker of any dialect", remedy)
    dialects = {queue.dialect for queue in queues} | {worker.dialect for worker in workers}
    names = sorted(dialect.value for dialect in dialects if dialect is not None)
    states = Counter(worker.state.value for worker in workers)
    listed = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    text = (
        f"{amount(len(queues), 'queue')}, {amount(len(workers), 'worker')}"
        f"{f' ({listed})' if listed else ''}; "
        f"{'dialects ' + ', '.join(names) if names else 'the dialect is unknown without a worker'}"
    )
    return CheckLine("data", Verdict.OK, text)


def _poll(cold: Cost, warm: Cost, interval: float, budget: int) -> CheckLine:
    text = f"each {interval:g} s: {warm}; the first: {cold}"
    if warm.commands > budget * max(interval, LEAST_S):
        text += f"; the monitor sends {budget:,} commands per second (--budget): queues take turns"
    if warm.ms > interval * 1000:
        remedy = "Poll less often: --interval, or + in the monitor."
        return CheckLine("poll", Verdict.WARN, text, remedy)
    return CheckLine("poll", Verdict.OK, text)


class CountingLink:
    """Satisfies :class:`RedisLink`. Bytes are those of the protocol, without TLS and TCP.

    ``received`` is exact but for errors, whose text the client library changes.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self.commands = 0
        self.sent = 0
        self.received = 0

    @property
    def round_trips(self) -> int:
        """Of the link."""
        return self._link.round_trips

    @round_trips.setter
    def round_trips(self, value: int) -> None:
        self._link.round_trips = value

    @property
    def epoch(self) -> int:
        """Of the link."""
        return self._link.epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._link.epoch = value

    @property
    def target(self) -> RedisTarget:
        """Of the link."""
        return self._link.target

    @property
    def topology(self) -> Topology:
        """Of the link."""
        return self._link.topology

    async def trip(self, batch: Batch) -> list[Reply]:
        """One round trip, counted."""
        self.commands += batch.count
        self.sent += sum(len(part.wire) for part in batch.parts)
        replies = await self._link.trip(batch)
        self.received += sum(_size(reply) for reply in replies)
        return replies

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()


def _size(reply: Reply) -> int:
    """Bytes of a reply in RESP2, which is what is spoken."""
    if reply is None:
        return 5
    if isinstance(reply, bytes):
        return len(reply) + len(str(len(reply))) + 5
    if isinstance(reply, list):
        return len(str(len(reply))) + 3 + sum(_size(item) for item in reply)
    return len(str(reply)) + 3
