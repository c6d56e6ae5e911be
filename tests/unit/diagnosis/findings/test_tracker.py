"""Since when, for how long after it vanished, and until when an acknowledgement holds."""

from __future__ import annotations

import pytest

from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.tracker import FORGET_AFTER_S, FindingTracker
from runqy_tui.model import QueueKey
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end

T = 1_000.0


def finding(
    name: str = "w",
    severity: Severity = Severity.WARNING,
    weight: float = 1.0,
    since: float | None = None,
) -> Finding:
    subject = Subject(SubjectKind.WORKER, name)
    return Finding(
        "d", severity, subject, "r", "s", "n", weight=weight, since=since,
        since_known=since is not None,
    )  # fmt: skip


def only(
    tracker: FindingTracker, now: float, one: Finding | None = None, first: bool = False
) -> Finding:
    (tracked,) = run_to_end(tracker.update([one or finding()], now, first))
    return tracked


def test_since_is_the_first_sight() -> None:
    tracker = FindingTracker()
    assert run_to_end(tracker.update([], T, True)) == ()
    assert (only(tracker, T + 2).since, only(tracker, T + 60).since) == (T + 2, T + 2)
    assert not only(tracker, T + 60).before_start


def test_what_was_there_at_the_first_poll_may_be_older() -> None:
    tracker = FindingTracker()
    assert only(tracker, T, first=True).before_start
    later = only(tracker, T + 60)
    assert (later.since, later.before_start) == (T, True)


def test_a_since_from_the_data_stays() -> None:
    tracked = only(FindingTracker(), T, finding(since=T - 500), first=True)
    assert (tracked.since, tracked.since_known, tracked.before_start) == (T - 500, True, False)


def test_flapping_keeps_its_since_and_longer_absence_does_not() -> None:
    tracker = FindingTracker()
    only(tracker, T)
    for at in (2, 4, FORGET_AFTER_S):
        run_to_end(tracker.update([], T + at))
    assert only(tracker, T + FORGET_AFTER_S).since == T
    for at in (12, 14, 16, 18, 20, 22):
        run_to_end(tracker.update([], T + at))
    assert only(tracker, T + 24).since == T + 24


def test_absence_is_over_when_it_was_too_long_in_between() -> None:
    tracker = FindingTracker()
    only(tracker, T)
    run_to_end(tracker.update([], T + 5))
    assert only(tracker, T + 11).since == T + 11


def test_a_pause_in_polling_is_no_absence() -> None:
    tracker = FindingTracker()
    only(tracker, T)
    assert only(tracker, T + 300).since == T


def test_memory_does_not_grow_with_what_is_over() -> None:
    tracker = FindingTracker()
    for at in range(500):
        run_to_end(tracker.update([finding(f"w{at}")], T + at))
    assert len(tracker._known) <= FORGET_AFTER_S + 1


def test_acknowledged_with_its_time() -> None:
    tracker = FindingTracker()
    only(tracker, T)
    assert tracker.acknowledge("d:w", T + 5)
    assert not tracker.acknowledge("d:unknown", T + 5)
    assert only(tracker, T + 6).acknowledged_at == T + 5


@pytest.mark.parametrize(
    ("before", "after", "returns"),
    [
        ((Severity.WARNING, 10.0), (Severity.CRITICAL, 10.0), True),
        ((Severity.WARNING, 10.0), (Severity.WARNING, 20.0), True),
        ((Severity.WARNING, 10.0), (Severity.WARNING, 19.0), False),
        ((Severity.CRITICAL, 10.0), (Severity.WARNING, 10.0), False),
        ((Severity.WARNING, 0.0), (Severity.WARNING, 0.0), False),
        ((Severity.WARNING, 0.0), (Severity.WARNING, 1.0), True),
    ],
)
def test_what_gets_worse_returns(
    before: tuple[Severity, float], after: tuple[Severity, float], returns: bool
) -> None:
    tracker = FindingTracker()
    only(tracker, T, finding("w", *before))
    tracker.acknowledge("d:w", T)
    tracked = only(tracker, T + 2, finding("w", *after))
    assert (tracked.acknowledged_at is None) is returns
    assert only(tracker, T + 4, finding("w", *before)).acknowledged_at == tracked.acknowledged_at


def test_an_acknowledgement_ends_with_its_finding() -> None:
    tracker = FindingTracker()
    only(tracker, T)
    tracker.acknowledge("d:w", T)
    run_to_end(tracker.update([], T + 20))
    assert only(tracker, T + 22).acknowledged_at is None


def test_tasks_of_a_queue_stay_one_finding_when_the_example_changes() -> None:
    def orphan(task_id: str) -> Finding:
        subject = Subject(SubjectKind.TASK, task_id, QueueKey("q"))
        return Finding("task-orphaned", Severity.WARNING, subject, "r", "s", "n")

    tracker = FindingTracker()
    first = only(tracker, T, orphan("a"))
    tracker.acknowledge(first.id, T + 1)
    second = only(tracker, T + 2, orphan("b"))
    assert (second.since, second.acknowledged_at) == (T, T + 1)


def test_the_most_urgent_comes_first_by_its_tracked_since() -> None:
    tracker = FindingTracker()
    only(tracker, T, finding("z"))
    tracked = run_to_end(
        tracker.update([finding("a"), finding("z"), finding("c", Severity.CRITICAL)], T + 5)
    )
    assert [one.subject.name for one in tracked] == ["c", "z", "a"]
