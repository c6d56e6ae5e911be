"""Conditions of a worker: degraded, recovering, lost, stale, clock off, ghost, unreadable."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import has_slow_clock
from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import (
    host_of,
    join_names,
    program,
    program_on_host,
    restart_step,
    short,
    utc_clock,
    worker_key,
    worker_subject,
)
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import UNKNOWN, age, amount

RECOVERED_AFTER_S = 180.0
"""The tasks of a killed worker are recovered about this long after its last heartbeat: a lease of
at most 120 s, then the next round of some live worker's recoverer."""

_ENDED = (WorkerState.LOST, WorkerState.STOPPED)


@detector(
    "worker-degraded",
    severity=Severity.CRITICAL,
    title="Worker degraded",
    meaning="A process that the worker supervises has crashed and is no longer restarted (circuit "
    "breaker open). The worker still sends heartbeats and takes tasks, but fails or holds every "
    "one of them; a task that it holds keeps a lease that is renewed without end.",
    evidence="healthy=0 in asynq:workers:<id>, or an entry in its recovery field with state "
    "degraded.",
    fix="Read the worker's log for the cause of the crash and restart the worker. If it is "
    "degraded again after a restart, one task may crash the process each time: find the task "
    "that was active at every crash and remove it first.",
)
def degraded(context: DetectorContext) -> Iterator[Finding]:
    """Report each degraded worker."""
    for worker in context.in_state(WorkerState.DEGRADED):
        broken = _parents(worker, "degraded")
        process = _process(broken)
        yield degraded.finding(
            worker_subject(worker),
            reason=f"{join_names(broken) or 'a process'} crashed; restart this worker",
            sentence=f"worker {short(worker.id)} is degraded: {process} crashed and is not "
            f"restarted{_failures(worker, broken)}",
            next_step=restart_step([worker]),
            evidence=(*_health(worker), *_recovery(worker)),
            weight=_weight(worker),
        )


@detector(
    "worker-recovering",
    severity=Severity.WARNING,
    title="Worker recovering",
    meaning="A process that the worker supervises has crashed and is being restarted. Tasks of its "
    "queue wait meanwhile. After several consecutive failures the worker stops restarting it and "
    "is degraded.",
    evidence="An entry in the recovery field of asynq:workers:<id> with state recovering, and its "
    "consecutive_fails.",
    fix="Read the worker's log for the cause of the crash. Nothing has to be restarted by hand "
    "while restarts are still under way.",
)
def recovering(context: DetectorContext) -> Iterator[Finding]:
    """Report each worker that restarts a process."""
    for worker in context.in_state(WorkerState.RECOVERING):
        broken = _parents(worker, "recovering")
        restarting = f"{_process(broken)} restarting{_failures(worker, broken)}"
        yield recovering.finding(
            worker_subject(worker),
            reason=restarting,
            sentence=f"worker {short(worker.id)} is recovering: {restarting}",
            next_step=f"read the log of worker {short(worker.id)}: it stops restarting after more "
            "failures",
            evidence=(*_health(worker), *_recovery(worker)),
            weight=float(max(1, _most_failures(worker, broken))),
        )


@detector(
    "worker-lost",
    severity=Severity.CRITICAL,
    title="Worker lost",
    meaning="The worker is in the index but its own key has expired: it was killed, crashed or cut "
    "off from Redis without a clean stop. Critical for the first half hour, then a warning; after "
    "a day it is no longer reported. Its active tasks return about three minutes after its last "
    "heartbeat if another worker serves their queue.",
    evidence="A member of asynq:workers (or asynq:servers) whose key does not exist; the score "
    "holds the time of the last heartbeat.",
    fix="Start the worker again. If it was retired on purpose, remove its member from the index.",
)
def lost(context: DetectorContext) -> Iterator[Finding]:
    """Report each lost worker, for a day."""
    limits, now = context.thresholds, context.now
    for worker in context.in_state(WorkerState.LOST):
        gone, beat = context.snapshot.last_beat_age_s(worker), worker.last_beat_at
        if gone is not None and gone >= limits.lost_old_s:
            continue
        fresh = gone is not None and gone < limits.lost_fresh_s
        heartbeat = "time of last heartbeat unknown"
        if beat is not None:
            heartbeat = f"last heartbeat {utc_clock(beat, now)}"
        served = f", served {join_names(list(worker.queues))}" if worker.queues else ""
        yield lost.finding(
            worker_subject(worker),
            severity=Severity.CRITICAL if fresh else Severity.WARNING,
            reason="in the index, no heartbeat"
            if gone is None
            else f"no heartbeat for {age(gone)}",
            sentence=f"worker {short(worker.id)} is lost: {heartbeat}{served}",
            next_step=_start_again(worker, gone),
            evidence=_index_evidence(worker),
            since=beat,
            weight=_weight(worker),
        )


