"""Every capture gives its right answer: counts, ages, meanings, workers, to the last number."""

from __future__ import annotations

import pytest

from runqy_tui.model import (
    Counts,
    Dialect,
    Metrics,
    QueueKey,
    Recovery,
    Snapshot,
    TaskState,
    WorkerState,
)
from tests.conftest import OpenReader
from tests.support.captures import Captures, frozen_at

STATES = list(TaskState)
BIG = "vm:22744"
"""The worker that is healthy in every runqy capture."""
BIG_QUEUES = {
    "flaky.default": 3,
    "inference.default": 5,
    "inference.high": 10,
    "inference.low": 1,
    "nostore.default": 1,
    "oneshot.default": 2,
}
ASYNQ = "vm:28941:cf1925f6-58e8-47b0-995f-fe9f4782e9e4"

Row = tuple[list[int], tuple[int, int], tuple[int, int], list[str]]
"""Counts in the states' order, processed and failed today and in total, consumers."""

QUIET: dict[str, Row] = {
    "flaky.default": ([0, 0, 2, 0, 5, 2, 0], (0, 5), (2, 5), [BIG]),
    "inference.default": ([0, 0, 0, 0, 6, 5, 0], (0, 6), (5, 6), [BIG]),
    "inference.high": ([0, 0, 0, 0, 0, 6, 0], (0, 0), (6, 0), [BIG]),
    "inference.low": ([0, 0, 0, 0, 0, 4, 0], (0, 0), (4, 0), [BIG]),
    "nostore.default": ([0, 0, 0, 0, 0, 0, 0], (0, 3), (2, 3), [BIG]),
    "oneshot.default": ([0, 0, 0, 0, 2, 2, 0], (0, 2), (2, 2), [BIG]),
}
QUEUES: dict[str, dict[str, Row]] = {
    "runqy-02": QUIET
    | {
        "crashy.default": ([0, 3, 0, 0, 0, 1, 0], (1, 0), (1, 0), ["vm:27281"]),
        "flaky.default": ([0, 0, 2, 0, 5, 2, 0], (0, 5), (2, 5), [BIG, "vm:27281"]),
    },
    "runqy-03": QUIET
    | {
        "crashy.default": ([0, 1, 0, 3, 0, 1, 0], (1, 0), (1, 0), ["vm:27281"]),
        "flaky.default": ([0, 0, 2, 0, 5, 2, 0], (0, 5), (2, 5), [BIG, "vm:27281"]),
    },
    "runqy-04": QUIET | {"crashy.default": ([3, 0, 0, 0, 0, 1, 0], (1, 0), (1, 0), [])},
    "runqy-06": QUIET | {"crashy.default": ([0, 1, 0, 0, 0, 1, 0], (1, 0), (1, 0), [])},
    "runqy-07": {
        "crashy.default": ([0, 1, 0, 0, 0, 1, 0], (1, 0), (1, 0), ["vm:28676"]),
        "flaky.default": ([0, 0, 2, 2, 5, 2, 0], (0, 5), (2, 5), [BIG]),
        "inference.default": ([0, 0, 0, 1, 6, 5, 0], (0, 6), (5, 6), [BIG]),
        "inference.high": ([4, 0, 0, 0, 0, 7, 0], (1, 0), (7, 0), [BIG]),
        "inference.low": ([3, 0, 0, 0, 0, 5, 0], (1, 0), (5, 0), [BIG]),
        "nostore.default": ([0, 0, 0, 0, 0, 0, 0], (0, 3), (2, 3), [BIG]),
        "oneshot.default": ([2, 4, 0, 1, 2, 2, 0], (0, 2), (2, 2), [BIG]),
    },
    "asynq-01": {
        "critical": ([0, 1, 1, 0, 1, 4, 0], (5, 1), (5, 1), [ASYNQ]),
        "default": ([0, 1, 1, 4, 1, 5, 4], (15, 9), (15, 9), [ASYNQ]),
        "low": ([6, 0, 1, 0, 0, 0, 0], (0, 0), (0, 0), [ASYNQ]),
    },
}
OLDEST: dict[str, dict[str, float]] = {
    "runqy-02": {},
    "runqy-03": {},
    "runqy-04": {"crashy.default": 1795478985.0},
    "runqy-06": {},
    "runqy-07": {
        "inference.high": 1795484100.115448518,
        "inference.low": 1795484100.227937498,
        "oneshot.default": 1795484099.973065110,
    },
    "asynq-01": {"low": 1795483923.928403514},
}
WORKERS: dict[str, dict[str, tuple[WorkerState, float | None]]] = {
    "runqy-02": {
        BIG: (WorkerState.RUNNING, 1795483730),
        "vm:27281": (WorkerState.RECOVERING, 1795483734),
    },
    "runqy-03": {
        BIG: (WorkerState.RUNNING, 1795483785),
        "vm:27281": (WorkerState.DEGRADED, 1795483789),
    },
    "runqy-04": {
        BIG: (WorkerState.RUNNING, 1795483665),
        "vm:25673": (WorkerState.STOPPED, 1795483661),
    },
    "runqy-06": {
        BIG: (WorkerState.RUNNING, 1795483840),
        "vm:28230": (WorkerState.LOST, 1795483812),
    },
    "runqy-07": {
        BIG: (WorkerState.RUNNING, 1795484105),
        "vm:28230": (WorkerState.LOST, 1795483812),
        "vm:28676": (WorkerState.RUNNING, 1795484103),
    },
    "asynq-01": {ASYNQ: (WorkerState.RUNNING, None)},
}
NAMES = list(QUEUES)


