"""What is kept, what is thinned, what is dropped, and how gaps show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.model import Metrics, QueueKey, WorkerState
from runqy_tui.observation.history import QUEUE_SERIES, WORKER_SERIES, History, Point, StateChange
from runqy_tui.observation.history.ring_buffer import MOST_ROWS, HistoryRow, thinned
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW, queue, snapshot, worker
from tests.support.polls import KEY, poll


def values(history: History, name: str, over_s: float = 3_600.0) -> list[float | None]:
    return [point.value for point in history.series(KEY, name, over_s)]


def test_series_of_a_queue() -> None:
    history = History()
    counts: dict[str, Any] = {"pending": 1, "active": 2, "retry": 3, "scheduled": 4, "archived": 5}
    run_to_end(history.observe(poll(0, **counts, done=6, failed=7)))
    run_to_end(history.observe(poll(2, **counts, done=10**15 + 1, failed=None)))
    found = [values(history, name) for name in QUEUE_SERIES]
    assert found == [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 10**15 + 1], [7, None]]
    assert history.series(QueueKey("other"), "pending", 60) == ()
    with pytest.raises(ValueError, match="nonsense"):
        history.series(KEY, "nonsense", 60)


def test_braced_and_brace_less_queues_are_two() -> None:
    history = History()
    bare = QueueKey("q", braced=False)
    both = (queue("q", succeeded_total=1), queue("q", braced=False, succeeded_total=2))
    run_to_end(history.observe(snapshot(queues=both, taken_at=NOW)))
    assert [history.series(key, "done", 60)[0].value for key in (KEY, bare)] == [1, 2]


def test_a_gap_in_polling_is_a_gap_in_the_series() -> None:
    history = History()
    for second in (0, 2, 4, 6, 60, 62):
        run_to_end(history.observe(poll(second, pending=second)))
    assert list(history.series(KEY, "pending", 600)) == [
        *(Point(NOW + at, at) for at in (0, 2, 4, 6)),
        Point(NOW + 33, None),
        Point(NOW + 60, 60),
        Point(NOW + 62, 62),
    ]
    assert values(history, "pending", 30) == [60, 62]


def test_polls_asked_for_by_hand_make_no_gap_of_the_usual_pause() -> None:
    history = History()
    for at in (0, 2, 2.1, 2.2, 2.3, 2.4, 2.5, 4.5):
        run_to_end(history.observe(poll(at, pending=1)))
    assert None not in values(history, "pending")


def test_a_gap_outlives_thinning() -> None:
    history = History()
    for second in (*range(0, 100, 2), *range(211, 2_000, 2)):
        run_to_end(history.observe(poll(second, pending=1)))
    points = history.series(KEY, "pending", 3_600)
    gaps = [point.at - NOW for point in points if point.value is None]
    assert len(gaps) == 1
    assert 90 < gaps[0] < 240


def test_ten_minutes_are_whole_and_the_rest_is_thinned_to_the_span() -> None:
    history = History()
    for second in range(0, 8_000, 2):
        run_to_end(history.observe(poll(second, pending=second)))
    points = [point for point in history.series(KEY, "pending", 10_000) if point.value is not None]
    last = points[-1].at
    assert last - points[0].at <= 3_600
    fresh = [point for point in points if last - point.at <= 600]
    assert len(fresh) == 301
    assert 98 <= len(points) - len(fresh) <= 102
    assert all(point.value == point.at - NOW for point in points)


def test_rows_are_bounded_however_short_the_interval() -> None:
    history = History()
    for tick in range(6_000):
        run_to_end(history.observe(poll(tick * 0.05, done=tick)))
    rows = len(history.series(KEY, "done", 3_600))
    assert 1_201 <= rows <= 1_201 + 100 + 240 + 1
    assert rows <= MOST_ROWS
    assert history.trend(KEY).done_per_s == pytest.approx(20.0)


@given(st.lists(st.floats(0.01, 500, allow_nan=False), min_size=1, max_size=200))
def test_thinning_keeps_the_newest_the_order_and_the_bounds(steps: list[float]) -> None:
    rows: list[HistoryRow] = []
    at = 0.0
    for step in steps:
        at += step
        rows = thinned([*rows, HistoryRow(at, False, (), ())], at, 3_600)
        times = [row.at for row in rows]
        assert times[-1] == at
        assert times == sorted(times)
        assert at - times[0] <= 3_600
        assert sum(at - time > 600 for time in times) <= 102
        assert thinned(rows, at, 3_600) == rows


def test_what_vanished_is_dropped_after_the_span_and_its_place_used_again() -> None:
    history = History(span_s=100)
    run_to_end(history.observe(poll(0, name="gone", pending=9)))
    for second in range(2, 90, 2):
        run_to_end(history.observe(poll(second)))
    gone = QueueKey("gone")
    assert history.series(gone, "pending", 100)[0].value == 9
    for second in range(90, 200, 2):
        run_to_end(history.observe(poll(second)))
    assert history.series(gone, "pending", 100) == ()
    run_to_end(history.observe(poll(200, name="new", pending=4)))
    new = history.series(QueueKey("new"), "pending", 100)
    assert [point.value for point in new if point.value is not None] == [4]
    assert len(history._queue_states) == 2


def test_churn_does_not_grow_memory_beyond_the_span() -> None:
    history = History(span_s=60)
    for second in range(0, 2_000, 2):
        fleet = (worker(f"w-{second}:1"),)
        run_to_end(history.observe(snapshot(workers=fleet, taken_at=NOW + second)))
    assert history._workers.size <= 33
    assert len(history._states) <= 33


def test_too_many_objects_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runqy_tui.observation.history.ring_buffer.MOST_OBJECTS", 2)
    history = History()
    many = tuple(queue(name, succeeded_total=1) for name in ("a", "b", "c"))
    fleet = tuple(worker(name) for name in ("a", "b", "c"))
    for at in (0, 2):
        run_to_end(history.observe(snapshot(queues=many, workers=fleet, taken_at=NOW + at)))
    assert history.trend(QueueKey("b")).done_per_s == 0
    assert history.trend(QueueKey("c")).done_per_s is None
    assert (len(history._queue_states), len(history._states)) == (2, 2)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), max_size=4),
        min_size=1,
        max_size=12,
    )
)
def test_an_unchanged_object_is_recorded_like_a_new_one(
    polls: list[dict[str, int]],
) -> None:
    """Workers that are the same object as at the poll before are not recorded anew."""
    states = (WorkerState.RUNNING, WorkerState.DEGRADED, WorkerState.LOST)
    known = {
        (name, number): worker(name, states[number], active_count=number or None)
        for name in "abcd"
        for number in range(3)
    }
    same, copied = History(span_s=8), History(span_s=8)
    for number, present in enumerate(polls):
        at = NOW + 2 * number
        fleet = tuple(known[item] for item in present.items())
        run_to_end(same.observe(snapshot(workers=fleet, taken_at=at)))
        fresh = tuple(replace(one) for one in fleet)
        run_to_end(copied.observe(snapshot(workers=fresh, taken_at=at)))
        for name in "abcd":
            assert same.states(name) == copied.states(name)
            for series in WORKER_SERIES:
                counts = same.worker_series(name, series, 60.0)
                assert counts == copied.worker_series(name, series, 60.0)


def test_series_and_states_of_a_worker() -> None:
    history = History()
    for second, state, healthy in (
        (0, WorkerState.RUNNING, True),
        (2, WorkerState.DEGRADED, False),
        (4, WorkerState.DEGRADED, False),
        (6, WorkerState.LOST, None),
    ):
        metrics = Metrics(cpu_percent=50.5 + second) if healthy is not None else None
        one = worker("w", state, healthy=healthy, metrics=metrics, active_count=second)
        run_to_end(history.observe(snapshot(workers=(one,), taken_at=NOW + second)))
    assert list(history.states("w")) == [
        StateChange(NOW, WorkerState.RUNNING),
        StateChange(NOW + 2, WorkerState.DEGRADED),
        StateChange(NOW + 6, WorkerState.LOST),
    ]
    found = {
        name: [point.value for point in history.worker_series("w", name, 60)]
        for name in WORKER_SERIES
    }
    assert found == {
        "active_count": [0, 2, 4, 6],
        "cpu_percent": [50.5, 52.5, 54.5, None],
        "healthy": [1, 0, 0, None],
    }
    assert (history.states("other"), history.worker_series("other", "healthy", 60)) == ((), ())


def test_the_states_of_a_worker_that_flaps_are_bounded() -> None:
    history = History()
    for second in range(200):
        state = WorkerState.STALE if second % 2 else WorkerState.RUNNING
        run_to_end(history.observe(snapshot(workers=(worker("w", state),), taken_at=NOW + second)))
    assert len(history.states("w")) == 16
    assert history.states("w")[-1].at == NOW + 199


def test_absurd_numbers_are_gaps() -> None:
    history = History()
    run_to_end(history.observe(poll(0, pending=10**40, done=10**400)))
    assert (values(history, "pending"), values(history, "done")) == ([None], [None])
