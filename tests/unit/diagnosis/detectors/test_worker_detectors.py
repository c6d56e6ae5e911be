"""What is said of workers, from what, and when nothing is said."""

from __future__ import annotations

import pytest

from runqy_tui.diagnosis.findings.finding import Evidence, Finding, SubjectKind
from runqy_tui.model import Dialect, Recovery, Worker, WorkerState
from runqy_tui.model.severity import Severity
from tests.support.builders import NOW, worker
from tests.unit.diagnosis.findings.detector_contexts import found, names, sight

DEGRADED = worker(
    "gpu-7:4312",
    WorkerState.DEGRADED,
    healthy=False,
    concurrency=4,
    recovery={"crashy": Recovery("degraded", 3, 2), "flaky": Recovery("idle", 0, 0)},
)


def only(one: Worker, detector: str) -> Finding:
    (finding,) = found(sight(workers=[one]), detector)
    return finding


def test_a_healthy_worker_of_any_kind_is_no_finding() -> None:
    calm = [
        worker("a:1", active_count=3),
        worker("a:2", WorkerState.BOOTSTRAPPING),
        worker("a:3", WorkerState.STOPPED, last_beat_age_s=900.0),
        worker("a:4:uuid", dialect=Dialect.ASYNQ, last_beat_at=None, last_beat_age_s=None),
        worker("a:5", recovery={"crashy": Recovery("idle", 0, 7)}),
    ]
    assert names(sight(workers=calm)) == []


def test_degraded() -> None:
    finding = only(DEGRADED, "worker-degraded")
    assert finding.severity is Severity.CRITICAL
    assert (finding.subject.kind, finding.subject.name) == (SubjectKind.WORKER, "gpu-7:4312")
    assert finding.id == "worker-degraded:gpu-7:4312"
    assert finding.sentence == (
        "worker gpu-7:4312 is degraded: crashy process crashed and is not restarted, "
        "3 consecutive failures"
    )
    assert finding.next_step == "restart runqy-worker on gpu-7 (pid 4312)"
    assert finding.evidence == (
        Evidence("asynq:workers:gpu-7:4312", "healthy", "0"),
        Evidence(
            "asynq:workers:gpu-7:4312",
            "recovery.crashy",
            "state degraded, consecutive_fails 3, total_restarts 2",
        ),
    )
    assert (finding.since, finding.since_known, finding.weight) == (None, False, 4.0)


def test_degraded_without_a_recovery_entry() -> None:
    finding = only(worker("w", WorkerState.DEGRADED, healthy=False), "worker-degraded")
    assert finding.reason == "a process crashed; restart this worker"
    assert finding.next_step == "restart runqy-worker w"


def test_recovering_says_how_often_it_failed_and_weighs_more_with_each() -> None:
    def at(fails: int | None) -> Finding:
        recovery = {"vision": Recovery("recovering", fails, 1)}
        return only(worker(state=WorkerState.RECOVERING, recovery=recovery), "worker-recovering")

    assert at(3).reason == "vision process restarting, 3 consecutive failures"
    assert at(1).reason == "vision process restarting, 1 consecutive failure"
    assert at(None).reason == "vision process restarting"
    assert at(3).severity is Severity.WARNING
    assert (at(None).weight, at(3).weight) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("gone", "severity", "step"),
    [
        (60.0, Severity.CRITICAL, "its tasks are recovered when their leases expire, in ~2m"),
        (1_799.0, Severity.CRITICAL, "if it was retired, remove it: ZREM asynq:workers gpu-3:1"),
        (1_800.0, Severity.WARNING, "if it was retired, remove it: ZREM asynq:workers gpu-3:1"),
        (86_399.0, Severity.WARNING, "if it was retired, remove it: ZREM asynq:workers gpu-3:1"),
    ],
)
def test_lost(gone: float, severity: Severity, step: str) -> None:
    one = worker(
        "gpu-3:1",
        WorkerState.LOST,
        last_beat_at=NOW - gone,
        last_beat_age_s=gone,
        queues={"a": 1, "b": 1, "c": 1},
    )
    finding = only(one, "worker-lost")
    assert finding.severity is severity
    assert finding.next_step == f"start runqy-worker on gpu-3 again; {step}"
    assert (finding.since, finding.since_known) == (NOW - gone, True)
    assert finding.sentence.endswith("UTC, served a, b and 1 more")
    assert finding.evidence[0].value == f"last beat {NOW - gone:.0f}"


def test_lost_without_a_known_beat() -> None:
    one = worker("h:1:u", WorkerState.LOST, Dialect.ASYNQ, last_beat_at=None, last_beat_age_s=None)
    finding = only(one, "worker-lost")
    assert (finding.severity, finding.since, finding.since_known) == (Severity.WARNING, None, False)
    assert finding.reason == "in the index, no heartbeat"
    assert finding.next_step == "start the asynq program on h again"
    assert finding.evidence[0].field == "asynq:servers:{h:1:u}"


def test_lost_for_over_a_day_is_history() -> None:
    one = worker(state=WorkerState.LOST, last_beat_at=NOW - 86_400, last_beat_age_s=86_400.0)
    assert names(sight(workers=[one])) == []


def test_stale() -> None:
    one = worker(state=WorkerState.STALE, last_beat_at=NOW - 312, last_beat_age_s=312.0)
    finding = only(one, "worker-stale")
    assert finding.reason == "last heartbeat 5m ago"
    assert (finding.since, finding.since_known) == (NOW - 312, True)


def test_a_silent_worker_with_a_slow_clock_is_not_silent() -> None:
    one = worker(
        state=WorkerState.STALE,
        last_beat_at=NOW - 45,
        last_beat_age_s=45.0,
        clock_offset_s=-43.0,
    )
    assert names(sight(workers=[one])) == ["worker-clock-off"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"last_beat_at": NOW + 12.4}, "clock 12s ahead of Redis"),
        ({"last_beat_at": NOW + 4.9}, None),
        ({"clock_offset_s": -6.0}, "clock 6s behind Redis"),
        ({"clock_offset_s": 6.0}, "clock 6s ahead of Redis"),
        ({"clock_offset_s": -5.0}, None),
        ({"last_beat_at": NOW - 20, "last_beat_age_s": 20.0}, None),
        ({"last_beat_at": NOW + 60, "state": WorkerState.STOPPED}, None),
    ],
)
def test_clock_off(fields: dict[str, float], reason: str | None) -> None:
    spoken = found(sight(workers=[worker("gpu-1:1", **fields)]), "worker-clock-off")  # type: ignore[arg-type]
    assert [finding.reason for finding in spoken] == ([] if reason is None else [reason])


def test_ghosts() -> None:
    (finding,) = found(sight(fields={"ghosts": ("gpu-1:9",)}), "worker-ghost")
    assert finding.sentence == (
        "gpu-1:9 is not a worker: its key holds only the status of one that stopped"
    )
    assert finding.evidence[0].key == "asynq:workers:gpu-1:9"


def test_unreadable_fields_are_named() -> None:
    finding = only(worker("gpu-1:1", problems=("recovery", "metrics")), "worker-unreadable")
    assert finding.reason == "unreadable: recovery, metrics"
    assert [fact.field for fact in finding.evidence] == ["recovery", "metrics"]


def test_a_name_of_any_length_fits_into_a_sentence() -> None:
    name = "x" * 5_000 + ":1"
    finding = only(worker(name, WorkerState.DEGRADED, healthy=False), "worker-degraded")
    assert finding.subject.name == name
    assert len(finding.sentence) < 200
