"""What each kind of rule reads off a poll."""

from __future__ import annotations

import pytest

from runqy_tui.alerts.rule import EVERYTHING as EVERY
from runqy_tui.alerts.rule import NamePatterns, RateUnit, Rule, RuleKind
from runqy_tui.alerts.rule_values import is_present, worker_health
from runqy_tui.model import Dialect, Queue, QueueKey, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.durations import ObservedDurations
from tests.support.builders import queue, snapshot, worker
from tests.unit.alerts.alert_polls import Judge, finding

SICK = Rule("sick", RuleKind.WORKER_UNHEALTHY)
FAILS = Rule("fails", RuleKind.FAILURE_RATE, threshold=0.2, clear=0.2, least=5)
SLOW = Rule("slow", RuleKind.SLOW_TASKS, threshold=60, clear=60, least=20)
FOUND = Rule("found", RuleKind.FINDING, at_least=Severity.CRITICAL)


@pytest.mark.parametrize(
    ("one", "healthy", "present"),
    [
        (worker(healthy=True), True, True),
        (worker(healthy=False), False, True),
        (worker(healthy=None), None, True),
        (worker(state=WorkerState.BOOTSTRAPPING, healthy=True), True, True),
        (worker(state=WorkerState.RECOVERING, healthy=False), False, True),
        (worker(state=WorkerState.DEGRADED, healthy=True), False, True),
        (worker(state=WorkerState.STALE, healthy=True), False, True),
        (worker(state=WorkerState.LOST, last_beat_age_s=60.0), False, True),
        (worker(state=WorkerState.LOST, last_beat_age_s=1_800.0), False, False),
        (worker(state=WorkerState.LOST, last_beat_age_s=None), False, False),
        (worker(state=WorkerState.STOPPED, healthy=True), True, False),
    ],
)
def test_health(one: Worker, healthy: bool | None, present: bool) -> None:
    assert (worker_health(one), is_present(one, snapshot(workers=(one,)))) == (healthy, present)


def test_unhealthy_workers() -> None:
    fleet = [
        worker("fine:1", healthy=True),
        worker("bad:1", WorkerState.DEGRADED, healthy=False),
        worker("gone:1", WorkerState.LOST, last_beat_age_s=120.0),
        worker("old:1", WorkerState.LOST, last_beat_age_s=9_000.0),
        worker("mute:1:x", dialect=Dialect.ASYNQ),
    ]
    board = Judge(SICK).poll(0, workers=fleet)
    assert [alert.sentence for alert in board.firing] == [
        "worker bad:1 is degraded, last heartbeat 2s ago",
        "worker gone:1 is lost, last heartbeat 2m ago",
    ]
    assert [entry.sentence for entry in board.unknown] == [
        "worker mute:1:x does not report its health"
    ]
    only = SICK._replace(workers=NamePatterns(("gone:*",)))
    assert len(Judge(only).poll(0, workers=fleet).firing) == 1


def counted(done: int | None, failed: int | None) -> list[Queue]:
    return [queue("q", succeeded_total=done, failed_total=failed)]


@pytest.mark.parametrize(
    ("after", "firing"),
    [
        ((1080, 120), 1),  # 20 of 100: over nothing
        ((1079, 121), 2),  # 21 of 100
        ((1000, 105), 2),  # all of five
        ((1000, 104), 1),  # all of four: too few to say anything
        ((1000, 100), 1),  # nothing ran
        ((2000, 300), 1),
    ],
)
def test_failure_share(after: tuple[int, int], firing: int) -> None:
    judge = Judge(FAILS)
    judge.poll(0, queues=counted(1000, 100))
    board = judge.poll(10, queues=counted(*after))
    assert len(board.firing) == firing - 1
    assert board.unknown == ()


def test_failures_of_the_last_five_minutes_only() -> None:
    judge = Judge(FAILS)
    judge.poll(0, queues=counted(0, 0))
    assert judge.poll(20, queues=counted(0, 50)).firing
    for at in range(40, 321, 20):
        judge.poll(at, queues=counted(0, 50))
    assert judge.poll(340, queues=counted(0, 50)).firing == ()


