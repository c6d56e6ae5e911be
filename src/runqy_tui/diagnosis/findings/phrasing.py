"""The words of findings: shortened names, counts and times in a sentence, Redis keys as text."""

from __future__ import annotations

from collections.abc import Sequence

from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import Dialect, Queue, QueueKey, TaskState, Worker
from runqy_tui.text.humanize import amount, clock

MAX_NAME = 64
"""Characters of a name in a sentence; a name itself may have any length."""


def short(name: str, most: int = MAX_NAME) -> str:
    """Shorten a name for a sentence, in the middle: both ends tell names apart."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def queue_name(key: QueueKey) -> str:
    """Format a queue's name for a sentence."""
    return short(key.name) if key.braced else f"{short(key.name)} (no braces)"


def join_names(names: Sequence[str], most: int = 2) -> str:
    """Format names as ``a, b and 3 more``."""
    shown = ", ".join(short(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def program(worker: Worker) -> str:
    """Name the program and where it runs: ``runqy-worker on gpu-7 (pid 4312)``."""
    name = "the asynq program" if worker.dialect is Dialect.ASYNQ else "runqy-worker"
    host, pid = host_of(worker.id)
    return f"{name} {short(worker.id)}" if pid is None else f"{name} on {short(host)} (pid {pid})"


def program_on_host(worker: Worker) -> str:
    """Name the program without its process id, which a new start changes."""
    return program(worker).partition(" (pid")[0]


def host_of(worker_id: str) -> tuple[str, str | None]:
    """Split ``host:pid`` or, in asynq, ``host:pid:uuid`` into host and process id."""
    parts = worker_id.split(":")
    if len(parts) in (2, 3) and parts[0] and parts[1].isdecimal():
        return parts[0], parts[1]
    return worker_id, None


def restart_step(workers: Sequence[Worker]) -> str:
    """Word the next step that restarts these workers, the first of them by name."""
    more = f", and {amount(len(workers) - 1, 'more worker')}" if len(workers) > 1 else ""
    return f"restart {program(workers[0])}{more}"


def utc_clock(at: float, now: float) -> str:
    """Format a moment for a sentence, in UTC; with its date if that is not today."""
    return f"{clock(at, now)} UTC"


def sentence_with_since(finding: Finding, now: float) -> str:
    """Return the sentence, with the time since when if the sentence itself does not hold it."""
    if finding.since is None or finding.since_known:
        return finding.sentence
    if finding.before_start:
        return f"{finding.sentence}, since before {utc_clock(finding.since, now)}"
    return f"{finding.sentence}, since {utc_clock(finding.since, now)}"


def worker_subject(worker: Worker) -> Subject:
    """Return the subject of a worker's finding."""
    return Subject(SubjectKind.WORKER, worker.id)


def queue_subject(queue: Queue) -> Subject:
    """Return the subject of a queue's finding."""
    return Subject(SubjectKind.QUEUE, queue.name, queue.key)


def worker_key(worker: Worker) -> str:
    """Return the key of a worker's own record, as text."""
    if worker.dialect is Dialect.ASYNQ:
        return f"asynq:servers:{{{worker.id}}}"
    return f"asynq:workers:{worker.id}"


def queue_key(queue: QueueKey, part: TaskState | str) -> str:
    """Return the key of a state or another part of a queue, as text."""
    name = f"{{{queue.name}}}" if queue.braced else queue.name
    return f"asynq:{name}:{part.value if isinstance(part, TaskState) else part}"


def task_key(queue: QueueKey, task_id: str) -> str:
    """Return the key of a task's hash, as text."""
    return f"asynq:{{{queue.name}}}:t:{task_id}" if queue.braced else f"asynq:t:{task_id}"