async def seen(
    captures: Captures, reader_of: OpenReader, name: str, *, rebase: bool = False
) -> tuple[Snapshot, float]:
    taken_at = captures.load(name, rebase=rebase)
    reader = await (reader_of() if rebase else reader_of(clock=frozen_at(taken_at)))
    return await reader.overview(), taken_at


def check_queues(name: str, snapshot: Snapshot, *, today: bool) -> None:
    expected = QUEUES[name]
    assert [queue.name for queue in snapshot.queues] == sorted(expected)
    for queue in snapshot.queues:
        counts, by_day, total, consumers = expected[queue.name]
        assert [queue.counts.of(state) for state in STATES] == counts, queue.name
        assert (queue.processed_total, queue.failed_total) == total, queue.name
        assert list(queue.consumers) == consumers, queue.name
        assert queue.registered
        assert queue.key == QueueKey(queue.name)
        if today:
            assert (queue.processed_today, queue.failed_today) == by_day, queue.name


@pytest.mark.parametrize("name", NAMES)
async def test_counts_and_consumers(captures: Captures, reader_of: OpenReader, name: str) -> None:
    snapshot, taken_at = await seen(captures, reader_of, name)
    assert snapshot.taken_at == taken_at
    assert snapshot.warnings == ()
    check_queues(name, snapshot, today=True)


@pytest.mark.parametrize("name", NAMES)
async def test_counts_and_states_when_rebased(
    captures: Captures, reader_of: OpenReader, name: str
) -> None:
    snapshot, taken_at = await seen(captures, reader_of, name, rebase=True)
    check_queues(name, snapshot, today=False)
    moved = snapshot.taken_at - taken_at
    for worker in snapshot.workers:
        state, beat = WORKERS[name][worker.id]
        assert worker.state is state
        if beat is not None:
            assert worker.last_beat_at == pytest.approx(beat + moved, abs=3)
            assert snapshot.last_beat_age_s(worker) == pytest.approx(taken_at - beat, abs=3)
    ages = {
        queue.name: snapshot.oldest_pending_age_s(queue)
        for queue in snapshot.queues
        if queue.counts.pending
    }
    expected = {queue: taken_at - since for queue, since in OLDEST[name].items()}
    assert ages == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("name", NAMES)
async def test_oldest_pending(captures: Captures, reader_of: OpenReader, name: str) -> None:
    snapshot, taken_at = await seen(captures, reader_of, name)
    found = {
        queue.name: queue.oldest_pending_since
        for queue in snapshot.queues
        if queue.oldest_pending_since is not None
    }
    assert found == pytest.approx(OLDEST[name])
    for queue in snapshot.queues:
        since = queue.oldest_pending_since
        assert snapshot.oldest_pending_age_s(queue) == (None if since is None else taken_at - since)
        assert not queue.oldest_estimated


@pytest.mark.parametrize("name", NAMES)
async def test_worker_states(captures: Captures, reader_of: OpenReader, name: str) -> None:
    snapshot, taken_at = await seen(captures, reader_of, name)
    found = {worker.id: (worker.state, worker.last_beat_at) for worker in snapshot.workers}
    assert found == WORKERS[name]
    for worker in snapshot.workers:
        beat = worker.last_beat_at
        assert snapshot.last_beat_age_s(worker) == (None if beat is None else taken_at - beat)
        assert worker.problems == ()


@pytest.mark.parametrize("name", NAMES)
async def test_long_after_the_capture_no_beat_is_fresh(
    captures: Captures, reader_of: OpenReader, name: str
) -> None:
    taken_at = captures.load(name)
    reader = await reader_of(clock=lambda now: max(now, taken_at + 3600))
    snapshot = await reader.overview()
    expected = {
        worker: WorkerState.STALE if state not in (WorkerState.STOPPED, WorkerState.LOST) else state
        for worker, (state, _) in WORKERS[name].items()
    }
    assert {worker.id: worker.state for worker in snapshot.workers} == expected
    assert all(queue.consumers == () for queue in snapshot.queues)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("runqy")])
