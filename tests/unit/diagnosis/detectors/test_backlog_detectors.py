"""Queues that fall behind, fail, throw away, or keep what is due."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.diagnosis.findings.detector_context import DetectorContext, Thresholds
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import Counts, Dialect, Queue, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import History
from tests.support.builders import NOW, queue, snapshot, waiting, worker
from tests.unit.diagnosis.findings.detector_contexts import found, names, past, sight

HERE = worker("gpu-1:1", concurrency=4, queues={"q.low": 1})


def seen(*queues: Queue, history: History | None = None, workers: tuple[Worker, ...] = (HERE,),
         **more: Any) -> DetectorContext:  # fmt: skip
    return sight(workers=workers, queues=queues, history=history, **more)


def served(**fields: Any) -> Queue:
    fields.setdefault("consumers", ("gpu-1:1",))
    return queue("q.low", **fields)


def lately(
    pending: tuple[int, int], *, done: int | None = 0, failed: int = 0, over: int = 400
) -> History:
    """Polls each 10 s in which these numbers rose evenly; the last poll is the present one."""
    polls = []
    for at in range(0, over + 1, 10):
        share = at / over
        waits = round(pending[0] + (pending[1] - pending[0]) * share)
        one = served(
            counts=waiting(waits),
            succeeded_total=None if done is None else 1_000 + round(done * share),
            failed_total=50 + round(failed * share),
        )
        polls.append(snapshot(queues=(one,), taken_at=NOW - over + at))
    return past(*polls)


def only(one: DetectorContext, detector: str) -> Finding:
    (finding,) = found(one, detector)
    return finding


def test_old_pending_tells_since_when_and_what_would_help() -> None:
    busy = served(
        counts=waiting(812, 4), oldest_pending_since=NOW - 840, oldest_pending_age_s=840.0
    )
    finding = only(seen(busy, history=lately((600, 812))), "queue-old-pending")
    assert finding.severity is Severity.WARNING
    assert finding.reason == "oldest pending 14m"
    assert finding.sentence == "q.low: oldest pending 14m, 812 pending, growing 32/min"
    assert finding.next_step == "add workers: 1 consumer, all 4 slots busy"
    assert (finding.since, finding.since_known, finding.weight) == (NOW - 840, True, 812.0)


def test_pending_that_is_young_enough_is_no_finding() -> None:
    assert names(seen(served(counts=waiting(9), oldest_pending_age_s=300.0))) == []
    assert names(seen(served(counts=waiting(9), oldest_pending_age_s=None))) == []


def test_the_next_step_for_a_queue_that_drains_is_patience() -> None:
    draining = served(counts=waiting(100), oldest_pending_age_s=900.0)
    finding = only(seen(draining, history=lately((500, 100))), "queue-old-pending")
    assert finding.next_step == "wait: it empties in ~1m at the present rate"


def test_the_next_step_is_a_restart_where_one_of_the_consumers_is_sick() -> None:
    ill = worker("gpu-9:2", WorkerState.DEGRADED, healthy=False)
    both = served(counts=waiting(9), oldest_pending_age_s=900.0, consumers=("gpu-1:1", "gpu-9:2"))
    finding = only(seen(both, workers=(HERE, ill)), "queue-old-pending")
    assert finding.next_step == ("restart runqy-worker on gpu-9 (pid 2): 1 of 2 consumers degraded")


def test_deep_is_told_once_and_not_beside_an_old_one() -> None:
    finding = only(seen(served(counts=waiting(1_000))), "queue-deep")
    assert (finding.reason, finding.since) == ("1,000 pending", None)
    assert finding.next_step == (
        "add workers, or find out what they wait for: 1 consumer with 4 slots, 0 active"
    )
    assert names(seen(served(counts=waiting(999)))) == []
    assert names(seen(served(counts=waiting(5_000), oldest_pending_age_s=900.0))) == [
        "queue-old-pending"
    ]


def test_growing_needs_time_and_tasks() -> None:
    def sentences(pending: tuple[int, int], over: int) -> list[str]:
        now = served(counts=waiting(pending[1]))
        return names(seen(now, history=lately(pending, over=over)))

    assert sentences((10, 210), 400) == ["queue-growing"]
    assert sentences((10, 210), 200) == []
    assert sentences((10, 12), 400) == []
    assert sentences((210, 10), 400) == []
    assert sentences((210, 210), 400) == []


def test_growing_is_told_per_minute() -> None:
    now = served(counts=waiting(210))
    finding = only(seen(now, history=lately((10, 210))), "queue-growing")
    assert finding.sentence == "q.low: 210 pending, growing 30/min"


@pytest.mark.parametrize(
    ("dialect", "archived", "expected"),
    [
        (Dialect.ASYNQ, 10_000, True),
        (Dialect.MIXED, 10_001, True),
        (Dialect.ASYNQ, 9_999, False),
        (Dialect.RUNQY, 50_000, False),
        (None, 50_000, False),
        (Dialect.ASYNQ, None, False),
    ],
)
def test_archive_cap(dialect: Dialect | None, archived: int | None, expected: bool) -> None:
    full = served(counts=Counts(0, 0, 0, 0, archived, 0, 0), dialect=dialect)
    assert names(seen(full)) == (["queue-archive-cap"] if expected else [])


def test_failing_by_the_counters_alone_where_nothing_is_stored() -> None:
    now = served(counts=Counts(0, 0, 0, 0, 0, 0, 0))
    finding = only(seen(now, history=lately((0, 0), done=24, failed=16)), "queue-failing")
    assert finding.reason == "40% failed"
    assert finding.sentence == "q.low: 12 of 30 tasks failed permanently in the last 5m"
    assert finding.next_step == (
        "read the log of worker gpu-1:1; failed tasks are not stored (redis_storage is off)"
    )
    assert finding.evidence[0].value == "+12"


def test_failing_in_asynq_counts_tries() -> None:
    now = served(dialect=Dialect.ASYNQ, counts=Counts(0, 0, 0, 2, 0, 0, 0))
    finding = only(seen(now, history=lately((0, 0), done=24, failed=16, over=120)), "queue-failing")
    assert finding.sentence == "q.low: 16 of 40 attempts failed in the last 2m"
    assert finding.next_step == "review the errors of q.low"


@pytest.mark.parametrize(
    ("done", "failed"),
    [(0, 0), (400, 5), (0, 4), (None, 400), (85, 20)],
)
def test_not_failing(done: int | None, failed: int) -> None:
    """No failures, a small share, too few to tell, or nobody knows of how many."""
    assert found(seen(served(), history=lately((0, 0), done=done, failed=failed)),
                 "queue-failing") == []  # fmt: skip


def test_one_poll_proves_no_failure() -> None:
    old = served(failed_total=50_000, succeeded_total=1)
    assert names(seen(old, history=past(snapshot(queues=(old,))))) == []


@pytest.mark.parametrize(
    ("fields", "ending", "step"),
    [
        ({}, "nothing forwards them, although it has consumers", "restart one of its workers"),
        (
            {"consumers": ()},
            "nothing forwards them, no worker serves it",
            "start a worker that serves q.low: it forwards them",
        ),
    ],
)
def test_stuck_retries(fields: dict[str, Any], ending: str, step: str) -> None:
    stuck = served(counts=Counts(0, 0, 0, 7, 0, 0, 0), next_retry_at=NOW - 600, **fields)
    finding = only(seen(stuck), "queue-stuck-retries")
    assert finding.reason == "retries overdue by 10m"
    assert finding.sentence.endswith(ending)
    assert finding.next_step.startswith(step)
    assert (finding.since, finding.since_known, finding.weight) == (NOW - 600, True, 7.0)
    assert finding.evidence[0].value == f"{NOW - 600:.0f} (lowest of 7)"


@pytest.mark.parametrize("due", [None, NOW - 60, NOW, NOW + 500])
def test_retries_and_scheduled_tasks_in_time(due: float | None) -> None:
    calm = served(counts=Counts(0, 0, 3, 7, 0, 0, 0), next_retry_at=due, next_scheduled_at=due)
    assert names(seen(calm)) == []


@pytest.mark.parametrize(
    ("dialect", "why"),
    [
        (Dialect.RUNQY, "runqy workers never forward them"),
        (Dialect.ASYNQ, "no asynq program forwards them"),
        (None, "nothing forwards them"),
    ],
)
def test_past_due_scheduled(dialect: Dialect | None, why: str) -> None:
    due = served(counts=Counts(0, 0, 2, 0, 0, 0, 0), dialect=dialect, next_scheduled_at=NOW - 3_600)
    finding = only(seen(due), "queue-past-due-scheduled")
    assert finding.reason == "scheduled tasks overdue by 1h"
    assert finding.sentence.endswith(f": {why}")
    assert (finding.since, finding.since_known) == (NOW - 3_600, True)


def test_thresholds_decide() -> None:
    one = served(counts=waiting(20), oldest_pending_age_s=100.0)
    strict = Thresholds(oldest_pending_s=60, depth=10)
    assert names(seen(one, thresholds=strict)) == ["queue-old-pending"]
