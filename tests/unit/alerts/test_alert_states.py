"""The state machine: inactive, pending, firing, resolved; hysteresis, gaps, the unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.alerts.alert_states import LOG_LENGTH, AlertState
from runqy_tui.alerts.rule import Rule, RuleKind
from runqy_tui.model import Counts, Queue
from runqy_tui.model.severity import Severity
from tests.support.builders import NOW, queue, waiting, worker
from tests.unit.alerts.alert_polls import Judge, finding

DEEP = Rule("deep", RuleKind.QUEUE_DEPTH, for_s=10, threshold=100, clear=80)
AT_ONCE = DEEP._replace(for_s=0.0)


def of(pending: int | None, name: str = "a") -> list[Queue]:
    counts = Counts() if pending is None else waiting(pending)
    return [queue(name, counts=counts)]


def course(judge: Judge, *polls: tuple[float, int | None]) -> str:
    """State after each poll: ``-`` inactive, ``p`` pending, ``F`` firing."""
    states = ""
    for at, pending in polls:
        board = judge.poll(at, queues=of(pending))
        states += "F" if board.firing else "p" if board.pending else "-"
    return states


@pytest.mark.parametrize(
    ("polls", "states"),
    [
        pytest.param([(0, 100), (5, 101), (10, 101), (15, 101)], "-ppF", id="over, not at it"),
        pytest.param([(0, 101), (9.9, 101), (10, 101)], "ppF", id="held for exactly long enough"),
        pytest.param([(0, 101), (5, 50), (10, 101), (19, 101)], "p-pp", id="for begins anew"),
        pytest.param([(0, 101), (10, 101), (15, 90), (20, 81), (25, 80)], "pFFF-", id="clear"),
        pytest.param([(0, 101), (5, 90), (10, 101)], "p-p", id="clear is for what fires only"),
        pytest.param([(0, 101), (10, 101), (12, 0), (14, 101)], "pF-p", id="again after the end"),
        pytest.param([(0, 101), (60, 101), (69, 101), (70, 101)], "pppF", id="gaps do not count"),
        pytest.param([(0, 101), (5, 101), (600, 101), (605, 101)], "pppF", id="what was, counts"),
        pytest.param([(0, 101), (10, 101), (900, 101)], "pFF", id="a gap resolves nothing"),
        pytest.param([(0, 101), (5, None), (10, None), (15, 101)], "pppp", id="unknown waits"),
        pytest.param([(0, 101), (5, 101), (9, None), (15, 101), (20, 101)], "ppppF", id="resumes"),
        pytest.param([(0, 101), (10, 101), (12, None), (14, 101)], "pFFF", id="unknown holds"),
        pytest.param([(0, 101), (10, 101), (12, None), (14, 70)], "pFF-", id="known again"),
        pytest.param([(0, None), (10, None)], "--", id="unknown never fires"),
    ],
)
def test_tracked(polls: list[tuple[float, int | None]], states: str) -> None:
    assert course(Judge(DEEP), *polls) == states


def test_without_for_it_fires_at_once() -> None:
    assert course(Judge(AT_ONCE), (0, 101), (2, 0), (4, 101)) == "F-F"


def test_redis_clock_going_back_fires_nothing() -> None:
    assert course(Judge(DEEP), (0, 101), (-500, 101), (-495, 101), (-490, 101)) == "pppF"


def test_what_an_alert_tells() -> None:
    judge = Judge(DEEP._replace(severity=Severity.CRITICAL))
    judge.poll(0, queues=of(101))
    (alert,) = judge.poll(5, queues=of(500)).pending
    assert (alert.state, alert.since, alert.value) == (AlertState.PENDING, NOW, 500.0)
    board = judge.poll(10, queues=of(1204))
    (alert,) = board.firing
    assert (alert.state, alert.since, alert.fired_at) == (AlertState.FIRING, NOW, NOW + 10)
    assert alert.sentence == "a has 1,204 pending (over 100)"
    assert (alert.severity, board.worst) == (Severity.CRITICAL, Severity.CRITICAL)
    board = judge.poll(15, queues=of(3))
    assert (board.firing, board.pending, board.worst) == ((), (), Severity.FINE)
    fired, resolved = board.log
    assert (fired.at, fired.alert.state) == (NOW + 10, AlertState.FIRING)
    assert (resolved.at, resolved.alert.state) == (NOW + 15, AlertState.RESOLVED)
    assert (resolved.alert.resolved_at, resolved.alert.value) == (NOW + 15, 3.0)


def test_an_object_that_leaves_is_resolved() -> None:
    judge = Judge(DEEP)
    course(judge, (0, 101), (10, 101))
    board = judge.poll(12)
    assert (board.firing, len(board.log)) == ((), 2)
    assert board.log[-1].alert.value == 101.0


def test_pending_that_ends_is_not_in_the_log() -> None:
    judge = Judge(DEEP)
    course(judge, (0, 101), (5, 0))
    assert judge.alerts.board.log == ()


def test_objects_and_rules_are_independent() -> None:
    judge = Judge(DEEP, AT_ONCE._replace(name="now", severity=Severity.CRITICAL))
    board = judge.poll(0, queues=[*of(101, "a"), *of(102, "b"), *of(5, "c")])
    assert [(a.rule.name, a.subject.name) for a in board.firing] == [("now", "a"), ("now", "b")]
    assert [(a.rule.name, a.subject.name) for a in board.pending] == [("deep", "a"), ("deep", "b")]


def test_a_list_without_braces_is_another_queue() -> None:
    judge = Judge(AT_ONCE)
    twins = [queue("a", counts=waiting(200)), queue("a", braced=False, counts=waiting(300))]
    board = judge.poll(0, queues=twins)
    assert [alert.value for alert in board.firing] == [200.0, 300.0]
    assert board.firing[1].sentence.startswith("a (no braces) has 300 pending")


def test_the_most_urgent_first() -> None:
    critical = Rule("c", RuleKind.FINDING, severity=Severity.CRITICAL)
    judge = Judge(AT_ONCE, critical)
    judge.poll(0, queues=of(200))
    board = judge.poll(2, queues=of(200), findings=[finding("x")])
    assert [alert.rule.name for alert in board.firing] == ["c", "deep"]


def test_unknown_is_listed_with_its_reason() -> None:
    board = Judge(DEEP).poll(0, queues=of(None))
    (entry,) = board.unknown
    assert (entry.rule, entry.subject.name) == (DEEP, "a")
    assert entry.sentence == "the pending tasks of a cannot be counted"


def test_the_log_is_bounded() -> None:
    judge = Judge(AT_ONCE)
    for turn in range(LOG_LENGTH):
        judge.poll(2 * turn, queues=of(200 * (turn % 2 == 0)))
    board = judge.poll(2 * LOG_LENGTH, queues=of(200))
    assert len(board.log) == LOG_LENGTH
    assert board.log[-1].at == NOW + 2 * LOG_LENGTH
    assert board.log[0].at > NOW


def test_nothing_is_remembered_of_what_is_fine() -> None:
    judge = Judge(DEEP)
    judge.poll(0, queues=[*of(1), *of(200, "b")], workers=[worker()])
    judge.poll(2, queues=[*of(1), *of(1, "b")])
    assert judge.alerts._tracked == {}


@given(
    st.lists(st.tuples(st.floats(0.5, 80), st.one_of(st.none(), st.integers(0, 200))), max_size=30)
)
def test_any_course(steps: list[tuple[float, int | None]]) -> None:
    """It fires only after enough watched seconds over the threshold, and ends only when seen to."""
    judge, at, watched, firing, last = Judge(DEEP), 0.0, 0.0, False, None
    for step, pending in steps:
        at += step
        board = judge.poll(at, queues=of(pending))
        now_firing = bool(board.firing)
        if pending is None:
            assert now_firing == firing
        elif firing:
            assert now_firing == (pending > DEEP.clear)
        else:
            over = last is not None and last > DEEP.threshold and pending > DEEP.threshold
            watched = watched + step if over and step <= 30 else watched
            watched = watched if pending > DEEP.threshold else 0.0
            if now_firing:
                assert watched >= DEEP.for_s - 1e-6
        if not now_firing and firing:
            watched = 0.0
        firing, last = now_firing, pending
        assert len(board.firing) + len(board.pending) <= 1
