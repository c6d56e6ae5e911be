"""Which windows are read: within the budget, active ones first, and every list in its turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.model import (
    CheckedTask,
    CheckWindow,
    Counts,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
)
from runqy_tui.observation.task_sampling import (
    ACTIVE_HEAD,
    BUDGET,
    KEEP_ACTIVE_S,
    KEEP_S,
    MOST_KEPT,
    WINDOW_SIZE,
    TaskSampler,
)
from tests.support.builders import NOW, queue, snapshot
from tests.support.polls import KEY, audited, poll

PENDING, ACTIVE, RETRY = TaskState.PENDING, TaskState.ACTIVE, TaskState.RETRY
Lengths = Mapping[str, tuple[int, int, int]]
"""Pending, active and retry of each queue."""


def fleet(lengths: Lengths, at: float = 0.0) -> Snapshot:
    queues = tuple(
        queue(name, counts=Counts(pending, active, 0, retry, 0, 0, 0))
        for name, (pending, active, retry) in lengths.items()
    )
    return snapshot(queues=queues, taken_at=NOW + at)


def lost(window: CheckWindow) -> bool:
    return window.state is not ACTIVE


def test_nothing_listed_is_nothing_to_read() -> None:
    sampler = TaskSampler()
    assert sampler.plan(fleet({})) == ()
    assert sampler.plan(fleet({"a": (0, 0, 0)})) == ()
    assert sampler.plan(snapshot(queues=(queue("a", counts=Counts()),))) == ()
    assert sampler.current == []


def test_a_small_fleet_is_read_whole_at_every_poll() -> None:
    sampler = TaskSampler()
    lengths = {"a": (3, 4, 5), "b": (20, 0, 0), "c": (0, 9, 1)}
    for _ in range(5):
        windows = sampler.plan(fleet(lengths))
        assert [window.state for window in windows[:2]] == [ACTIVE, ACTIVE]
        assert {(w.queue.name, w.state) for w in windows} == {
            *(("a", PENDING), ("a", ACTIVE), ("a", RETRY)),
            *(("b", PENDING), ("c", ACTIVE), ("c", RETRY)),
        }
        for window in windows:
            length = lengths[window.queue.name][(PENDING, ACTIVE, RETRY).index(window.state)]
            assert (window.offset, window.limit >= length) == (0, True)


_LENGTH = st.one_of(st.just(0), st.integers(0, 60), st.integers(0, 10**6))


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.tuples(*[_LENGTH] * 3)),
    st.integers(1, 400),
)
def test_the_budget_holds_and_nothing_starves(lengths: Lengths, budget: int) -> None:
    sampler = TaskSampler(budget)
    wanted = {
        (name, state)
        for name, of in lengths.items()
        for state, length in zip((PENDING, ACTIVE, RETRY), of, strict=True)
        if length
    }
    seen: set[tuple[str, TaskState]] = set()
    for _ in range(len(wanted) * 4 + 1):
        windows = sampler.plan(fleet(lengths))
        assert sum(window.limit for window in windows) <= max(20, budget)
        assert len(set(windows)) == len(windows)
        assert all(window.limit > 0 <= window.offset for window in windows)
        seen |= {(window.queue.name, window.state) for window in windows}
    assert seen == wanted


def test_turns_are_even() -> None:
    sampler = TaskSampler()
    lengths = {f"q{number}": (500, 30, 500) for number in range(40)}
    turns: Counter[tuple[str, TaskState]] = Counter()
    for _ in range(400):
        turns.update((w.queue.name, w.state) for w in sampler.plan(fleet(lengths)))
    for state in (PENDING, ACTIVE, RETRY):
        counts = [turns[name, state] for name in lengths]
        assert max(counts) - min(counts) <= 1
        assert min(counts) > 5


def test_active_lists_leave_something_to_the_others() -> None:
    lengths = {f"q{number}": (0, 90, 0) for number in range(10)} | {"waits": (900, 0, 0)}
    sampler = TaskSampler()
    taken = [sampler.plan(fleet(lengths)) for _ in range(20)]
    assert any(window.queue.name == "waits" for windows in taken for window in windows)
    assert all(sum(not lost(w) and w.offset == 0 for w in windows) == 3 for windows in taken)


def test_a_long_list_is_walked_through_with_its_oldest_end_in_between() -> None:
    sampler = TaskSampler()
    offsets = []
    for _ in range(60):
        offsets += [w.offset for w in sampler.plan(fleet({"a": (500, 0, 0)}))]
    assert set(offsets) == set(range(0, 500, WINDOW_SIZE))
    assert offsets.count(0) >= len(offsets) // 2


def test_active_tasks_beyond_the_oldest_have_their_turn() -> None:
    sampler = TaskSampler()
    offsets = set()
    for _ in range(20):
        offsets |= {w.offset for w in sampler.plan(fleet({"a": (0, 200, 0)}))}
    assert offsets == {0, *range(ACTIVE_HEAD, 200, WINDOW_SIZE)}


def test_the_latest_audit_of_a_window_is_kept() -> None:
    sampler = TaskSampler()
    old = audited(0, "a", "b", state=PENDING)
    sampler.observe([old])
    assert list(sampler.current) == [old]
    new = audited(2, "b", "c", state=PENDING)
    sampler.observe([new])
    assert list(sampler.current) == [new]


def test_a_task_shows_in_its_newest_audit_only() -> None:
    sampler = TaskSampler()
    sampler.observe([audited(0, "a", "b", state=PENDING, offset=50, total=99)])
    sampler.observe([audited(2, "b", "c", state=PENDING, offset=25, total=99)])
    assert [[task.id for task in audit.tasks] for audit in sampler.current] == [["a"], ["b", "c"]]


def test_a_list_that_was_read_whole_leaves_nothing_older() -> None:
    sampler = TaskSampler()
    sampler.observe([audited(0, CheckedTask("a", missing=True), state=RETRY, offset=50, total=99)])
    whole = audited(2, "b", state=RETRY)
    sampler.observe([whole])
    assert list(sampler.current) == [whole]


def test_what_looked_wrong_is_remembered_when_its_window_moves_on() -> None:
    sampler = TaskSampler()
    gone = CheckedTask("gone", missing=True)
    sampler.observe([audited(0, gone, "fine", state=PENDING, offset=50, total=99)])
    sampler.observe([audited(2, "next", state=PENDING, offset=50, total=98)])
    assert [[task.id for task in audit.tasks] for audit in sampler.current] == [["gone"], ["next"]]
    sampler.observe([audited(4, CheckedTask("gone"), state=PENDING, offset=25, total=98)])
    found = [task for audit in sampler.current for task in audit.tasks if task.id == "gone"]
    assert [task.missing for task in found] == [False]


@pytest.mark.parametrize(
    ("key", "lease", "kept"),
    [
        (KEY, None, True),
        (KEY, NOW - 60, True),
        (KEY, NOW + 60, False),
        (QueueKey("q", braced=False), None, False),  # a dialect without leases
    ],
)
def test_active_tasks_without_a_lease_look_wrong(
    key: QueueKey, lease: float | None, kept: bool
) -> None:
    sampler = TaskSampler()
    task = CheckedTask("a", lease_expires_at=lease)
    sampler.observe([audited(0, task, offset=50, total=99, key=key)])
    sampler.observe([audited(2, "b", offset=50, total=98, key=key)])
    ids = [task.id for audit in sampler.current for task in audit.tasks]
    assert ids == (["a", "b"] if kept else ["b"])


def test_audits_are_forgotten_when_the_list_empties_shrinks_or_goes() -> None:
    sampler = TaskSampler()
    sampler.observe([audited(0, "a"), audited(0, "b", state=RETRY, offset=50, total=99)])
    sampler.plan(poll(2, active=1, retry=99))
    assert len(sampler.current) == 2
    sampler.plan(poll(4, active=1, retry=50))
    assert [audit.window.state for audit in sampler.current] == [ACTIVE]
    sampler.plan(poll(6))
    assert list(sampler.current) == []
    sampler.observe([audited(7, "a")])
    sampler.plan(snapshot(taken_at=NOW + 8))
    assert list(sampler.current) == []
    remembered = (sampler._offsets, sampler._visits, sampler._head_at, sampler._window_at)
    assert not any(remembered)


@pytest.mark.parametrize(("state", "limit"), [(ACTIVE, KEEP_ACTIVE_S), (RETRY, KEEP_S)])
def test_an_audit_that_is_not_repeated_is_no_news(state: TaskState, limit: float) -> None:
    sampler = TaskSampler()
    sampler.observe([audited(0, "a", state=state)])
    sampler.plan(poll(limit, active=1, retry=1))
    assert len(sampler.current) == 1
    sampler.plan(poll(limit + 1, active=1, retry=1))
    assert list(sampler.current) == []


def test_a_clock_that_goes_back_forgets() -> None:
    sampler = TaskSampler()
    sampler.observe([audited(100, "a")])
    sampler.plan(poll(50, active=1))
    assert list(sampler.current) == []


def test_tasks_older_than_the_oldest_that_waits_were_taken() -> None:
    sampler = TaskSampler()
    tasks = [CheckedTask(f"t{at}", pending_since=NOW + at) for at in range(0, 50, 10)]
    gone = CheckedTask("gone", missing=True)
    sampler.observe([audited(60, gone, *tasks, state=PENDING)])
    sampler.plan(poll(62, pending=2, oldest_pending_since=NOW + 30))
    assert [task.id for audit in sampler.current for task in audit.tasks] == ["gone", "t30", "t40"]


def test_what_is_kept_is_bounded() -> None:
    sampler = TaskSampler()
    for number in range(1_000):
        tasks = [CheckedTask(f"{number}-{one}", missing=True) for one in range(WINDOW_SIZE)]
        sampler.observe(
            [audited(number, *tasks, state=PENDING, offset=number * WINDOW_SIZE, total=10**6)]
        )
        assert sum(len(audit.tasks) for audit in sampler.current) <= MOST_KEPT
    newest = max(audit.taken_at for audit in sampler.current)
    assert newest == NOW + 999


def test_a_thousand_queues_cost_no_more_than_the_budget() -> None:
    sampler = TaskSampler()
    lengths = {f"q{number}": (1_000, 4, 10) for number in range(1_000)}
    audits: list[WindowCheck] = []
    for _ in range(100):
        windows = sampler.plan(fleet(lengths))
        assert sum(window.limit for window in windows) <= BUDGET
        audits += [WindowCheck(window, NOW, 1_000) for window in windows]
    heads = {audit.window.queue for audit in audits if audit.window.state is ACTIVE}
    assert len(heads) == 1_000


def test_few_windows_lie_away_from_the_oldest_ends() -> None:
    """Those cost what an audit costs; but every list is walked through all the same."""
    sampler = TaskSampler()
    lengths = dict.fromkeys("abc", (100, 0, 100))
    seen: set[tuple[str, TaskState, int]] = set()
    for _ in range(60):
        windows = sampler.plan(fleet(lengths))
        assert sum(window.limit for window in windows if window.offset) <= 2 * WINDOW_SIZE
        assert {(w.queue.name, w.state) for w in windows} == {
            (name, state) for name in "abc" for state in (PENDING, RETRY)
        }
        seen |= {(w.queue.name, w.state, w.offset) for w in windows}
    ends = range(0, 100, WINDOW_SIZE)
    assert seen == {(n, s, offset) for n in "abc" for s in (PENDING, RETRY) for offset in ends}