@detector(
    "worker-stale",
    severity=Severity.WARNING,
    title="No heartbeat",
    meaning="The worker's key still exists, but its last heartbeat is more than 30 seconds old by "
    "Redis's clock: the worker hangs, is cut off, or has just died.",
    evidence="last_beat in asynq:workers:<id>, compared with Redis's TIME.",
    fix="Check on the worker's host that its process is running and can reach Redis; restart it if "
    "it hangs.",
)
def stale(context: DetectorContext) -> Iterator[Finding]:
    """Report each worker with an old heartbeat, unless its clock explains that."""
    for worker in context.in_state(WorkerState.STALE):
        if has_slow_clock(worker):
            continue
        beat, gone = worker.last_beat_at, context.snapshot.last_beat_age_s(worker)
        since = "its entry is no longer renewed"
        if beat is not None:
            since = f"last at {utc_clock(beat, context.now)}, its key still exists"
        yield stale.finding(
            worker_subject(worker),
            reason="no heartbeat" if gone is None else f"last heartbeat {age(gone)} ago",
            sentence=f"no heartbeat from worker {short(worker.id)}: {since}",
            next_step=f"check that {program(worker)} is running; restart it if it hangs",
            evidence=(Evidence(worker_key(worker), "last_beat", _seconds(beat)),),
            since=beat,
            weight=_weight(worker),
        )


@detector(
    "worker-clock-off",
    severity=Severity.WARNING,
    title="Worker clock off",
    meaning="The clock of the worker's host differs from Redis's by more than 5 seconds. Leases, "
    "retry times and ages that this worker writes are off by the same amount.",
    evidence="last_beat in asynq:workers:<id>, compared with Redis's TIME when it was written.",
    fix="Synchronise the clock of the worker's host (NTP).",
)
def clock_off(context: DetectorContext) -> Iterator[Finding]:
    """Report each worker whose clock is ahead of Redis's or behind it."""
    for worker in context.snapshot.workers:
        offset = _clock_offset(worker, context.now)
        if offset is None or abs(offset) <= context.thresholds.clock_off_s:
            continue
        by = f"{age(abs(offset))} {'ahead of' if offset > 0 else 'behind'} Redis"
        host, pid = host_of(worker.id)
        where = f"the host of worker {short(worker.id)}" if pid is None else short(host)
        yield clock_off.finding(
            worker_subject(worker),
            reason=f"clock {by}",
            sentence=f"the clock of worker {short(worker.id)} is {by}",
            next_step=f"synchronise the clock of {where} (NTP)",
            evidence=(
                Evidence(worker_key(worker), "last_beat", _seconds(worker.last_beat_at)),
                Evidence("TIME", "", _seconds(context.now)),
            ),
            weight=abs(offset),
        )


@detector(
    "worker-ghost",
    severity=Severity.WARNING,
    title="Ghost worker",
    meaning="A worker key that holds nothing but a status. A worker that stopped after its key had "
    "expired wrote it; it has no TTL and belongs to no process.",
    evidence="asynq:workers:<id> with the one field status.",
    fix="Delete the key. No process uses it.",
)
def ghost(context: DetectorContext) -> Iterator[Finding]:
    """Report each worker key that holds a status and nothing else."""
    for worker_id in context.snapshot.ghosts:
        key = f"asynq:workers:{worker_id}"
        yield ghost.finding(
            Subject(SubjectKind.WORKER, worker_id),
            reason="key holds only a status",
            sentence=f"{short(worker_id)} is not a worker: its key holds only the status of one "
            "that stopped",
            next_step=f"delete the key: DEL {short(key, 96)}",
            evidence=(Evidence(key, "status", "the only field"),),
        )


