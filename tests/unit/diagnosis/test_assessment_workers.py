"""How bad a worker's state is, and in which words."""

from __future__ import annotations

import pytest

from runqy_tui.diagnosis.assessment import Condition, assess
from runqy_tui.diagnosis.findings.detector_context import Thresholds
from runqy_tui.model import Recovery, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import snapshot, worker

LOST_FRESH_S = Thresholds().lost_fresh_s
LOST_OLD_S = Thresholds().lost_old_s


def worker_trouble(one: Worker) -> Condition:
    """What one snapshot with this worker alone says of it."""
    return run_to_end(assess(snapshot(workers=(one,)))).workers[one.id]


def test_severities_are_ordered_and_each_has_its_own_style() -> None:
    order = [
        Severity.IDLE,
        Severity.FINE,
        Severity.BUSY,
        Severity.WARNING,
        Severity.CRITICAL,
    ]
    assert sorted(Severity) == order
    assert [severity.style for severity in order] == [
        "dim",
        "fine",
        "busy",
        "warning",
        "critical",
    ]


@pytest.mark.parametrize("state", list(WorkerState))
def test_every_state_is_judged(state: WorkerState) -> None:
    judged = worker_trouble(worker(state=state))
    assert bool(judged.reason) is (state is not WorkerState.RUNNING)


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        (WorkerState.DEGRADED, Severity.CRITICAL),
        (WorkerState.RECOVERING, Severity.WARNING),
        (WorkerState.STALE, Severity.WARNING),
        (WorkerState.BOOTSTRAPPING, Severity.BUSY),
        (WorkerState.RUNNING, Severity.FINE),
        (WorkerState.STOPPED, Severity.IDLE),
    ],
)
def test_severity_of_a_state(state: WorkerState, severity: Severity) -> None:
    assert worker_trouble(worker(state=state)).severity is severity


def test_a_degraded_worker_names_the_queues_whose_breaker_is_open() -> None:
    recovery = {
        "crashy": Recovery("degraded", 3, 2),
        "flaky": Recovery("recovering", 1, 0),
        "steady": Recovery("idle", 0, 0),
    }
    judged = worker_trouble(worker(state=WorkerState.DEGRADED, recovery=recovery))
    assert judged.reason == "crashy crashed; restart this worker"


def test_a_degraded_worker_without_a_recovery_entry_still_says_what_to_do() -> None:
    judged = worker_trouble(worker(state=WorkerState.DEGRADED, healthy=False))
    assert judged.reason == "a process crashed; restart this worker"


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        ([2, 5], "q0, q1 processes restarting, 5 consecutive failures"),
        ([0], "q0 process restarting"),
        ([None], "q0 process restarting"),
        ([], "a supervised process restarting"),
    ],
)
def test_a_recovering_worker_counts_its_fails(fails: list[int | None], reason: str) -> None:
    recovery = {f"q{i}": Recovery("recovering", count) for i, count in enumerate(fails)}
    judged = worker_trouble(worker(state=WorkerState.RECOVERING, recovery=recovery))
    assert judged.reason == reason


@pytest.mark.parametrize(
    ("gone", "severity", "reason"),
    [
        (0.0, Severity.CRITICAL, "no heartbeat for 0s"),
        (LOST_FRESH_S - 1, Severity.CRITICAL, "no heartbeat for 29m"),
        (LOST_FRESH_S, Severity.WARNING, "no heartbeat for 30m"),
        (LOST_OLD_S - 1, Severity.WARNING, "no heartbeat for 23h"),
        (LOST_OLD_S, Severity.IDLE, "no heartbeat for 24h"),
        (90 * 86_400.0, Severity.IDLE, "no heartbeat for 90d"),
        (None, Severity.WARNING, "in the index, no heartbeat"),
    ],
)
def test_a_lost_worker_is_an_incident_that_ages_into_history(
    gone: float | None, severity: Severity, reason: str
) -> None:
    judged = worker_trouble(worker(state=WorkerState.LOST, last_beat_age_s=gone))
    assert (judged.severity, judged.reason) == (severity, reason)


@pytest.mark.parametrize(
    ("gone", "reason"), [(312.0, "last heartbeat 5m ago"), (None, "no heartbeat")]
)
def test_a_stale_worker_says_since_when(gone: float | None, reason: str) -> None:
    assert worker_trouble(worker(state=WorkerState.STALE, last_beat_age_s=gone)).reason == reason


@pytest.mark.parametrize(
    ("active", "severity"), [(3, Severity.BUSY), (0, Severity.FINE), (None, Severity.FINE)]
)
def test_a_running_worker_is_busy_with_tasks_only(active: int | None, severity: Severity) -> None:
    judged = worker_trouble(worker(active_count=active))
    assert (judged.severity, judged.reason) == (severity, "")


def test_fields_that_could_not_be_read_are_a_warning() -> None:
    judged = worker_trouble(worker(active_count=3, problems=("recovery", "metrics")))
    assert judged.severity is Severity.WARNING
    assert judged.reason == "unreadable: recovery, metrics"
