"""What the front ends show: honest rates, data that outlives a lost link, a still screen."""

from __future__ import annotations

import pytest

from runqy_tui.model import QueueKey, WorkerState
from runqy_tui.poller import PollResult
from runqy_tui.severity import Severity
from runqy_tui.store import RATE_WINDOW_S, Link, Rates, Store
from tests.unit.core.builders import NOW, queue, snapshot, worker

KEY = QueueKey("q")


def feed(
    store: Store,
    at: float,
    done: int | None = 0,
    failed: int | None = 0,
    name: str = "q",
) -> None:
    """One good poll ``at`` seconds after the start."""
    one = queue(name, succeeded_total=done, failed_total=failed)
    seen = snapshot(queues=(one,), taken_at=NOW + at)
    store.apply(PollResult(at=100 + at, snapshot=seen))


def lose(store: Store, at: float, failures: int = 1) -> None:
    store.apply(PollResult(at=100 + at, error="gone", failures=failures, retry_in_s=0.5))


def rates(store: Store) -> Rates | None:
    return store.view.rates.get(KEY)


def test_before_the_first_poll_nothing_is_known() -> None:
    view = Store().view
    assert (view.snapshot, view.link, view.error) == (None, Link.CONNECTING, None)
    assert dict(view.rates) == {}
    assert view.assessment.tally(Severity.CRITICAL) == 0


def test_one_poll_has_no_rate() -> None:
    store = Store()
    feed(store, 0, 1_000_000, 50)
    assert rates(store) is None
    assert store.view.received_at == 100


def test_rates_are_counter_deltas_per_second_of_redis() -> None:
    store = Store()
    feed(store, 0, 100, 7)
    feed(store, 4, 120, 8)
    assert rates(store) == Rates(5.0, 0.25)


def test_rates_are_means_over_the_window() -> None:
    store = Store()
    for second in range(0, 61, 2):
        feed(store, second, 10 * second if second < 40 else 400)
    # The window's 20 seconds and the sample that begins it saw no change since second 40.
    assert rates(store) == Rates(0.0, 0.0)
    assert RATE_WINDOW_S == 20


def test_memory_is_bounded_however_short_the_interval() -> None:
    store = Store()
    for tick in range(1000):
        feed(store, tick * 0.05, tick)
    assert len(store._samples) <= 64
    found = rates(store)
    assert found is not None
    assert found.done_per_s == pytest.approx(20.0)


def test_a_counter_that_fell_has_no_rate_until_it_grows_again() -> None:
    store = Store()
    feed(store, 0, 5000, 40)
    feed(store, 2, 5010, 40)
    feed(store, 4, 3, 41)
    assert rates(store) == Rates(None, 0.25)
    for second in range(6, 40, 2):
        feed(store, second, 3 + second, 41)
        found = rates(store)
        assert found is not None
        assert found.done_per_s is None or 0 <= found.done_per_s <= 2
    assert found == Rates(1.0, 0.0)


def test_unknown_counters_have_unknown_rates() -> None:
    store = Store()
    feed(store, 0, None, 1)
    feed(store, 2, 500, 2)
    assert rates(store) == Rates(None, 0.5)
    feed(store, 4, None, None)
    assert rates(store) == Rates(None, None)


def test_a_gap_between_polls_makes_no_spike() -> None:
    store = Store()
    for second in range(0, 22, 2):
        feed(store, second, 10 * second)
    lose(store, 30)
    for second in (3620, 3622, 3624):
        feed(store, second, 10 * second)
        found = rates(store)
        assert found is not None
        assert found.done_per_s == pytest.approx(10.0)


@pytest.mark.parametrize("later", [-3600.0, -0.5, 0.0])
def test_a_clock_that_goes_back_forgets_the_rates(later: float) -> None:
    store = Store()
    feed(store, 0, 10)
    feed(store, 2, 20)
    feed(store, 2 + later, 30)
    assert rates(store) is None
    feed(store, 4 + later, 40)
    assert rates(store) == Rates(5.0, 0.0)


def test_a_queue_that_appears_or_goes_has_no_rate() -> None:
    store = Store()
    feed(store, 0, 900, name="other")
    feed(store, 2, 900)
    assert dict(store.view.rates) == {}
    feed(store, 4, 904)
    feed(store, 6, 0, name="other")
    assert KEY not in store.view.rates


def test_a_lost_link_keeps_the_data_and_its_age() -> None:
    store = Store()
    feed(store, 0, 10)
    feed(store, 2, 20)
    good = store.view
    lose(store, 5, failures=1)
    lose(store, 6, failures=2)
    view = store.view
    assert (view.link, view.error, view.failures) == (Link.LOST, "gone", 2)
    assert view.retry_at == 106.5
    assert view.snapshot is good.snapshot
    assert view.assessment is good.assessment
    assert (view.received_at, dict(view.rates)) == (102, dict(good.rates))
    feed(store, 8, 80)
    back = store.view
    assert (back.link, back.error, back.failures, back.retry_at) == (Link.LIVE, None, 0, None)
    assert rates(store) == Rates(8.75, 0.0)


def test_a_link_that_never_was() -> None:
    store = Store()
    lose(store, 0)
    assert (store.view.link, store.view.snapshot, store.view.error) == (Link.LOST, None, "gone")


def test_a_failure_without_a_next_try() -> None:
    store = Store()
    store.apply(PollResult(at=1.0, error="gone", failures=1))
    assert store.view.retry_at is None


def test_a_frozen_screen_stands_still_while_polling_goes_on() -> None:
    store = Store()
    store.freeze()
    assert not store.frozen  # there is nothing yet to hold
    feed(store, 0, 10)
    store.freeze()
    assert store.frozen
    held = store.view
    assert held.frozen_at == NOW
    feed(store, 2, 20)
    lose(store, 4)
    assert store.view is held
    assert store.live.link is Link.LOST
    store.thaw()
    assert not store.frozen
    assert store.view is store.live
    assert store.view.frozen_at is None
    assert rates(store) == Rates(5.0, 0.0)
    store.thaw()
    assert store.view is store.live


def test_every_poll_is_judged_once() -> None:
    store = Store()
    sick = snapshot(workers=(worker(state=WorkerState.DEGRADED),))
    store.apply(PollResult(at=0.0, snapshot=sick))
    assert store.view.assessment.tally(Severity.CRITICAL) == 1
