"""A real database with any bytes in every field: from the reader to every text form."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runqy_tui.diagnosis.diagnoser import Diagnoser, TaskChecks
from runqy_tui.diagnosis.signatures import collect
from runqy_tui.model import CheckWindow, QueueKey, TaskRow, TaskState, WindowCheck
from runqy_tui.redis.decoding import proto
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.task_reading import task_lookup
from runqy_tui.text.safe import decode
from tests.support import dialect_writers, hostile
from tests.support.text_outputs import check_forms, check_task

VALUES = st.lists(
    st.binary(max_size=60)
    | st.sampled_from([*hostile.NAMES, b"0", b"-1", b"1e18", b"nan", b"9" * 19, b"map[a:1]"]),
    min_size=4,
    max_size=12,
)


class World:
    """Writes what the three dialects write, with values of a pool in place of every field's."""

    def __init__(self, client: Any, pool: list[bytes], rng: Random, now: float) -> None:
        self.pipe = client.pipeline(transaction=False)
        self.pool, self.rng, self.now = pool, rng, now
        self.queues: list[QueueKey] = []
        self.ids: list[str] = []
        self.workers: list[str] = []

    def any(self) -> bytes:
        return self.rng.choice(self.pool)

    def score(self) -> float:
        return self.rng.choice([0.0, -1.0, 1e18, -1e300, float("inf"), self.now, self.now + 9])

    def message(self) -> bytes:
        if self.rng.random() < 0.2:
            return self.any()
        number = self.rng.choice([0, -1, 2**31 - 1, 1795484106])
        return dialect_writers.message(
            type=self.any(),
            payload=self.any(),
            id=self.any(),
            queue=self.any(),
            retry=number,
            error_msg=self.any(),
            last_failed_at=number * 2**31,
            completed_at=-number,
            deadline=number,
            timeout=number,
            group_key=self.any(),
            headers=[{"key": self.any(), "value": self.any()}],
        )

    def queue(self, name: bytes) -> None:
        key = b"asynq:{" + name + b"}:"
        self.queues.append(QueueKey(decode(name)))
        self.pipe.sadd("asynq:queues", name)
        for state in TaskState:
            task_id = self.any()
            self.ids.append(decode(task_id))
            place = key + state.value.encode()
            if state in (TaskState.PENDING, TaskState.ACTIVE):
                self.pipe.lpush(place, task_id)
            elif state is TaskState.AGGREGATING:
                self.pipe.sadd(key + b"groups", task_id)
                self.pipe.zadd(key + b"g:" + task_id, {task_id: self.score()})
            else:
                self.pipe.zadd(place, {task_id: self.score()})
            fields = {field: self.any() for field in (*task_lookup.FIELDS, self.any())}
            fields |= {b"msg": self.message(), b"state": state.value.encode()}
            self.pipe.hset(key + b"t:" + task_id, mapping=fields)
            self.pipe.zadd(key + b"lease", {task_id: self.score()})
        for suffix in (b"paused", b"processed", b"failed"):
            self.pipe.set(key + suffix, self.any())

    def worker(self, worker_id: bytes) -> None:
        self.workers.append(decode(worker_id))
        fields = {name: self.any() for name in worker_parsing.FIELDS if self.rng.random() < 0.8}
        fields |= {b"last_beat": str(int(self.now)).encode()} if self.rng.random() < 0.7 else {}
        self.pipe.hset(b"asynq:workers:" + worker_id, mapping={b"worker_id": b"w", **fields})
        self.pipe.zadd("asynq:workers", {worker_id: self.score()})
        self.pipe.rpush(b"asynq:workers:" + worker_id + b":logs", self.any())
        text = self.any().decode("utf-8", "surrogateescape")
        self.pipe.rpush(b"asynq:workers:" + worker_id + b":logs", dialect_writers.log_line(1, text))

    def server(self, server_id: bytes) -> None:
        info = proto.ServerInfo(
            host=self.any(),
            server_id=self.any(),
            concurrency=self.rng.choice([-1, 8]),
            queues=[{"key": self.any(), "value": -1}],
            status=self.rng.choice([self.any(), b"active"]),
            start_time={"seconds": self.rng.choice([-1, 2**62, 1795484106])},
            active_worker_count=self.rng.choice([-1, 1]),
        )
        key = b"asynq:servers:{" + server_id + b"}"
        self.pipe.set(key, self.rng.choice([info.SerializeToString(), self.any()]))
        self.pipe.zadd("asynq:servers", {key: self.score()})
        busy = proto.WorkerInfo(task_id=self.any(), task_type=self.any(), queue=self.any())
        self.pipe.hset(
            b"asynq:workers:{" + server_id + b"}",
            mapping={self.any(): busy.SerializeToString(), b"odd" + self.any(): self.any()},
        )


async def look(url: str, world: World) -> None:
    """Ask everything that can be asked, and make every text of the answers."""
    reader = await open_reader(url)
    try:
        await reader.overview()
        snapshot = await reader.overview()
        assert {queue.key for queue in snapshot.queues} >= set(world.queues)
        rows: list[tuple[QueueKey, TaskRow]] = []
        audits: list[WindowCheck] = []
        for key in world.queues:
            for state in TaskState:
                page = await reader.page(key, state)
                rows += [(key, row) for row in page.rows]
                assert page.problem is None
            windows = [CheckWindow(key, state, 0, 20) for state in TaskState]
            audits += await reader.check_tasks(windows)
            await reader.daily_counts(key)
            for task_id in world.ids[::4]:
                task = await reader.task(task_id, key)
                if task is not None:
                    check_task(task)
        assert {row.id for _, row in rows} >= set(world.ids)
        logs = {worker: await reader.logs(worker) for worker in world.workers}
        for worker in snapshot.workers:
            await reader.active_tasks(worker.id)
        await collect(reader, snapshot)
        diagnoser = Diagnoser()
        check_forms(
            snapshot, rows=rows, logs=logs, diagnoser=diagnoser, checks=TaskChecks(windows=audits)
        )
        await diagnoser.diagnose(reader, await reader.overview())
    finally:
        await reader.close()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, st.randoms(use_true_random=False))
def test_any_database(
    writer: redis.Redis, redis_url: str, values: list[bytes], rng: Random
) -> None:
    writer.flushall()
    world = World(writer, values, rng, dialect_writers.now_of(writer))
    for value in dict.fromkeys(values[:3]):
        world.queue(value)
        world.worker(value)
        world.server(value)
    # The log of a worker "" is the hash of one called ":logs": the first to come has the key.
    world.pipe.execute(raise_on_error=False)
    asyncio.run(look(redis_url, world))
