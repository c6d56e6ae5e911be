"""What is wrong with workers: one detector per condition."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.finding import (
    DetectorContext,
    Evidence,
    Finding,
    Subject,
    SubjectKind,
)
from runqy_tui.diagnosis.findings.phrasing import (
    about_worker,
    at_clock,
    host_of,
    program,
    restart,
    short,
    some,
    worker_key,
)
from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import UNKNOWN, age, amount

RETURN_AFTER_S = 180.0
"""A killed worker's tasks are back about this long after its last beat: a lease of 120 s at most,
then the next round of some live worker's recoverer."""

_ENDED = (WorkerState.LOST, WorkerState.STOPPED)


def degraded(sight: DetectorContext) -> Iterator[Finding]:
    """The breaker is open or a process crashed: the worker beats, and fails what it takes."""
    for worker in _in_state(sight, WorkerState.DEGRADED):
        broken = _parents(worker, "degraded")
        what = some(broken) if broken else "a supervised process"
        yield Finding(
            detector="worker-degraded",
            severity=Severity.CRITICAL,
            subject=about_worker(worker),
            reason=f"{what} crashed: restart this worker by hand",
            sentence=f"worker {short(worker.id)} is degraded: {what} crashed and is not restarted"
            f"{_fails(worker, broken)}",
            next_step=restart([worker]),
            evidence=(*_health(worker), *_recovery(worker)),
            weight=_weight(worker),
        )


def recovering(sight: DetectorContext) -> Iterator[Finding]:
    """A supervised process crashed and is being restarted."""
    for worker in _in_state(sight, WorkerState.RECOVERING):
        broken = _parents(worker, "recovering")
        fails = _fails(worker, broken)
        yield Finding(
            detector="worker-recovering",
            severity=Severity.WARNING,
            subject=about_worker(worker),
            reason=f"restarting its process{fails}",
            sentence=f"worker {short(worker.id)} restarts its process for {some(broken)}{fails}",
            next_step=f"read the log of worker {short(worker.id)}: after more fails it gives up",
            evidence=(*_health(worker), *_recovery(worker)),
            weight=float(max(1, _most_fails(worker, broken))),
        )


def lost(sight: DetectorContext) -> Iterator[Finding]:
    """In the index without a hash: killed, or cut off. One lost for over a day is history."""
    limits, now = sight.thresholds, sight.now
    for worker in _in_state(sight, WorkerState.LOST):
        gone, beat = sight.snapshot.last_beat_age_s(worker), worker.last_beat_at
        if gone is not None and gone >= limits.lost_old_s:
            continue
        fresh = gone is not None and gone < limits.lost_fresh_s
        told = "nothing tells when it beat last"
        if beat is not None:
            told = f"last heartbeat {at_clock(beat, now)}"
        served = f", served {some(list(worker.queues))}" if worker.queues else ""
        yield Finding(
            detector="worker-lost",
            severity=Severity.CRITICAL if fresh else Severity.WARNING,
            subject=about_worker(worker),
            reason="in the index, but no heartbeat"
            if gone is None
            else f"no heartbeat for {age(gone)}",
            sentence=f"worker {short(worker.id)} is lost: {told}{served}",
            next_step=_after_loss(worker, gone),
            evidence=_index_evidence(worker),
            since=beat,
            since_known=beat is not None,
            weight=_weight(worker),
        )


def stale(sight: DetectorContext) -> Iterator[Finding]:
    """The hash is there and its last beat is old, by a clock that is not known to be off."""
    for worker in _in_state(sight, WorkerState.STALE):
        if beats_late(worker):
            continue
        beat, gone = worker.last_beat_at, sight.snapshot.last_beat_age_s(worker)
        told = "it does not renew its entry any more"
        if beat is not None:
            told = f"its last heartbeat was at {at_clock(beat, sight.now)}, its hash is still there"
        yield Finding(
            detector="worker-stale",
            severity=Severity.WARNING,
            subject=about_worker(worker),
            reason="no heartbeat" if gone is None else f"last heartbeat {age(gone)} ago",
            sentence=f"worker {short(worker.id)} is silent: {told}",
            next_step=f"look whether {program(worker)} hangs or is gone, and restart it",
            evidence=(Evidence(worker_key(worker), "last_beat", _whole(beat)),),
            since=beat,
            since_known=beat is not None,
            weight=_weight(worker),
        )


