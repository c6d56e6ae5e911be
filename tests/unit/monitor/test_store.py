"""What the front ends show: data that outlives a lost link, a still screen."""

from __future__ import annotations

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import QueueKey, Snapshot, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.poller import PollResult
from runqy_tui.monitor.store import ConnectionState, Rates, Store
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.observation.history import Trend
from tests.support.builders import NOW, queue, snapshot, worker

KEY = QueueKey("q")


def feed(store: Store, at: float, done_per_s: float | None = None) -> PollResult:
    """One good poll ``at`` seconds after the start, diagnosed where a rate is given."""
    seen = snapshot(queues=(queue("q"),), taken_at=NOW + at)
    known = None if done_per_s is None else diagnosis(seen, done_per_s)
    result = PollResult(at=100 + at, snapshot=seen, diagnosis=known)
    store.apply(result)
    return result


def diagnosis(seen: Snapshot, done_per_s: float) -> Diagnosis:
    return Diagnosis(
        snapshot=seen,
        findings=(
            Finding("a-detector", Severity.WARNING, Subject(SubjectKind.QUEUE, "q"), "r", "s", "n"),
        ),
        trends={KEY: Trend(2.0, done_per_s, 0.25)},
        durations={KEY: ObservedDurations(1.0, 2.0, 3.0, 4, 2.0)},
    )


def lose(store: Store, at: float, failures: int = 1) -> None:
    store.apply(PollResult(at=100 + at, error="gone", failures=failures, retry_in_s=0.5))


def rates(store: Store) -> Rates | None:
    return store.view.rates.get(KEY)


def test_before_the_first_poll_nothing_is_known() -> None:
    view = Store().view
    assert (view.snapshot, view.link, view.error) == (None, ConnectionState.CONNECTING, None)
    assert dict(view.rates) == {}
    assert view.assessment.tally(Severity.CRITICAL) == 0


def test_a_poll_without_a_diagnosis_has_none() -> None:
    store = Store()
    feed(store, 0)
    assert store.view.received_at == 100
    assert store.view.findings == ()
    assert [*store.view.trends, *store.view.durations, *store.view.rates] == []


def test_the_diagnosis_is_part_of_the_view() -> None:
    store = Store()
    known = feed(store, 0, 5.0).diagnosis
    assert known is not None
    view = store.view
    assert view.findings is known.findings
    assert view.trends is known.trends
    assert view.durations is known.durations
    found = rates(store)
    assert found is not None
    assert (found.done_per_s, found.failed_per_s) == (5.0, 0.25)
    feed(store, 2)
    assert store.view.findings == ()


def test_a_lost_link_keeps_the_data_and_its_age() -> None:
    store = Store()
    feed(store, 0)
    feed(store, 2, 5.0)
    good = store.view
    lose(store, 5, failures=1)
    lose(store, 6, failures=2)
    view = store.view
    assert (view.link, view.error, view.failures) == (ConnectionState.LOST, "gone", 2)
    assert view.retry_at == 106.5
    assert view.snapshot is good.snapshot
    assert view.assessment is good.assessment
    assert (view.received_at, dict(view.rates)) == (102, dict(good.rates))
    assert view.findings is good.findings
    feed(store, 8, 8.75)
    back = store.view
    assert (back.link, back.error, back.failures, back.retry_at) == (
        ConnectionState.LIVE,
        None,
        0,
        None,
    )
    assert store.view.trends[KEY].done_per_s == 8.75


def test_a_link_that_never_was() -> None:
    store = Store()
    lose(store, 0)
    assert (store.view.link, store.view.snapshot, store.view.error) == (
        ConnectionState.LOST,
        None,
        "gone",
    )


def test_a_failure_without_a_next_try() -> None:
    store = Store()
    store.apply(PollResult(at=1.0, error="gone", failures=1))
    assert store.view.retry_at is None


def test_a_frozen_screen_stands_still_while_polling_goes_on() -> None:
    store = Store()
    store.freeze()
    assert not store.frozen  # there is nothing yet to hold
    feed(store, 0, 1.0)
    store.freeze()
    assert store.frozen
    held = store.view
    assert held.frozen_at == NOW
    feed(store, 2, 5.0)
    assert store.view is held
    store.thaw()
    assert not store.frozen
    assert store.view is store.live
    assert store.view.frozen_at is None
    assert store.view.trends[KEY].done_per_s == 5.0
    store.thaw()
    assert store.view is store.live


def test_a_lost_connection_shows_through_a_frozen_screen() -> None:
    store = Store()
    feed(store, 0, 1.0)
    store.freeze()
    held = store.view
    lose(store, 4)
    shown = store.view
    assert (shown.link, shown.error, shown.failures) == (ConnectionState.LOST, "gone", 1)
    assert (shown.snapshot, shown.frozen_at) == (held.snapshot, NOW)
    feed(store, 6, 5.0)
    assert store.view.link is ConnectionState.LIVE
    assert (store.view.error, store.view.snapshot) == (None, held.snapshot)


def test_every_poll_is_judged_once() -> None:
    store = Store()
    sick = snapshot(workers=(worker(state=WorkerState.DEGRADED),))
    store.apply(PollResult(at=0.0, snapshot=sick))
    assert store.view.assessment.tally(Severity.CRITICAL) == 1
