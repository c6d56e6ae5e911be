"""How bad a queue's state is: what waits, who is there to take it, what a pause means."""

from __future__ import annotations

import pytest

from runqy_tui.diagnosis.assessment import Condition, assess
from runqy_tui.diagnosis.findings.detector_context import Thresholds
from runqy_tui.model import Counts, Dialect, QueueKey, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import queue, snapshot, waiting, worker

OLD_PENDING_S = Thresholds().oldest_pending_s
FINE, SICK, RESTARTING = "fine", "sick", "restarting"
WORKERS = {
    FINE: worker(FINE),
    SICK: worker(SICK, WorkerState.DEGRADED),
    RESTARTING: worker(RESTARTING, WorkerState.RECOVERING),
}


def judge(
    *consumers: str,
    counts: Counts | None = None,
    dialect: Dialect | None = Dialect.RUNQY,
    braced: bool = True,
    paused: bool = False,
    age: float | None = None,
) -> Condition:
    one = queue(
        counts=counts,
        dialect=dialect,
        braced=braced,
        paused=paused,
        oldest_pending_age_s=age,
        consumers=consumers,
    )
    return run_to_end(assess(snapshot(workers=tuple(WORKERS.values()), queues=(one,)))).queues[
        one.key
    ]


@pytest.mark.parametrize(
    ("consumers", "counts", "severity"),
    [
        ((FINE,), Counts(0, 0, 0, 0, 0, 0, 0), Severity.FINE),
        ((), Counts(0, 0, 0, 0, 0, 0, 0), Severity.IDLE),
        ((), Counts(), Severity.IDLE),
        ((FINE,), waiting(5), Severity.BUSY),
        ((FINE,), waiting(0, active=1), Severity.BUSY),
        ((FINE,), Counts(0, 0, 4, 4, 4, 4, 4), Severity.FINE),
    ],
)
def test_a_quiet_queue(consumers: tuple[str, ...], counts: Counts, severity: Severity) -> None:
    assert judge(*consumers, counts=counts) == Condition(severity)


def test_waiting_tasks_that_nobody_takes() -> None:
    assert judge(counts=waiting()) == Condition(Severity.CRITICAL, "no consumer")


def test_active_tasks_that_nobody_holds() -> None:
    judged = judge(counts=waiting(0, active=2))
    assert judged == Condition(Severity.WARNING, "active tasks, but no consumer")


def test_waiting_in_a_list_that_no_worker_reads() -> None:
    judged = judge(counts=waiting(), dialect=Dialect.DOCUMENTED, braced=False)
    assert judged.severity is Severity.WARNING
    assert judged.reason == "key without braces, not read by runqy workers"
    served = judge(FINE, counts=waiting(), dialect=Dialect.DOCUMENTED, braced=False)
    assert served == Condition(Severity.BUSY)


@pytest.mark.parametrize(
    ("consumers", "severity", "reason"),
    [
        ((SICK,), Severity.CRITICAL, "1 of 1 consumer degraded"),
        ((SICK, RESTARTING), Severity.CRITICAL, "2 of 2 consumers degraded or recovering"),
        ((RESTARTING,), Severity.WARNING, "1 of 1 consumer recovering"),
        ((SICK, FINE), Severity.BUSY, ""),
        (("unknown",), Severity.BUSY, ""),
        (("unknown", SICK), Severity.CRITICAL, "1 of 1 consumer degraded"),
    ],
)
def test_sick_consumers_count_where_no_other_is_left(
    consumers: tuple[str, ...], severity: Severity, reason: str
) -> None:
    assert judge(*consumers, counts=waiting()) == Condition(severity, reason)


def test_sick_consumers_of_an_empty_queue_are_the_workers_trouble() -> None:
    assert judge(SICK) == Condition(Severity.FINE)


@pytest.mark.parametrize(
    ("age", "severity", "reason"),
    [
        (OLD_PENDING_S + 1, Severity.WARNING, "oldest pending 5m"),
        (OLD_PENDING_S, Severity.BUSY, ""),
        (None, Severity.BUSY, ""),
    ],
)
def test_an_old_pending_task(age: float | None, severity: Severity, reason: str) -> None:
    assert judge(FINE, counts=waiting(), age=age) == Condition(severity, reason)


@pytest.mark.parametrize(
    ("dialect", "pending", "severity", "reason"),
    [
        (Dialect.RUNQY, 1, Severity.WARNING, "paused, but runqy workers ignore it"),
        (Dialect.RUNQY, 0, Severity.WARNING, "paused, but runqy workers ignore it"),
        (Dialect.MIXED, 1, Severity.WARNING, "paused, but runqy workers ignore it"),
        (Dialect.MIXED, 0, Severity.WARNING, "paused, but runqy workers ignore it"),
        (Dialect.ASYNQ, 1, Severity.WARNING, "paused"),
        (Dialect.ASYNQ, 0, Severity.FINE, ""),
        (Dialect.DOCUMENTED, 1, Severity.WARNING, "paused"),
        (None, 1, Severity.WARNING, "paused"),
        (None, 0, Severity.FINE, ""),
    ],
)
def test_a_pause_means_what_the_consumers_make_of_it(
    dialect: Dialect | None, pending: int, severity: Severity, reason: str
) -> None:
    judged = judge(FINE, counts=waiting(pending), dialect=dialect, paused=True)
    assert judged == Condition(severity, reason)


def test_what_is_worst_is_said() -> None:
    """No consumer, then sick ones, then an obeyed pause, then age, then a pause nobody obeys."""
    old = OLD_PENDING_S * 2
    asynq, runqy = Dialect.ASYNQ, Dialect.RUNQY
    texts = [
        judge(counts=waiting(), dialect=asynq, paused=True, age=old).reason,
        judge(SICK, counts=waiting(), dialect=asynq, paused=True, age=old).reason,
        judge(FINE, counts=waiting(), dialect=asynq, paused=True, age=old).reason,
        judge(FINE, counts=waiting(), dialect=runqy, paused=True, age=old).reason,
        judge(FINE, counts=waiting(), dialect=runqy, paused=True).reason,
    ]
    assert texts == [
        "no consumer",
        "1 of 1 consumer degraded",
        "paused",
        "oldest pending 10m",
        "paused, but runqy workers ignore it",
    ]


def test_a_snapshot_is_judged_whole_and_told_apart_by_key() -> None:
    seen = snapshot(
        workers=(*WORKERS.values(), worker("gone", WorkerState.STOPPED)),
        queues=(
            queue("a", counts=waiting(), consumers=(FINE,)),
            queue("a", counts=waiting(), braced=False, dialect=Dialect.DOCUMENTED),
            queue("b", counts=waiting()),
        ),
    )
    judged = run_to_end(assess(seen))
    assert set(judged.workers) == {FINE, SICK, RESTARTING, "gone"}
    assert judged.queues[QueueKey("a")].severity is Severity.BUSY
    assert judged.queues[QueueKey("a", braced=False)].severity is Severity.WARNING
    tally = {severity: judged.tally(severity) for severity in Severity}
    assert tally == {
        Severity.IDLE: 1,
        Severity.FINE: 1,
        Severity.BUSY: 1,
        Severity.WARNING: 2,
        Severity.CRITICAL: 2,
    }