def test_a_rate_that_nobody_knows() -> None:
    judge = Judge(FAILS)
    first = judge.poll(0, queues=counted(None, 100))
    board = judge.poll(10, queues=counted(None, 200))
    for seen in (first, board):
        assert seen.firing == ()
        assert [e.sentence for e in seen.unknown] == ["failure rate of q unknown"]


def test_a_rate_that_was_known_until_now() -> None:
    judge = Judge(FAILS)
    judge.poll(0, queues=counted(100, 100))
    judge.poll(10, queues=counted(100, 100))
    for failed in (100, 200):
        board = judge.poll(20 + failed / 10, queues=counted(None, failed))
        assert (board.firing, len(board.unknown)) == ((), 1)


def test_failures_per_second_need_no_successes() -> None:
    judge = Judge(FAILS._replace(unit=RateUnit.PER_SECOND, threshold=0.5, clear=0.5))
    judge.poll(0, queues=counted(None, 100))
    assert judge.poll(10, queues=counted(None, 250)).firing == ()
    (alert,) = judge.poll(20, queues=counted(None, 400)).firing
    assert (alert.value, alert.sentence) == (1.0, "1 tasks/s in q fail (over 0.5/s)")


def test_a_reset_counter_is_no_spike() -> None:
    judge = Judge(FAILS)
    judge.poll(0, queues=counted(1000, 900))
    judge.poll(10, queues=counted(1010, 900))
    assert judge.poll(20, queues=counted(5, 0)).firing == ()


def observed(p95_s: float, count: int) -> dict[QueueKey, ObservedDurations]:
    return {QueueKey("q"): ObservedDurations(1.0, p95_s, 2 * p95_s, count, 2.0)}


def test_slow_tasks() -> None:
    judge = Judge(SLOW)
    (alert,) = judge.poll(0, durations=observed(90.0, 20)).firing
    assert alert.sentence == "q takes 1m 30s ±2s at p95, observed over 20 (over 1m)"
    assert judge.poll(2, durations=observed(60.0, 20)).firing == ()


def test_too_few_observed_tasks_are_unknown() -> None:
    board = Judge(SLOW).poll(0, durations=observed(900.0, 19))
    assert (board.firing, board.pending) == ((), ())
    assert board.unknown[0].sentence == "only 19 finished tasks in q observed"


def test_findings_of_a_severity() -> None:
    found = [finding("worker-degraded"), finding("worker-stale", Severity.WARNING)]
    (alert,) = Judge(FOUND).poll(0, findings=found).firing
    assert (alert.sentence, alert.next_step) == ("worker-degraded of gpu-1:1", "look there")
    every = FOUND._replace(at_least=Severity.WARNING)
    assert len(Judge(every).poll(0, findings=found).firing) == 2


def test_findings_of_some_detectors_queues_or_workers() -> None:
    found = [finding("a", queue="x.high"), finding("a", queue="y.low"), finding("b", worker="w:1")]

    def fires(
        detectors: NamePatterns = EVERY, queues: NamePatterns = EVERY, workers: NamePatterns = EVERY
    ) -> list[str]:
        rule = FOUND._replace(detectors=detectors, queues=queues, workers=workers)
        board = Judge(rule).poll(0, findings=found)
        return [alert.subject.name for alert in board.firing]

    assert fires(detectors=NamePatterns(("a",))) == ["x.high", "y.low"]
    assert fires(detectors=NamePatterns(("!a",))) == ["w:1"]
    assert fires(queues=NamePatterns(("x.*",))) == ["x.high"]
    assert fires(workers=NamePatterns(("w:*",))) == ["w:1"]
    assert fires(queues=NamePatterns(("y.*",)), workers=NamePatterns(("w:*",))) == ["w:1", "y.low"]
    assert fires(queues=NamePatterns(("z",))) == []
