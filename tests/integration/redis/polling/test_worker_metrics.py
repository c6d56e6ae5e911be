"""Where a budget does not allow for everything, metrics are read where somebody sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time

import pytest
import redis

from runqy_tui.redis.polling import worker_state
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.integration.redis.polling.large_fleet import (
    BUDGET,
    NAMES,
    WORKERS,
    beat,
    due_now,
    populate,
    settled,
    worker_in,
)
from tests.support import dialect_writers

IDS = [f"host{number}:1" for number in range(WORKERS)]
SEEN = IDS[40:60]
ONE, ANOTHER = IDS[50], IDS[7]
PREFIX = "asynq:workers:"
ALL_WORKERS = BUDGET + 150
"""Half of it is enough for all of them, and all of it is not for the queues as well."""


@pytest.fixture(autouse=True)
def turns_come_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's metrics are old, unless a test says so."""
    monkeypatch.setattr(worker_state, "METRICS_EVERY_S", 1e12)


def beat_all(writer: redis.Redis, cpu: int, now: float | None = None) -> None:
    """A beat of everybody."""
    now = dialect_writers.now_of(writer) if now is None else now
    reported = f'{{"cpu_percent":{cpu},"collected_at":{int(now)}}}'
    with writer.pipeline(transaction=False) as pipeline:
        for worker_id in IDS:
            beat(pipeline, worker_id, now, metrics=reported, started_at=1_000)
        pipeline.execute()


@dataclass
class Asked:
    """Workers whose hashes were asked for, and those whose metrics were."""

    at_all: set[str]
    metrics: set[str]


@contextmanager
def listening(writer: redis.Redis) -> Iterator[Asked]:
    """What Redis was asked meanwhile, by its own word."""
    asked = Asked(set(), set())
    with writer.monitor() as monitor:  # type: ignore[no-untyped-call]
        yield asked
        writer.echo("that is all")
        for heard in monitor.listen():
            name, _, rest = heard["command"].partition(" ")
            if name == "ECHO":
                return
            worker_id = rest.partition(" ")[0].removeprefix(PREFIX)
            if name in ("HMGET", "HGETALL", "HGET", "EVAL_RO") and worker_id in IDS:
                asked.at_all.add(worker_id)
                if name != "HMGET" or " metrics " in f"{rest} ":
                    asked.metrics.add(worker_id)


async def lean_reader_of_metrics(writer: redis.Redis, reader_of: OpenReader) -> RedisReader:
    """One that has begun to choose, and has read these metrics."""
    reader = await reader_of(budget=ALL_WORKERS)
    beat_all(writer, 10)
    await lean(reader, writer)
    return reader


async def cpu(reader: RedisReader) -> dict[str, float | None]:
    """What a poll of a fleet that has just beaten tells."""
    due_now(reader)
    snapshot = await reader.overview()
    assert not snapshot.unread_workers
    return {
        worker.id: worker.metrics.cpu_percent if worker.metrics else None
        for worker in snapshot.workers
    }