def clock_off(sight: DetectorContext) -> Iterator[Finding]:
    """The worker's clock is ahead of Redis's or behind it: its ages, leases and retries are off."""
    for worker in sight.snapshot.workers:
        offset = _clock_offset(worker, sight.now)
        if offset is None or abs(offset) <= sight.thresholds.clock_off_s:
            continue
        way = "ahead of" if offset > 0 else "behind"
        host, pid = host_of(worker.id)
        where = f"the host of worker {short(worker.id)}" if pid is None else short(host)
        yield Finding(
            detector="worker-clock-off",
            severity=Severity.WARNING,
            subject=about_worker(worker),
            reason=f"clock {age(abs(offset))} {way} Redis",
            sentence=f"the clock of worker {short(worker.id)} is {age(abs(offset))} {way} Redis's",
            next_step=f"set the clock of {where} (NTP)",
            evidence=(
                Evidence(worker_key(worker), "last_beat", _whole(worker.last_beat_at)),
                Evidence("TIME", "", _whole(sight.now)),
            ),
            weight=abs(offset),
        )


def ghost(sight: DetectorContext) -> Iterator[Finding]:
    """A hash that holds a status and nothing else: left behind by a stopped worker, for good."""
    for worker_id in sight.snapshot.ghosts:
        key = f"asynq:workers:{worker_id}"
        yield Finding(
            detector="worker-ghost",
            severity=Severity.WARNING,
            subject=Subject(SubjectKind.WORKER, worker_id),
            reason="only a status is left of it",
            sentence=f"{short(worker_id)} is no worker: only a status is left of one that stopped",
            next_step=f"nothing runs there: the key {short(key, 96)} may be deleted",
            evidence=(Evidence(key, "status", "the only field"),),
        )


def unreadable(sight: DetectorContext) -> Iterator[Finding]:
    """Some of what the worker says of itself cannot be read: its state may be wrong here."""
    for worker in sight.snapshot.workers:
        if not worker.problems:
            continue
        fields = some(worker.problems, most=4)
        yield Finding(
            detector="worker-unreadable",
            severity=Severity.WARNING,
            subject=about_worker(worker),
            reason=f"unreadable: {fields}",
            sentence=f"worker {short(worker.id)} has fields that cannot be read: {fields}",
            next_step=f"look at the key {short(worker_key(worker), 96)}; "
            f"is {program(worker)} of another version?",
            evidence=tuple(
                Evidence(worker_key(worker), name, "cannot be read") for name in worker.problems
            ),
        )


def beats_late(worker: Worker) -> bool:
    """Whether a worker that seems stale is alive with a clock that is behind."""
    offset = worker.clock_offset_s
    return worker.state is WorkerState.STALE and offset is not None and offset < 0


def _clock_offset(worker: Worker, now: float) -> float | None:
    if worker.state in _ENDED:
        return None
    if worker.clock_offset_s is not None:
        return worker.clock_offset_s
    # A beat in the future needs no other proof; an old one may just be late.
    ahead = 0.0 if worker.last_beat_at is None else worker.last_beat_at - now
    return ahead if ahead > 0 else None


def _in_state(sight: DetectorContext, state: WorkerState) -> Iterator[Worker]:
    return (worker for worker in sight.snapshot.workers if worker.state is state)


def _parents(worker: Worker, state: str) -> list[str]:
    return sorted(name for name, entry in worker.recovery.items() if entry.state == state)


def _most_fails(worker: Worker, parents: list[str]) -> int:
    return max((worker.recovery[name].consecutive_fails or 0 for name in parents), default=0)


def _fails(worker: Worker, parents: list[str]) -> str:
    fails = _most_fails(worker, parents)
    return f", {amount(fails, 'fail')} in a row" if fails else ""


def _health(worker: Worker) -> tuple[Evidence, ...]:
    if worker.healthy is None:
        return ()
    return (Evidence(worker_key(worker), "healthy", "1" if worker.healthy else "0"),)


def _recovery(worker: Worker) -> Iterator[Evidence]:
    """One fact for each entry that is not idle, as the worker's own JSON has it."""
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
        Evidence("asynq:workers", worker.id, f"last beat {_whole(worker.last_beat_at)}"),
        Evidence(worker_key(worker), "", "no such key"),
    )


def _after_loss(worker: Worker, gone_s: float | None) -> str:
    again = f"start {program(worker).partition(' (pid')[0]} again"
    if worker.dialect is Dialect.ASYNQ or gone_s is None:
        return again
    left = RETURN_AFTER_S - gone_s
    if left > 0:
        return f"{again}; the tasks it held come back when their leases end, in ~{age(left)}"
    return f"{again}; if it was retired, remove it from asynq:workers"


def _weight(worker: Worker) -> float:
    return float(max(1, worker.concurrency or 1))


def _whole(at: float | None) -> str:
    return UNKNOWN if at is None else f"{at:.0f}"


DETECTORS = (degraded, recovering, lost, stale, clock_off, ghost, unreadable)
