"""Rows take their trouble from the findings that are given, and from those nobody acknowledged."""

from __future__ import annotations

from runqy_tui.diagnosis.assessment import Condition, assess
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import QueueKey, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import queue, snapshot, waiting, worker

KEY = QueueKey("q")
WORKER, QUEUE = Subject(SubjectKind.WORKER, "w"), Subject(SubjectKind.QUEUE, "q", KEY)
SEEN = snapshot(
    workers=(worker("w", WorkerState.DEGRADED),),
    queues=(queue("q", counts=waiting(3)), queue("q", braced=False)),
)


def finding(
    subject: Subject, reason: str, severity: Severity = Severity.WARNING, known: bool = False
) -> Finding:
    return Finding("d", severity, subject, reason, "s", "n", acknowledged_at=1.0 if known else None)


def test_given_findings_are_all_that_counts() -> None:
    judged = run_to_end(assess(SEEN, ()))
    assert judged.workers["w"] == Condition(Severity.IDLE, "degraded")
    assert judged.queues[KEY] == Condition(Severity.BUSY)
    assert run_to_end(assess(SEEN)).queues[KEY] == Condition(Severity.CRITICAL, "no consumer")


def test_the_worst_finding_gives_severity_and_reason() -> None:
    several = [
        finding(QUEUE, "mild"),
        finding(QUEUE, "bad", Severity.CRITICAL),
        finding(WORKER, "other"),
    ]
    judged = run_to_end(assess(SEEN, several))
    assert judged.queues[KEY] == Condition(Severity.CRITICAL, "bad")
    assert judged.queues[QueueKey("q", braced=False)] == Condition(Severity.IDLE)
    assert judged.workers["w"] == Condition(Severity.WARNING, "other")


def test_a_tasks_finding_is_its_queues_trouble() -> None:
    judged = run_to_end(
        assess(SEEN, [finding(Subject(SubjectKind.TASK, "t-1", KEY), "2 orphaned")])
    )
    assert judged.queues[KEY] == Condition(Severity.WARNING, "2 orphaned")


def test_what_is_acknowledged_gives_way_and_stays_named() -> None:
    known = finding(QUEUE, "bad", Severity.CRITICAL, known=True)
    assert run_to_end(assess(SEEN, [known])).queues[KEY] == Condition(
        Severity.BUSY, "acknowledged: bad"
    )
    both = [known, finding(QUEUE, "mild")]
    assert run_to_end(assess(SEEN, both)).queues[KEY] == Condition(Severity.WARNING, "mild")


def test_what_ails_the_server_is_no_rows_trouble() -> None:
    redis = finding(Subject(SubjectKind.REDIS, "w"), "slow", Severity.CRITICAL)
    assert run_to_end(assess(SEEN, [redis])).tally(Severity.CRITICAL) == 0
