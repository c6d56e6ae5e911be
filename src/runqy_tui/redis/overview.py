"""One poll: three round trips when nothing is known, one when warm.

Cold: the indexes; counts and workers; the oldest tasks, the groups, and whatever the walk through
the key space found meanwhile. Warm: all of that at once, with what the last poll knew. A queue or
worker that appears in an index costs one more trip in that poll, so that it is shown whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from time import monotonic, perf_counter

from runqy_tui.errors import ConnectionFailedError
from runqy_tui.model import Dialect, QueueKey, RedisInfo, Snapshot, Worker
from runqy_tui.redis.assemble import Servers, queue_of, warn_of_queues
from runqy_tui.redis.clockwatch import ClockWatch, uptime
from runqy_tui.redis.discovery import STEP_COLD, STEP_WARM, Discovery
from runqy_tui.redis.faults import translate
from runqy_tui.redis.fleet import Fleet
from runqy_tui.redis.health import Health
from runqy_tui.redis.index import Index
from runqy_tui.redis.queues import Queues
from runqy_tui.redis.replies import Reply, refused
from runqy_tui.redis.server import Server
from runqy_tui.redis.topology import UnreachableError
from runqy_tui.redis.transport import Batch, Link
from runqy_tui.redis.warn import Warnings

DEADLINE_S = 5.0
"""A poll that takes longer has failed: the next one starts afresh."""

_TRIPS = 3
_UNTOLD = frozenset({"INFO", "EVAL_RO"})
"""Their refusal is no warning: without INFO version, memory and role stay unknown and nothing
else, and what a script would cut is read by other commands."""


def deadline_for(timeout: float) -> float:
    """Seconds for a poll: its round trips, each within the timeout of a wait, or five at least."""
    return max(DEADLINE_S, _TRIPS * timeout)


class Overview:
    """Polls one Redis and remembers what makes the next poll cheap."""

    def __init__(
        self, link: Link, clock: Callable[[float], float], deadline: float = DEADLINE_S
    ) -> None:
        self.queues = Queues()
        self.index = Index()
        self.doubts: dict[bytes, Reply] = {}
        self._link = link
        self._clock = clock
        self.deadline = deadline
        self._server = Server()
        self._health = Health()
        self._fleet = Fleet()
        self._discovery = Discovery()
        self._clock_watch = ClockWatch()
        self._asked_at = 0.0
        self._turn = asyncio.Lock()
        self._warm = False
        self._trips = 0
        self._indexed = True
        self._time_at: tuple[float, float] | None = None

    async def poll(self) -> Snapshot:
        """Read everything once. One poll at a time: a second caller waits for its turn."""
        async with self._turn:
            started, self._trips = perf_counter(), 0
            late = False
            try:
                async with asyncio.timeout(self.deadline):
                    now, warnings = await self._read()
            except TimeoutError:
                late = True
            if late:
                raise ConnectionFailedError.late("a poll", self._link.target.address, self.deadline)
            elapsed = (perf_counter() - started) * 1000
            return self._snapshot(now, elapsed, warnings)

    def now(self) -> float | None:
        """Redis's clock by the last poll and the time since; ``None`` before the first."""
        if self._time_at is None:
            return None
        told, at = self._time_at
        return told + monotonic() - at

    def today(self) -> str | None:
        """The UTC day by Redis's clock, ``None`` before the first poll."""
        now = self.now()
        return None if now is None else day_of(self._clock(now))

    async def _read(self) -> tuple[float, Warnings]:
        warnings = Warnings()
        self.queues.begin()
        doubts, self.doubts = self.doubts, {}
        for key, reply in doubts.items():
            warnings.reply(reply, key)
        if self._warm:
            now = await self._read_warm(warnings)
        else:
            now = await self._read_cold(warnings)
        self._warm = True
        self._discovery.warn(warnings)
        return now, warnings

    async def _trip(self, batch: Batch, warnings: Warnings) -> list[Reply]:
        self._trips += batch.count > 0
        self._asked_at = uptime()
        replies = await self._link.trip(batch)
        warnings.refusals(replies, quiet=_UNTOLD)
        return replies

    async def _read_cold(self, warnings: Warnings) -> float:
        batch = Batch()
        self._ask_indexes(batch, STEP_COLD)
        replies = await self._trip(batch, warnings)
        now = self._read_indexes(replies, warnings)
        self._learn()

        batch = Batch()
        self.queues.ask(batch, self.queues.known, day_of(now))
        self._fleet.ask(batch, *self._fleet.everyone())
        self._discovery.ask(batch, STEP_COLD)
        replies = await self._trip(batch, warnings)
        self._read_bodies(replies, warnings)
        self._discovery.read(replies)
        self.queues.see(now)

        batch = Batch()
        self._ask_new(batch, day_of(now))
        self.queues.ask_tails(batch)
        replies = await self._trip(batch, warnings)
        self._read_bodies(replies, warnings)
        self.queues.read_tails(replies, warnings, now)
        return now

    async def _read_warm(self, warnings: Warnings) -> float:
        batch = Batch()
        self._learn()
        self._ask_indexes(batch, STEP_WARM)
        self.queues.ask(batch, self.queues.known, self.today() or "")
        self._fleet.ask(batch, *self._fleet.everyone())
        self.queues.ask_tails(batch)
        replies = await self._trip(batch, warnings)
        now = self._read_indexes(replies, warnings)
        await asyncio.sleep(0)  # a large fleet takes a while: others get their turn in between
        self._read_bodies(replies, warnings)
        await asyncio.sleep(0)
        batch = Batch()
        self._ask_new(batch, day_of(now), found=False)
        if batch.count:
            self._read_bodies(await self._trip(batch, warnings), warnings)
        self.queues.read_tails(replies, warnings, now)
        return now

    def _ask_indexes(self, batch: Batch, step: int) -> None:
        self._server.ask(batch, self._link.epoch)
        self._health.ask(batch, self._link.epoch)
        self.index.ask(batch)
        self._discovery.ask(batch, step)

    def _read_indexes(self, replies: list[Reply], warnings: Warnings) -> float:
        told = self._server.read(replies, warnings)
        self._clock_watch.see(told if self._server.tells_time else None, self._asked_at, uptime())
        if notice := self._clock_watch.notice(uptime()):
            warnings.add(notice)
        self._health.read(replies)
        queues = self.index.read(replies, warnings)
        self._discovery.read(replies)
        self._indexed = not refused(queues)
        blind = self.index.refused or not self._discovery.allowed
        if isinstance(queues, Exception) and blind and not self._indexed:
            raise translate(queues, self._link.target)
        if isinstance(queues, UnreachableError) and not self.index.read_once:
            raise ConnectionFailedError(
                f"Redis at {self._link.target.address} cannot tell which queues there are "
                f"(asynq:queues). {queues}."
            )
        self._time_at = (told, monotonic())
        return self._clock(told)

    def _learn(self, *, found: bool = True) -> tuple[list[QueueKey], list[str], list[str]]:
        """Take up what the indexes and, with ``found``, the walks have named; gives the new."""
        registered = {QueueKey(name) for name in self.index.queues}
        named = registered | self._documented()
        ids: Iterable[str] = self.index.beats
        if found:
            named |= self._discovery.queues
            ids = [*ids, *self._discovery.workers]
        queues = self.queues.learn(named)
        for key, memory in self.queues.known.items():
            # Where the index may not be read, nobody can tell that a queue is missing in it.
            memory.registered = key in registered or not self._indexed
        return queues, *self._fleet.learn(ids, self.index.servers)

    def _documented(self) -> set[QueueKey]:
        """Lists without braces that a worker of the documented dialect names."""
        return {QueueKey(name, braced=False) for name in self._fleet.documented_queues()}

    def _ask_new(self, batch: Batch, day: str, *, found: bool = True) -> None:
        queues, ids, server_ids = self._learn(found=found)
        self.queues.ask(batch, queues, day)
        self._fleet.ask(batch, ids, server_ids)

    def _read_bodies(self, replies: list[Reply], warnings: Warnings) -> None:
        self.queues.read(replies, warnings)
        self._fleet.read(replies, warnings)

    def _snapshot(self, now: float, elapsed: float, warnings: Warnings) -> Snapshot:
        workers = self._fleet.judge(self.index.beats, self.index.servers, now, warnings)
        self.queues.forget(_served_lists(workers))
        servers, today = Servers(workers, self.queues.known), day_of(now)
        queues = [
            queue_of(memory, memory.reading, servers, now, today)
            for memory in self.queues.known.values()
            if memory.reading is not None
        ]
        queues.sort(key=lambda queue: (queue.name, not queue.key.braced))
        warn_of_queues(queues, warnings)
        where = self._link.whereabouts
        if where.problem is not None:
            warnings.add(where.problem)
        info = RedisInfo(
            address=self._link.target.address,
            mode=self._server.mode,
            version=self._server.version,
            round_trips=self._trips,
            elapsed_ms=elapsed,
            where=where,
            unverified=self._link.target.unverified,
        )
        return Snapshot(
            taken_at=now,
            redis=info,
            queues=tuple(queues),
            workers=tuple(workers),
            warnings=warnings.texts(),
            health=self._health.latest,
            ghosts=self._fleet.ghosts,
            clock_jump_s=self._clock_watch.take(),
            workers_whole=self.index.whole and self._fleet.whole,
        )


def day_of(now: float) -> str:
    """The UTC day of a moment, as the counters' keys spell it."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def _served_lists(workers: Iterable[Worker]) -> set[QueueKey]:
    return {
        QueueKey(name, braced=False)
        for worker in workers
        if worker.dialect is Dialect.DOCUMENTED
        for name in worker.queues
    }
