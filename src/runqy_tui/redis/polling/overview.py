"""One poll: three round trips when nothing is known, one when warm.

Cold: the indexes; counts and workers; the oldest tasks, the groups, and what the SCAN has found
meanwhile. Warm: all of that at once, based on what the last poll read. A queue or worker that
appears in an index costs one more trip in that poll, so that it is shown in full.

Where a budget of commands does not allow for everything, a warm poll reads the workers that may
have sent a heartbeat, and a selection of queues (:mod:`runqy_tui.redis.polling.budget`). After a
failure, on a new connection, on a new day and after a jump of Redis's clock, everything is read
at any cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

from runqy_tui.model import Dialect, QueueKey, RedisInfo, Snapshot, Worker
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.model.reader_protocol import InView
from runqy_tui.redis.polling.budget import Budget, select_queues
from runqy_tui.redis.polling.indexes import STEP_COLD, STEP_WARM, Indexes, KeyspaceScan
from runqy_tui.redis.polling.poll_memory import PollMemory, day_of
from runqy_tui.redis.polling.queue_builder import QueueBuilder, warn_of_queues
from runqy_tui.redis.polling.queue_poller import QueuePoller
from runqy_tui.redis.polling.redis_server import ClockWatch, HealthPoller, RedisServer, uptime
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_poller import WorkerPoller
from runqy_tui.redis.wire.error_translation import translate
from runqy_tui.redis.wire.fast_connection import ReplyStream
from runqy_tui.redis.wire.replies import Reply, UnreachableError, refused
from runqy_tui.redis.wire.transport import Batch, NodeLink, RedisLink
from runqy_tui.runtime.cooperative import mark_yielded, yield_to_loop

_T = TypeVar("_T")

POLL_DEADLINE_S = 5.0
"""A poll that takes longer has failed; the next one starts from the beginning."""

_TRIPS = 3
_QUIETLY_REFUSED = frozenset({"INFO", "EVAL_RO"})
"""Commands whose refusal is no warning: without INFO only version, memory and role are unknown,
and what a script would cut is read by other commands."""


def deadline_for(timeout: float) -> float:
    """Seconds for a poll: its round trips, each within the timeout of a wait, or five at least."""
    return max(POLL_DEADLINE_S, _TRIPS * timeout)


class _Selection(NamedTuple):
    """Queues and workers that a poll reads; ``partial``: not all of them."""

    queues: Sequence[QueueKey]
    workers: Sequence[str]
    partial: bool = False


class Overview:
    """Polls one Redis and remembers what makes the next poll cheap.

    ``budget`` is a number of commands per second; with ``None`` every poll reads everything.
    ``watched``: what is on the screen. Each poll reads these queues, and of workers that are not
    seen no metrics unless it reads everything or they are old.
    """

    def __init__(
        self,
        link: RedisLink,
        clock: Callable[[float], float],
        deadline: float = POLL_DEADLINE_S,
        budget: int | None = None,
    ) -> None:
        self.memory = PollMemory(clock)
        self.queues = QueuePoller(self.memory.queues)
        self.index = Indexes()
        self.watched = InView()
        self._link = link
        self.deadline = deadline
        self._budget = None if budget is None else Budget(budget)
        self._server = RedisServer()
        self._health = HealthPoller()
        self._workers = WorkerPoller()
        self._scan = KeyspaceScan()
        self._clock_watch = ClockWatch()
        self._queue_builder = QueueBuilder()
        self._asked_at = 0.0
        self._turn = asyncio.Lock()
        self._warm = False
        self._trips = self._commands = 0
        self._index_end = 0
        self._indexed = True
        self._epoch = 0
        self._reliable_for: tuple[int, str] | None = None
        self._learned: dict[bool, tuple[object, ...]] = {}
        self._served: tuple[int, frozenset[QueueKey]] = (-1, frozenset())
        self._kept: tuple[int, frozenset[QueueKey]] = (-1, frozenset())

    async def poll(self) -> Snapshot:
        """Read everything once; a second caller waits until the first poll has ended.

        Raises ``ConnectionFailedError`` where nothing answers or the deadline passes, and
        ``AccessDeniedError`` where the ACL forbids what no poll can do without.
        """
        async with self._turn:
            started, self._trips, self._commands = perf_counter(), 0, 0
            mark_yielded()
            try:
                async with asyncio.timeout(self.deadline):
                    now, warnings = await self._read()
                    elapsed = (perf_counter() - started) * 1000
                    return await self._snapshot(now, elapsed, warnings)
            except TimeoutError:
                pass
            raise ConnectionFailedError.late("a poll", self._link.target.address, self.deadline)

    async def _read(self) -> tuple[float, Warnings]:
        warnings = Warnings()
        self.queues.begin()
        self._workers.begin()
        self._epoch = self._link.epoch
        errors, self.memory.pending_errors = self.memory.pending_errors, {}
        for key, reply in errors.items():
            warnings.reply(reply, key)
        if self._warm:
            now = await self._read_warm(warnings)
        else:
            now = await self._read_cold(warnings)
        self._warm = True
        if self._budget is not None:
            self._budget.spend(self._commands)
        self._scan.warn(warnings)
        return now, warnings

    async def _trip(
        self,
        batch: Batch,
        warnings: Warnings,
        parse: Callable[[ReplyStream], Coroutine[Any, Any, _T]],
    ) -> tuple[list[Reply], _T]:
        """One round trip: its replies, and the result of parsing them while they arrive.

        Refused commands become warnings in the order of the replies. What ``parse`` raises is
        raised once all replies are read: a connection with unread ones would have to be closed.
        """
        self._trips += batch.count > 0
        self._commands += batch.count
        self._asked_at = uptime()
        incoming = ReplyStream(batch.count, partial(warnings.refusals, quiet=_QUIETLY_REFUSED))
        parsing = asyncio.create_task(parse(incoming))
        try:
            if isinstance(self._link, NodeLink):
                await self._link.trip(batch, incoming)
            else:
                incoming.extend(await self._link.trip(batch))
            return incoming.replies, await parsing
        finally:
            parsing.cancel()
            await asyncio.gather(parsing, return_exceptions=True)

    async def _read_cold(self, warnings: Warnings) -> float:
        batch = Batch()
        self._ask_indexes(batch, STEP_COLD)
        _, now = await self._trip(
            batch, warnings, lambda incoming: self._read_indexes(incoming, warnings)
        )
        self._learn()

        async def read_bodies(incoming: ReplyStream) -> None:
            await self._read_bodies(incoming, warnings, now)

        batch = Batch()
        await self.queues.ask(batch, self.queues.known, day_of(now))
        await self._workers.ask(batch, self._workers.ids())
        self._workers.servers.ask(batch, self._workers.servers.ids)
        self._scan.ask(batch, STEP_COLD)
        replies, _ = await self._trip(batch, warnings, read_bodies)
        self._scan.read(replies)
        self.queues.note_tails(now)

        batch = Batch()
        await self._ask_new(batch, day_of(now))
        await self.queues.ask_tails(batch, list(self.queues.known))
        replies, _ = await self._trip(batch, warnings, read_bodies)
        await self.queues.read_tails(replies, warnings, now)
        return now

    async def _read_warm(self, warnings: Warnings) -> float:
        batch, memory = Batch(), self.memory
        expected = memory.to_moment(memory.now() or 0.0)
        today = day_of(expected)
        self._learn()
        await yield_to_loop()
        selected = await self._select(expected, today)
        await yield_to_loop()
        self._ask_indexes(batch, STEP_WARM, partial=selected.partial)
        await self.queues.ask(batch, selected.queues, today)
        seen = self.watched.workers if selected.partial else None
        await self._workers.ask(batch, selected.workers, expected, seen)
        self._workers.servers.ask(batch, self._workers.servers.ids)
        await self.queues.ask_tails(batch, selected.queues)

        async def read_all(incoming: ReplyStream) -> float:
            now = await self._read_indexes(incoming, warnings)
            await self._read_bodies(incoming, warnings, now)
            return now

        async def read_workers(incoming: ReplyStream) -> None:
            await incoming.until(batch.count)
            await self.index.read_workers(incoming.replies, warnings)

        replies, now = await self._trip(batch, warnings, read_all)
        if self.index.is_incomplete:
            batch = Batch()
            self.index.ask_workers(batch)
            await self._trip(batch, warnings, read_workers)
        self._workers.mark_due(self.index.moved)
        await yield_to_loop()
        batch = Batch()
        await self._ask_new(batch, day_of(now), found=False)
        if batch.count:
            await self._trip(batch, warnings, lambda found: self._read_bodies(found, warnings, now))
        await self.queues.read_tails(replies, warnings, now)
        return now

    async def _select(self, now: float, today: str) -> _Selection:
        """Select everything where the budget allows it, and where nothing known is reliable.

        That is so after a failed poll, on a new connection or day, and after a jump of the clock.
        """
        reliable, self._reliable_for = self._reliable_for, None
        most = None if self._budget is None else self._budget.allowance()
        everyone = _Selection(list(self.queues.known), self._workers.ids())
        if most is None or reliable != (self._link.epoch, today):
            return everyone
        queues_cost = self.queues.cost
        if queues_cost + self._workers.cost <= most:
            return everyone
        room = max(most - self._workers.servers.cost, 0)
        most_workers, seen = max(room // 2, room - queues_cost), self.watched
        workers, spent = self._workers.select_due(now, most_workers, seen.workers)
        await yield_to_loop()
        queues = select_queues(self.queues.known.values(), seen.queues, room - spent, now)
        return _Selection(queues, workers, partial=True)

    def _ask_indexes(self, batch: Batch, step: int, *, partial: bool = False) -> None:
        self._server.ask(batch, self._link.epoch)
        self._health.ask(batch, self._link.epoch)
        since = self.memory.last_poll_at if partial else None
        self.index.ask(batch, since)
        self._scan.ask(batch, step)
        self._index_end = batch.count

    async def _read_indexes(self, incoming: ReplyStream, warnings: Warnings) -> float:
        await incoming.until(self._index_end)
        replies = incoming.replies
        redis_s = self._server.read(replies, warnings)
        self._clock_watch.observe(
            redis_s if self._server.has_time else None, self._asked_at, uptime()
        )
        if notice := self._clock_watch.notice(uptime()):
            warnings.add(notice)
        self._health.read(replies)
        queues = await self.index.read(replies, warnings)
        self._scan.read(replies)
        self._indexed = not refused(queues)
        blind = self.index.refused or not self._scan.is_allowed
        if isinstance(queues, Exception) and blind and not self._indexed:
            raise translate(queues, self._link.target)
        if isinstance(queues, UnreachableError) and not self.index.read_once:
            raise ConnectionFailedError(
                f"Redis at {self._link.target.address} cannot list the queues "
                f"(asynq:queues). {queues}."
            )
        self.memory.set_time(redis_s)
        return self.memory.to_moment(redis_s)

    def _learn(self, *, found: bool = True) -> tuple[list[QueueKey], list[str], list[str]]:
        """Remember what the indexes and, with ``found``, the SCAN named; return what is new."""
        ids: Iterable[str] = self.index.beats
        if found:
            ids = [*ids, *self._scan.workers]
        servers = self._workers.servers.learn(self.index.servers)
        return self._learn_queues(found=found), self._workers.learn(ids), servers

    def _learn_queues(self, *, found: bool) -> list[QueueKey]:
        # A SCAN finds what the index names, too: that is known already.
        scanned = frozenset(self._scan.queues - self.queues.known.keys() if found else ())
        names = self.index.queues, self._served_lists(), scanned, self._indexed
        # Nearly always the same names again.
        if self._learned.get(found) == (*names, self.queues.changes):
            return []
        registered = {QueueKey(name) for name in self.index.queues}
        queues = self.queues.learn(registered | self._served_lists() | scanned)
        for key, memory in self.queues.known.items():
            # Where the index may not be read, a queue cannot be known to be missing in it.
            memory.registered = key in registered or not self._indexed
        self._learned[found] = (*names, self.queues.changes)
        return queues

    def _served_lists(self) -> frozenset[QueueKey]:
        """Lists without braces that a worker of the documented dialect names."""
        routes, served = self._served
        if routes != self._workers.routes:
            names = self._workers.documented_queues()
            served = frozenset(QueueKey(name, braced=False) for name in names)
            self._served = self._workers.routes, served
        return served

    async def _ask_new(self, batch: Batch, day: str, *, found: bool = True) -> None:
        queues, ids, server_ids = self._learn(found=found)
        await self.queues.ask(batch, queues, day)
        await self._workers.ask(batch, [*ids, *self._workers.unread(self.index.gone)])
        self._workers.servers.ask(batch, server_ids)

    async def _read_bodies(self, incoming: ReplyStream, warnings: Warnings, now: float) -> None:
        await self.queues.read(incoming, warnings, now)
        await self._workers.read(incoming, now, self.index.beats)
        await self._workers.servers.read(incoming)

    async def _snapshot(self, now: float, elapsed: float, warnings: Warnings) -> Snapshot:
        fleet, today = self._workers, day_of(now)
        workers = await fleet.classify(self.index.beats, self.index.servers, now, warnings)
        if self._kept[0] != fleet.routes:
            self._kept = fleet.routes, _lists_of(workers)
        self.queues.forget(self._kept[1])
        queues = await self._queue_builder.build(self.queues, workers, fleet.routes, today)
        warn_of_queues(queues, warnings)
        jump_s = self._clock_watch.pop_jump()
        if not jump_s:
            self._reliable_for = self._epoch, today
        unread_queues = self.queues.read_times_of_unread()
        unread_workers = fleet.read_times_of_unread()
        oldest = min((*unread_queues.values(), *unread_workers.values()), default=None)
        oldest_s = None if oldest is None else now - oldest
        return Snapshot(
            taken_at=now,
            redis=self._info(elapsed, oldest_s, warnings),
            queues=tuple(queues),
            workers=tuple(workers),
            warnings=warnings.texts(),
            health=self._health.latest,
            ghosts=fleet.ghosts,
            clock_jump_s=jump_s,
            workers_whole=self.index.whole and fleet.whole,
            unread_queues=unread_queues,
            unread_workers=unread_workers,
        )

    def _info(self, elapsed: float, oldest_s: float | None, warnings: Warnings) -> RedisInfo:
        where = self._link.topology
        if where.problem is not None:
            warnings.add(where.problem)
        return RedisInfo(
            address=self._link.target.address,
            mode=self._server.mode,
            version=self._server.version,
            round_trips=self._trips,
            elapsed_ms=elapsed,
            where=where,
            unverified=self._link.target.unverified,
            commands=self._commands,
            oldest_s=oldest_s,
        )


def _lists_of(workers: Iterable[Worker]) -> frozenset[QueueKey]:
    """Lists without braces that any of them serves, or served while it existed."""
    return frozenset(
        QueueKey(name, braced=False)
        for worker in workers
        if worker.dialect is Dialect.DOCUMENTED
        for name in worker.queues
    )