async def test_metrics_are_read_of_who_is_seen(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader_of_metrics(writer, reader_of)
    for number, seen in enumerate((SEEN, SEEN, IDS[:5], [])):
        reader.prioritize((), seen)
        beat_all(writer, 20 + number)
        with listening(writer) as asked:
            reported = await cpu(reader)
        assert asked.at_all == set(IDS)
        assert asked.metrics == set(seen)
        assert {reported[worker_id] for worker_id in seen} <= {20 + number}
        assert {reported[worker_id] for worker_id in set(IDS) - {*SEEN, *IDS[:5]}} == {10}


async def test_who_comes_into_view_is_read_at_once(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader_of_metrics(writer, reader_of)
    beat_all(writer, 20)
    assert set((await cpu(reader)).values()) == {10}
    await reader.overview()
    reader.prioritize((), [ONE, "nobody:1"])
    with listening(writer) as asked:
        snapshot = await reader.overview()
    assert asked.at_all == asked.metrics == {ONE}
    metrics = worker_in(snapshot, ONE).metrics
    assert metrics is not None
    assert metrics.cpu_percent == 20
    with listening(writer) as asked:
        await reader.overview()
    assert not asked.at_all


async def test_all_else_is_of_this_beat(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader_of_metrics(writer, reader_of)
    before = dialect_writers.now_of(writer)
    beat_all(writer, 20, before + 1)
    writer.hset(PREFIX + ANOTHER, mapping={"healthy": 0, "recovery": '{"a":{"state":"idle"}}'})
    await cpu(reader)
    worker = worker_in(await reader.overview(), ANOTHER)
    assert (worker.healthy, worker.recovery["a"].state) == (False, "idle")
    assert worker.last_beat_at == int(before + 1)
    assert worker.metrics is not None
    assert worker.metrics.cpu_percent == 10
    assert worker.metrics.collected_at is not None
    assert worker.metrics.collected_at <= before


async def test_who_told_none_any_more_tells_none_as_soon_as_it_is_seen(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader_of_metrics(writer, reader_of)
    writer.hdel(PREFIX + ONE, "metrics")
    assert (await cpu(reader))[ONE] == 10
    reader.prioritize((), [ONE])
    assert worker_in(await reader.overview(), ONE).metrics is None
    reader.prioritize((), [])
    assert (await cpu(reader))[ONE] is None


async def test_a_restarted_worker_is_read_whole_by_the_next_poll(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader_of_metrics(writer, reader_of)
    beat_all(writer, 20)
    writer.hset(PREFIX + ONE, "started_at", int(dialect_writers.now_of(writer)))
    reported = await cpu(reader)
    assert (reported[ONE], reported[ANOTHER]) == (None, 10)
    with listening(writer) as asked:
        snapshot = await reader.overview()
    assert asked.metrics == {ONE}
    metrics = worker_in(snapshot, ONE).metrics
    assert metrics is not None
    assert metrics.cpu_percent == 20


async def test_polls_that_leave_nothing_out_read_all_metrics(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    for reader in (await reader_of(), await reader_of(budget=2_000)):
        await settled(reader)
        for number in range(2):
            beat_all(writer, 20 + number)
            with listening(writer) as asked:
                reported = await cpu(reader)
            assert asked.metrics == set(IDS)
            assert set(reported.values()) == {20 + number}


async def test_nobody_sees_metrics_that_are_much_older_than_half_a_minute(
    writer: redis.Redis, reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_state, "METRICS_EVERY_S", 30.0)
    monkeypatch.setattr(worker_state, "TTL_EVERY_S", 1e9)
    step_s, ahead = 7.0, [0.0]
    reader = await reader_of(budget=ALL_WORKERS, clock=lambda now: now + ahead[0])
    beat_all(writer, 0)
    await lean(reader, writer)
    reader.prioritize((), SEEN)
    read_at, begun = dict.fromkeys(IDS, 0.0), time()
    for step in range(1, 12):
        ahead[0] += step_s
        beat_all(writer, step, dialect_writers.now_of(writer) + ahead[0])
        with listening(writer) as asked:
            reported = await cpu(reader)
        assert set(SEEN) <= asked.metrics < set(IDS)
        read_at |= dict.fromkeys(asked.metrics, ahead[0])
        oldest = min(read_at.values())
        slow_s = time() - begun
        assert ahead[0] - oldest <= worker_state.METRICS_EVERY_S + step_s + slow_s
        assert {reported[one] for one in IDS} == {round(at / step_s) for at in read_at.values()}
    assert oldest > 0


async def lean(reader: RedisReader, writer: redis.Redis) -> None:
    """Give it more queues than its budget allows for."""
    for name in NAMES:
        dialect_writers.queue(writer, name)
    for _ in range(2):  # the first polls cost more than they may
        await settled(reader)
