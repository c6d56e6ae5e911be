"""Queues that do not drain: one cause each, its consequences as evidence."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.diagnosis.findings.finding import Evidence, Finding
from runqy_tui.model import Counts, Dialect, QueueKey, Recovery, WorkerState
from runqy_tui.model.severity import Severity
from tests.support.builders import NOW, queue, waiting, worker
from tests.unit.diagnosis.findings.detector_contexts import found, names, past, sight

FINE = worker("fine:1", queues={"q.low": 1})
SICK = worker("sick:2", WorkerState.DEGRADED, healthy=False, queues={"q.low": 1})
BUSY = worker("busy:3", WorkerState.RECOVERING, recovery={"q": Recovery("recovering", 1)})
WORKERS = (FINE, SICK, BUSY)


def one(*consumers: str, **fields: Any) -> list[Finding]:
    """All that is said of one queue."""
    seen = sight(workers=WORKERS, queues=[queue("q.low", consumers=consumers, **fields)])
    spoken = [f for name in sorted(set(names(seen))) for f in found(seen, name)]
    return [finding for finding in spoken if finding.subject.queue is not None]


@pytest.mark.parametrize(
    ("consumers", "counts"),
    [
        ((), Counts(0, 0, 0, 0, 0, 0, 0)),
        ((), Counts()),
        (("fine:1",), waiting(5, 3)),
        (("fine:1", "sick:2"), waiting(5, 3)),
        (("sick:2",), Counts(0, 0, 0, 0, 5, 5, 0)),
        (("busy:3",), Counts(0, 2, 0, 2, 0, 0, 0)),
        (("unknown:9",), waiting(5)),
    ],
)
def test_queues_that_drain_or_are_empty(consumers: tuple[str, ...], counts: Counts) -> None:
    assert one(*consumers, counts=counts) == []


def test_no_consumer_names_those_who_left() -> None:
    left = worker("gpu-3:7", WorkerState.LOST, last_beat_at=NOW - 90, queues={"q.low": 1})
    other = worker("gpu-3:8", WorkerState.STOPPED, queues={"other": 1})
    alone = queue("q.low", counts=waiting(17), oldest_pending_age_s=4_000.0)
    (finding,) = found(sight(workers=[left, other], queues=[alone]), "queue-no-consumer")
    assert finding.severity is Severity.CRITICAL
    assert finding.id == "queue-no-consumer:q.low/q.low"
    assert finding.sentence == "q.low is not draining: no worker serves it (17 pending)"
    assert finding.next_step == (
        "start runqy-worker on gpu-3 again, or another worker that serves q.low"
    )
    assert [fact.key for fact in finding.evidence] == [
        "asynq:workers",
        "asynq:workers:gpu-3:7",
        "asynq:{q.low}:pending",
        "asynq:{q.low}:pending",
    ]
    assert finding.weight == 17.0


def test_consequences_are_folded_into_the_cause() -> None:
    polls = [
        sight(
            queues=[queue("q.low", counts=waiting(1_000 + at))],
            fields={"taken_at": NOW - 400 + at},
        ).snapshot
        for at in range(0, 401, 10)
    ]
    deep = queue("q.low", counts=Counts(1_400, 0, 0, 9, 0, 0, 0), oldest_pending_age_s=4_000.0,
                 next_retry_at=NOW - 500)  # fmt: skip
    seen = sight(queues=[deep], history=past(*polls))
    assert names(seen) == ["queue-no-consumer"]
    (finding,) = found(seen, "queue-no-consumer")
    facts = {(fact.key, fact.field): fact.value for fact in finding.evidence}
    assert facts[("asynq:{q.low}:pending", "length")] == "1,400"
    assert facts[("asynq:{q.low}:pending", "oldest")] == "1h 6m"
    assert facts[("asynq:{q.low}:pending", "growth")] == "60.0/min"
    assert facts[("asynq:{q.low}:retry", "first")] == "overdue 8m 20s"


def test_active_tasks_without_a_consumer() -> None:
    (finding,) = one(counts=waiting(0, 2))
    assert (finding.detector, finding.severity) == ("queue-no-consumer", Severity.WARNING)
    assert finding.reason == "active tasks, but no consumer"


def test_a_worker_whose_clock_is_behind_is_a_consumer() -> None:
    late = worker("late:1", WorkerState.STALE, clock_offset_s=-50.0, queues={"q.low": 1})
    seen = sight(workers=[late], queues=[queue("q.low", counts=waiting(5))])
    assert names(seen) == ["worker-clock-off"]


@pytest.mark.parametrize(
    ("consumers", "counts", "severity", "sentence"),
    [
        (
            ("sick:2",),
            Counts(4, 1, 0, 3, 0, 0, 0),
            Severity.CRITICAL,
            "1 of 1 consumer degraded (4 pending, 1 active, 3 in retry)",
        ),
        (
            ("sick:2",),
            Counts(0, 0, 0, 3, 0, 0, 0),
            Severity.CRITICAL,
            "1 of 1 consumer degraded (3 in retry)",
        ),
        (
            ("busy:3", "sick:2"),
            waiting(4),
            Severity.CRITICAL,
            "2 of 2 consumers degraded or recovering (4 pending)",
        ),
        (("busy:3",), waiting(4), Severity.WARNING, "1 of 1 consumer recovering (4 pending)"),
    ],
)
def test_only_unhealthy_consumers(
    consumers: tuple[str, ...], counts: Counts, severity: Severity, sentence: str
) -> None:
    (finding,) = one(*consumers, counts=counts, oldest_pending_age_s=9_000.0)
    assert finding.detector == "queue-unhealthy-consumers"
    assert finding.severity is severity
    assert finding.sentence == f"q.low is not draining: {sentence}"
    step = "restart runqy-worker on sick (pid 2)"
    assert finding.next_step.startswith(step if severity is Severity.CRITICAL else "wait for")


def test_each_parent_queue_has_a_process_of_its_own() -> None:
    recovery = {"crashy": Recovery("degraded", 3, 2), "flaky": Recovery("idle", 0, 0)}
    both = worker("gpu-4:1", WorkerState.DEGRADED, healthy=False, recovery=recovery)
    queues = [queue(f"{name}.default", counts=waiting(2), consumers=("gpu-4:1",))
              for name in ("crashy", "flaky", "oneshot")]  # fmt: skip
    seen = sight(workers=[both], queues=queues)
    spoken = found(seen, "queue-unhealthy-consumers")
    assert [finding.subject.name for finding in spoken] == ["crashy.default"]
    assert Evidence("asynq:workers:gpu-4:1", "recovery", "crashy: degraded") in spoken[0].evidence


@pytest.mark.parametrize(
    ("dialect", "pending", "reason"),
    [
        (Dialect.ASYNQ, 6, "paused"),
        (Dialect.ASYNQ, 0, None),
        (None, 6, "paused"),
        (None, 0, None),
        (Dialect.RUNQY, 6, "paused, but runqy workers ignore it"),
        (Dialect.RUNQY, 0, "paused, but runqy workers ignore it"),
        (Dialect.MIXED, 6, "paused, but runqy workers ignore it"),
    ],
)
def test_paused(dialect: Dialect | None, pending: int, reason: str | None) -> None:
    spoken = one(
        "fine:1", counts=waiting(pending), dialect=dialect, paused=True, paused_at=NOW - 60
    )
    assert [finding.reason for finding in spoken] == ([] if reason is None else [reason])
    for finding in spoken:
        assert finding.detector == "queue-paused"
        assert (finding.since, finding.since_known) == (NOW - 60, True)
        assert finding.evidence[0] == Evidence("asynq:{q.low}:paused", "", f"{NOW - 60:.0f}")


def test_an_obeyed_pause_is_the_cause_of_the_wait() -> None:
    (finding,) = one(
        "fine:1", counts=waiting(2_000), dialect=Dialect.ASYNQ, paused=True,
        oldest_pending_age_s=900.0,
    )  # fmt: skip
    assert finding.sentence == "q.low is not draining: paused (2,000 pending)"


def test_braceless() -> None:
    (finding,) = one(counts=waiting(2), braced=False, dialect=Dialect.DOCUMENTED)
    assert (finding.detector, finding.severity) == ("queue-braceless", Severity.WARNING)
    assert finding.sentence == (
        "2 pending tasks in asynq:q.low:pending, a key that no runqy worker reads"
    )
    assert finding.subject.queue == QueueKey("q.low", braced=False)
    assert one("fine:1", counts=waiting(2), braced=False, dialect=Dialect.DOCUMENTED) == []


def test_unregistered() -> None:
    (finding,) = one("fine:1", counts=Counts(0, 0, 0, 0, 3, 0, 0), registered=False)
    assert finding.detector == "queue-unregistered"
    assert finding.sentence.startswith("q.low holds 3 tasks but is not in asynq:queues")
    assert one("fine:1", registered=False) == []
    (alone,) = one(counts=waiting(3), registered=False)
    assert alone.detector == "queue-no-consumer"
    assert Evidence("asynq:queues", "q.low", "not a member") in alone.evidence
