"""Observed durations: only what was seen to begin and to end, and how sure that is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.model import ActiveTask, CheckedTask, QueueKey, TaskState
from runqy_tui.observation.durations import (
    BUCKETS_S,
    MOST_TRACKED,
    RECENT_S,
    Durations,
    HistogramSheet,
    quantile,
)
from tests.support.builders import NOW
from tests.support.polls import KEY, audited

DONE = TaskState.COMPLETED


def ran(
    durations: Durations,
    began: float,
    ended: float,
    task_id: str = "a",
    *,
    step: float = 2.0,
    outcome: CheckedTask | None = None,
) -> None:
    """A task of a queue that is else idle, seen by polls ``step`` seconds apart."""
    at = began - began % step
    durations.observe_idle(KEY, NOW + at)
    at += step
    while at <= ended:
        durations.observe_active(audited(at, task_id))
        at += step
    durations.observe_idle(KEY, NOW + at)
    check = outcome or CheckedTask(task_id, state=DONE, completed_at=float(int(NOW + ended)))
    durations.settle(durations.pending_outcomes(10), [check], NOW + at)


def test_a_task_seen_to_begin_and_end() -> None:
    durations = Durations()
    ran(durations, 0.5, 30.5)
    found = durations.quantiles(KEY)
    assert found is not None
    assert found.count == 1
    assert found.plus_minus_s <= 2.0
    assert abs(found.p50_s - 30) <= found.plus_minus_s + 0.05 * 30
    assert durations.pending_outcomes(10) == []


@given(st.floats(0, 2), st.floats(4.1, 600), st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_an_observation_is_within_its_bounds(began: float, seconds: float, step: float) -> None:
    durations = Durations()
    ran(durations, began, began + seconds, step=step)
    found = durations.histogram(KEY)
    observed = durations.quantiles(KEY)
    assert found is not None
    assert observed is not None
    assert abs(found[2] - seconds) <= observed.plus_minus_s + 1e-3
    assert observed.plus_minus_s <= step + 1e-3


def test_what_was_active_at_the_first_look_does_not_count() -> None:
    durations = Durations()
    durations.observe_active(audited(0, "old"))
    durations.observe_active(audited(2, "old", "new"))
    durations.observe_idle(KEY, NOW + 10)
    assert durations.pending_outcomes(10) == [(KEY, "new")]


def test_a_new_task_in_a_window_that_was_not_the_whole_list_does_not_count() -> None:
    durations = Durations()
    durations.observe_active(audited(0, "a", limit=1, total=9))
    durations.observe_active(audited(2, "b", limit=1, total=8))
    durations.observe_idle(KEY, NOW + 4)
    assert durations.pending_outcomes(10) == []


def test_a_list_is_whole_even_if_the_reader_left_out_what_had_moved_on() -> None:
    durations = Durations()
    durations.observe_active(audited(0, total=2))
    durations.observe_active(audited(2, "a"))
    durations.observe_idle(KEY, NOW + 4)
    assert durations.pending_outcomes(10) == [(KEY, "a")]


def test_windows_further_on_and_other_states_tell_nothing() -> None:
    durations = Durations()
    durations.observe_idle(KEY, NOW)
    durations.observe_active(audited(2, "a", offset=50))
    durations.observe_active(audited(2, "b", state=TaskState.PENDING))
    durations.observe_idle(KEY, NOW + 4)
    assert durations.pending_outcomes(10) == []


def test_a_beginning_lost_in_a_long_pause_is_unknown() -> None:
    durations = Durations()
    durations.observe_idle(KEY, NOW)
    durations.observe_active(audited(600, "a"))
    durations.observe_idle(KEY, NOW + 602)
    assert durations.pending_outcomes(10) == []


def test_an_end_lost_in_a_long_pause_counts_only_with_a_stamp() -> None:
    for outcome, count in (
        (CheckedTask("a", missing=True), 0),
        (CheckedTask("a", state=DONE, completed_at=float(int(NOW)) + 100), 1),
    ):
        durations = Durations()
        durations.observe_idle(KEY, NOW)
        durations.observe_active(audited(2, "a"))
        durations.observe_idle(KEY, NOW + 900)
        durations.settle([(KEY, "a")], [outcome], NOW + 900)
        found = durations.quantiles(KEY)
        assert (found.count if found else 0) == count


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (CheckedTask("a", missing=True), True),  # finished, and its storage is off
        (CheckedTask("a", state=TaskState.ARCHIVED, last_failed_at=NOW + 30), True),
        (CheckedTask("a", state=TaskState.RETRY, last_failed_at=NOW - 999), True),
        (CheckedTask("a", state=TaskState.PENDING), False),  # put back at a shutdown
        (CheckedTask("a", state=TaskState.ACTIVE), False),
        (CheckedTask("other", state=DONE), False),
        (CheckedTask("a"), False),
    ],
)
def test_which_ends_count(outcome: CheckedTask, counts: bool) -> None:
    durations = Durations()
    ran(durations, 0.5, 30.5, outcome=outcome)
    found = durations.quantiles(KEY)
    assert (found is not None) is counts
    if found is not None:
        assert found.p50_s == pytest.approx(30, abs=2 + 1.5)
    assert durations.pending_outcomes(10) == []


def test_a_worker_s_wrong_clock_is_not_believed() -> None:
    durations = Durations()
    ran(durations, 0.5, 30.5, outcome=CheckedTask("a", state=DONE, completed_at=NOW + 9_000))
    found = durations.quantiles(KEY)
    assert found is not None
    assert found.p50_s == pytest.approx(30, abs=3.5)


def test_an_exact_start_is_used_even_for_what_was_active_before() -> None:
    durations = Durations()
    durations.observe_started([ActiveTask("a", "q", "t", NOW - 100)])
    durations.observe_active(audited(0, "a"))
    durations.observe_idle(KEY, NOW + 2)
    durations.settle([(KEY, "a")], [CheckedTask("a", missing=True)], NOW + 2)
    found = durations.quantiles(KEY)
    assert found is not None
    assert found.plus_minus_s == 1.0
    assert found.p50_s == pytest.approx(101, rel=0.06)


def test_a_start_in_the_future_is_a_wrong_clock() -> None:
    durations = Durations()
    durations.observe_started([ActiveTask("a", "q", "t", NOW + 100)])
    durations.observe_active(audited(0, "a"))
    durations.observe_idle(KEY, NOW + 2)
    assert durations.pending_outcomes(10) == []


def test_a_task_that_runs_again_before_its_end_was_told_is_one_entry() -> None:
    durations = Durations()
    durations.observe_idle(KEY, NOW)
    for at in (2, 6):
        durations.observe_active(audited(at, "a"))
        durations.observe_idle(KEY, NOW + at + 2)
    assert durations.pending_outcomes(10) == [(KEY, "a")]
    durations.settle([(KEY, "a")], [CheckedTask("a", missing=True)], NOW + 9)
    assert durations._tracked == 0


def test_outcomes_come_in_the_order_of_leaving_and_within_the_limit() -> None:
    durations = Durations()
    durations.observe_idle(KEY, NOW)
    ids = [f"t{number}" for number in range(9)]
    durations.observe_active(audited(1, *ids))
    for gone in range(1, 10):
        durations.observe_active(audited(1 + gone, *ids[gone:]))
    assert durations.pending_outcomes(3) == [(KEY, name) for name in ids[:3]]
    durations.settle(durations.pending_outcomes(3), (), NOW + 20)
    assert durations.pending_outcomes(2) == [(KEY, "t3"), (KEY, "t4")]


def test_tracked_tasks_are_bounded_and_let_go() -> None:
    durations = Durations()
    keys = [QueueKey(f"q{number}") for number in range(200)]
    for key in keys:
        durations.observe_idle(key, NOW)
        ids = [f"{key.name}-{number}" for number in range(50)]
        durations.observe_active(audited(2, *ids, key=key))
    assert sum(map(len, durations._running.values())) == durations._tracked == MOST_TRACKED
    for key in keys:
        durations.observe_idle(key, NOW + 4)
    assert len(durations._left) == MOST_TRACKED
    while ids_left := durations.pending_outcomes(1_000):
        outcomes = [CheckedTask(task_id, missing=True) for _, task_id in ids_left]
        durations.settle(ids_left, outcomes, NOW + 6)
    assert durations._tracked == 0
    durations.keep(set(), NOW + 8)
    assert durations.quantiles(keys[0]) is None
    assert durations.histogram(keys[0]) is None


def test_redis_s_clock_going_back_forgets_what_runs() -> None:
    durations = Durations()
    durations.observe_idle(KEY, NOW)
    durations.observe_active(audited(2, "a"))
    durations.keep({KEY}, NOW - 500)
    durations.observe_idle(KEY, NOW - 500)
    assert durations.pending_outcomes(10) == []
    assert durations._tracked == 0


def test_the_histogram_is_cumulative_and_knows_what_is_beyond() -> None:
    durations = Durations()
    ran(durations, 0, 8_000, "long", step=100)
    ran(durations, 10_000, 10_009, "short")
    found = durations.histogram(KEY)
    assert found is not None
    bounds, counts, total, count = found
    assert bounds == BUCKETS_S
    assert counts == tuple(int(bound >= 10) for bound in bounds)
    assert count == 2
    assert total == pytest.approx(8_009, abs=110)


def testquantiles_follow_the_recent_past_and_the_histogram_keeps_all() -> None:
    durations = Durations()
    ran(durations, 0, 400)
    ran(durations, RECENT_S + 600, RECENT_S + 610)
    both = durations.quantiles(KEY)
    assert both is not None
    assert both.count == 2
    ran(durations, 3 * RECENT_S, 3 * RECENT_S + 10)
    recent = durations.quantiles(KEY)
    assert recent is not None
    assert recent.count == 2
    assert recent.p99_s < 15
    later = NOW + 9 * RECENT_S
    durations.keep({KEY}, later)
    assert durations.quantiles(KEY) is None
    whole = durations.histogram(KEY)
    assert whole is not None
    assert whole[3] == 3


@given(st.lists(st.floats(0.11, 7_000), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_aquantile_is_within_a_tenth_of_the_true_one(seconds: list[float], share: float) -> None:
    sheet = HistogramSheet()
    for one in seconds:
        sheet.add(one, 0)
    rank = max(1, -(-share * len(seconds) // 1))
    true = sorted(seconds)[min(len(seconds), int(rank)) - 1]
    assert quantile(sheet.counts, share) == pytest.approx(true, rel=0.101)


def testquantiles_are_in_order() -> None:
    sheet = HistogramSheet()
    for tenth in range(1, 3_000):
        sheet.add(tenth / 10, 0)
    found = [quantile(sheet.counts, share / 100) for share in range(1, 100)]
    assert all(low <= high for low, high in pairwise(found))
    assert found[49] == pytest.approx(150, rel=0.02)