async def test_runqy_counts_successes(captures: Captures, reader_of: OpenReader, name: str) -> None:
    snapshot, _ = await seen(captures, reader_of, name)
    for queue in snapshot.queues:
        # In 06 the only worker of crashy.default is lost with all it said: nothing tells whose
        # meaning its counters have.
        known = not (name == "runqy-06" and queue.name == "crashy.default")
        assert queue.dialect == (Dialect.RUNQY if known else None)
        assert queue.succeeded_total == (queue.processed_total if known else None)
        assert queue.succeeded_today == (queue.processed_today if known else None)


async def test_asynq_counts_attempts(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "asynq-01")
    assert {queue.dialect for queue in snapshot.queues} == {Dialect.ASYNQ}
    assert [queue.succeeded_total for queue in snapshot.queues] == [4, 6, 0]
    assert [queue.succeeded_today for queue in snapshot.queues] == [4, 6, 0]


async def test_recovering(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "runqy-02")
    worker = snapshot.worker("vm:27281")
    assert worker is not None
    assert worker.healthy is False
    assert worker.status == "running"
    assert worker.started_at == 1795483730
    assert worker.concurrency == 3
    assert worker.queues == {"crashy.default": 2, "flaky.default": 3}
    assert worker.recovery == {
        "crashy": Recovery("recovering", 1, 0),
        "flaky": Recovery("idle", 0, 0),
    }
    assert worker.metrics == Metrics(
        cpu_percent=8.902439024386105,
        memory_used_bytes=4022710272,
        memory_total_bytes=25276063744,
        collected_at=1795483734,
    )
    healthy = snapshot.worker(BIG)
    assert healthy is not None
    assert healthy.queues == BIG_QUEUES
    assert healthy.healthy is True
    assert (healthy.active_tasks, healthy.active_count) == ((), None)


async def test_degraded(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "runqy-03")
    worker = snapshot.worker("vm:27281")
    assert worker is not None
    assert (worker.status, worker.healthy) == ("running", False)
    assert worker.recovery["crashy"] == Recovery("degraded", 2, 1)
    queue = snapshot.queue(QueueKey("crashy.default"))
    assert queue is not None
    assert queue.consumers == ("vm:27281",)
    assert (queue.parent, queue.sub) == ("crashy", "default")


async def test_stopped_is_seen_outside_the_index(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "runqy-04")
    worker = snapshot.worker("vm:25673")
    assert worker is not None
    assert worker.state is WorkerState.STOPPED
    assert worker.recovery == {"crashy": Recovery("degraded", 3, 2)}
    queue = snapshot.queue(QueueKey("crashy.default"))
    assert queue is not None
    assert (queue.counts.pending, queue.consumers) == (3, ())
    assert snapshot.oldest_pending_age_s(queue) == 4681
    assert queue.dialect is Dialect.RUNQY


async def test_killed_worker_is_lost(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "runqy-06")
    worker = snapshot.worker("vm:28230")
    assert worker is not None
    assert (worker.last_beat_at, snapshot.last_beat_age_s(worker)) == (1795483812, 31)
    assert (worker.healthy, worker.status, worker.queues) == (None, None, {})


async def test_asynq_server(captures: Captures, reader_of: OpenReader) -> None:
    snapshot, _ = await seen(captures, reader_of, "asynq-01")
    (worker,) = snapshot.workers
    assert worker.dialect is Dialect.ASYNQ
    assert worker.active_tasks == (
        "253d8c43-9bf4-4f0b-9d7f-97218bac10d2",
        "92fdd4f4-2c6c-4749-a548-b92533ee4bf9",
    )
    assert worker.active_count == 2
    assert worker.queues == {"low": 1, "critical": 6, "default": 3}
    assert worker.started_at == pytest.approx(1795483921.942629)
    assert (worker.concurrency, worker.status, worker.healthy) == (6, "active", None)
    assert (worker.last_beat_at, snapshot.last_beat_age_s(worker)) == (None, None)
    low = snapshot.queue(QueueKey("low"))
    assert low is not None
    assert (low.paused, low.paused_at, low.counts.pending) == (True, 1795483923, 6)
    default = snapshot.queue(QueueKey("default"))
    assert default is not None
    assert default.groups == ("tenant:42", "tenant:7")
    assert default.counts == Counts(0, 1, 1, 4, 1, 5, 4)


async def test_both_writers_in_one_database(captures: Captures, reader_of: OpenReader) -> None:
    captures.load("asynq-01")
    taken_at = captures.load("runqy-07")
    reader = await reader_of(clock=frozen_at(taken_at))
    snapshot = await reader.overview()
    states = {worker.id: worker.state for worker in snapshot.workers}
    assert states == {worker: state for worker, (state, _) in WORKERS["runqy-07"].items()} | {
        ASYNQ: WorkerState.STALE
    }
    assert len(snapshot.queues) == 10
    assert snapshot.warnings == ()
    dialects = {queue.name: queue.dialect for queue in snapshot.queues}
    assert dialects["critical"] is Dialect.ASYNQ
    assert dialects["flaky.default"] is Dialect.RUNQY
