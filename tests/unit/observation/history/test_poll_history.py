"""Rates and trends: right where polls tell, silent where they do not, never absurd."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.model import Dialect, QueueKey
from runqy_tui.observation.history import RATE_WINDOW_S, History, Trend
from runqy_tui.observation.history.poll_history import ResettableCounter
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW
from tests.support.polls import KEY, poll


def fed(*polls: tuple[float, dict[str, Any]]) -> History:
    history = History()
    for at, counts in polls:
        run_to_end(history.observe(poll(at, **counts)))
    return history


def test_before_the_first_poll_and_after_one_nothing_is_known() -> None:
    history = History()
    assert (history.started_at, history.trend(KEY)) == (None, Trend())
    assert history.increase(KEY, "done", 60) is None
    run_to_end(history.observe(poll(0, done=1_000_000, failed=50, pending=7)))
    assert (history.started_at, history.trend(KEY)) == (NOW, Trend())
    assert history.increase(KEY, "done", 60) is None
    assert history.trend(QueueKey("other")) == Trend()


def test_rates_are_deltas_per_second_of_redis() -> None:
    trend = fed((0, {"done": 100, "failed": 7}), (4, {"done": 120, "failed": 8})).trend(KEY)
    assert (trend.over_s, trend.done_per_s, trend.failed_per_s) == (4, 5.0, 0.25)


def test_rates_are_means_over_the_window() -> None:
    history = History()
    for second in range(0, 61, 2):
        run_to_end(history.observe(poll(second, done=10 * min(second, 40))))
    assert RATE_WINDOW_S == 20
    assert history.trend(KEY).done_per_s == 0
    assert history.trend(KEY, over_s=40).done_per_s == 5
    assert history.increase(KEY, "done", 40) == 200


def test_a_counter_that_fell_counts_anew_and_makes_no_spike() -> None:
    history = fed((0, {"done": 5000}), (2, {"done": 5010}), (4, {"done": 3}))
    assert history.trend(KEY).done_per_s == pytest.approx(13 / 4)
    assert history.increase(KEY, "done", 60) == 13


def carried_on(values: list[int | None]) -> list[float]:
    counter = ResettableCounter()
    return [total for value in values if (total := counter.observe(value)) is not None]


@pytest.mark.parametrize(
    ("values", "rose"),
    [
        ([5], 0),
        ([5, 5], 0),
        ([9, 3], 0),  # what rose in that one step is not known
        ([9, 0, 2, 4], 4),
        ([9, None, 12], 3),
        ([1_000_000, 1_000_010, 400_000, 400_005], 25),  # restored from an old copy
        ([1_000_000, 1_000_010, 10, 1_000_015], 25),  # a moment on a replica, and back
    ],
)
def test_a_counter_is_carried_on(values: list[int | None], rose: float) -> None:
    found = carried_on(values)
    assert (found[0], found[-1] - found[0]) == (values[0], rose)


@given(st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), max_size=30))
def test_a_counter_carried_on_never_falls_nor_leaps(values: list[int | None]) -> None:
    found = carried_on(values)
    known = [value for value in values if value is not None]
    rises = [after - before for before, after in pairwise(known) if after >= before]
    assert len(found) == len(known)
    steps = [after - before for before, after in pairwise(found)]
    assert all(0 <= step <= max(rises, default=0) for step in steps)


@given(
    st.lists(
        st.tuples(
            st.floats(0.05, 4_000, allow_nan=False),
            st.one_of(st.none(), st.integers(0, 10**9)),
            st.one_of(st.none(), st.integers(0, 10**9)),
            st.one_of(st.none(), st.integers(0, 10**6)),
        ),
        max_size=40,
    )
)
def test_no_rate_is_ever_negative(
    polls: list[tuple[float, int | None, int | None, int | None]],
) -> None:
    history, at = History(), 0.0
    for step, done, failed, pending in polls:
        at += step
        run_to_end(history.observe(poll(at, done=done, failed=failed, pending=pending)))
        trend = history.trend(KEY)
        for rate in (trend.done_per_s, trend.failed_per_s, trend.enqueued_per_s):
            assert rate is None or rate >= 0
        assert trend.drains_in_s is None or trend.drains_in_s > 0
        assert trend.growing_for_s is None or 0 <= trend.growing_for_s <= history.span_s


def test_unknown_counters_have_unknown_rates() -> None:
    history = fed((0, {"done": None, "failed": 1}), (2, {"done": 500, "failed": 2}))
    trend = history.trend(KEY)
    assert (trend.done_per_s, trend.failed_per_s, trend.enqueued_per_s) == (None, 0.5, None)


def test_a_counter_not_read_in_between_is_bridged() -> None:
    history = fed((0, {"done": 10}), (2, {"done": None}), (4, {"done": 30}))
    assert history.trend(KEY).done_per_s == 5


def test_what_happened_in_a_gap_is_not_the_recent_past() -> None:
    history = History()
    for second in (*range(0, 22, 2), 3590):
        run_to_end(history.observe(poll(second, done=10 * second)))
    assert history.trend(KEY).done_per_s is None
    assert history.increase(KEY, "done", 300) is None
    run_to_end(history.observe(poll(3592, done=10 * 3592)))
    assert history.trend(KEY).done_per_s == 10
    assert history.increase(KEY, "done", 300) == 20


def test_a_gap_within_the_window_is_part_of_it() -> None:
    history = History()
    for second in (*range(0, 22, 2), 32, 34):
        run_to_end(history.observe(poll(second, done=10 * second)))
    assert history.trend(KEY, over_s=30).done_per_s == 10


def test_a_slower_interval_is_no_gap_for_ever() -> None:
    history = History()
    for second in (*range(0, 22, 2), *range(80, 681, 60)):
        run_to_end(history.observe(poll(second, done=second)))
    assert history.trend(KEY).done_per_s == 1


@pytest.mark.parametrize("later", [-3600.0, -0.5, 0.0])
def test_a_clock_that_goes_back_clears(later: float) -> None:
    history = fed((0, {"done": 10}), (2, {"done": 20}), (2 + later, {"done": 30}))
    assert history.trend(KEY) == Trend()
    assert history.started_at == NOW + 2 + later
    run_to_end(history.observe(poll(4 + later, done=40)))
    assert history.trend(KEY).done_per_s == 5


def test_a_queue_that_was_away_is_not_known_now() -> None:
    history = fed((0, {"done": 900}), (2, {"done": 910}))
    for second in range(4, 40, 2):
        run_to_end(history.observe(poll(second, name="other")))
    assert history.trend(KEY).done_per_s is None
    run_to_end(history.observe(poll(40, done=1000)))
    assert history.trend(KEY).done_per_s is None


def test_draining_and_its_estimate() -> None:
    trend = fed((0, {"pending": 100}), (10, {"pending": 80})).trend(KEY)
    assert (trend.net_per_s, trend.drains_in_s) == (-2.0, 40.0)
    empty = fed((0, {"pending": 100}), (10, {"pending": 0})).trend(KEY)
    assert (empty.net_per_s, empty.drains_in_s) == (-10.0, None)
    still = fed((0, {"pending": 5}), (10, {"pending": 5})).trend(KEY)
    assert (still.net_per_s, still.drains_in_s) == (0.0, None)


def test_enqueued_is_what_stayed_and_what_left() -> None:
    before = {"pending": 10, "active": 2, "retry": 1, "scheduled": 3, "done": 50, "failed": 4}
    after = {"pending": 12, "active": 4, "retry": 0, "scheduled": 3, "done": 60, "failed": 5}
    assert fed((0, before), (10, after)).trend(KEY).enqueued_per_s == pytest.approx(1.4)


def test_attempts_of_asynq_that_go_to_retry_are_not_enqueued_anew() -> None:
    shared: dict[str, Any] = {"dialect": Dialect.ASYNQ}
    before = {**shared, "active": 5, "retry": 0, "failed": 0, "archived": 0}
    after = {**shared, "active": 0, "retry": 4, "failed": 5, "archived": 1}
    assert fed((0, before), (10, after)).trend(KEY).enqueued_per_s == 0


def test_deleting_tasks_enqueues_nothing() -> None:
    assert fed((0, {"pending": 90}), (10, {"pending": 0})).trend(KEY).enqueued_per_s == 0