@detector(
    "worker-unreadable",
    severity=Severity.WARNING,
    title="Unreadable worker fields",
    meaning="Some fields of the worker's record cannot be parsed, so its state and figures may be "
    "wrong or missing here. The worker itself may be healthy.",
    evidence="The names of the fields of asynq:workers:<id> that cannot be parsed.",
    fix="Compare the worker's version with the others, and inspect the fields of its key.",
)
def unreadable(context: DetectorContext) -> Iterator[Finding]:
    """Report each worker with fields that cannot be parsed."""
    for worker in context.snapshot.workers:
        if not worker.problems:
            continue
        fields = join_names(worker.problems, most=4)
        yield unreadable.finding(
            worker_subject(worker),
            reason=f"unreadable: {fields}",
            sentence=f"worker {short(worker.id)} has unreadable fields: {fields}",
            next_step=f"inspect the key {short(worker_key(worker), 96)} and check the version of "
            f"{program(worker)}",
            evidence=[Evidence(worker_key(worker), name, "unreadable") for name in worker.problems],
        )


def _clock_offset(worker: Worker, now: float) -> float | None:
    if worker.state in _ENDED:
        return None
    if worker.clock_offset_s is not None:
        return worker.clock_offset_s
    # A heartbeat in the future needs no other proof; an old one may just be late.
    ahead = 0.0 if worker.last_beat_at is None else worker.last_beat_at - now
    return ahead if ahead > 0 else None


def _parents(worker: Worker, state: str) -> list[str]:
    return sorted(name for name, entry in worker.recovery.items() if entry.state == state)


def _process(parents: list[str]) -> str:
    """Name the processes of parent queues: ``vision process``."""
    if not parents:
        return "a supervised process"
    return f"{join_names(parents)} {'process' if len(parents) == 1 else 'processes'}"


def _most_failures(worker: Worker, parents: list[str]) -> int:
    return max((worker.recovery[name].consecutive_fails or 0 for name in parents), default=0)


def _failures(worker: Worker, parents: list[str]) -> str:
    failures = _most_failures(worker, parents)
    return f", {amount(failures, 'consecutive failure')}" if failures else ""


def _health(worker: Worker) -> tuple[Evidence, ...]:
    if worker.healthy is None:
        return ()
    return (Evidence(worker_key(worker), "healthy", "1" if worker.healthy else "0"),)


def _recovery(worker: Worker) -> Iterator[Evidence]:
    """Yield one fact for each entry that is not idle, in the names of the worker's own JSON."""
    for name, entry in sorted(worker.recovery.items()):
        if entry.state != "idle":
            value = f"state {entry.state}"
            if entry.consecutive_fails is not None:
                value += f", consecutive_fails {entry.consecutive_fails}"
            if entry.total_restarts is not None:
                value += f", total_restarts {entry.total_restarts}"
            yield Evidence(worker_key(worker), f"recovery.{name}", value)


def _index_evidence(worker: Worker) -> tuple[Evidence, ...]:
    if worker.dialect is Dialect.ASYNQ:
        return (
            Evidence("asynq:servers", worker_key(worker), "listed"),
            Evidence(worker_key(worker), "", "no such key"),
        )
    return (
        Evidence("asynq:workers", worker.id, f"last beat {_seconds(worker.last_beat_at)}"),
        Evidence(worker_key(worker), "", "no such key"),
    )


def _start_again(worker: Worker, gone_s: float | None) -> str:
    again = f"start {program_on_host(worker)} again"
    if worker.dialect is Dialect.ASYNQ or gone_s is None:
        return again
    left = RECOVERED_AFTER_S - gone_s
    if left > 0:
        return f"{again}; its tasks are recovered when their leases expire, in ~{age(left)}"
    return f"{again}; if it was retired, remove it: ZREM asynq:workers {short(worker.id)}"


def _weight(worker: Worker) -> float:
    return float(max(1, worker.concurrency or 1))


def _seconds(at: float | None) -> str:
    return UNKNOWN if at is None else f"{at:.0f}"
