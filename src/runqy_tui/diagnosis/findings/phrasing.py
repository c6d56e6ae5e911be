"""The words and keys of findings: names cut to a length, counts, places, Redis keys as text."""

from __future__ import annotations

from collections.abc import Sequence

from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import Dialect, Queue, QueueKey, TaskState, Worker
from runqy_tui.text.humanize import amount, clock

LONGEST_NAME = 64
"""A name may have any length; a sentence has not."""


def short(name: str, most: int = LONGEST_NAME) -> str:
    """A name that fits into a sentence, cut in the middle: both ends tell names apart."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def queue_name(key: QueueKey) -> str:
    """A queue's name in a sentence."""
    return short(key.name) if key.braced else f"{short(key.name)} (no braces)"


def some(names: Sequence[str], most: int = 2) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(short(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def program(worker: Worker) -> str:
    """The program and where it runs: ``runqy-worker on gpu-7 (pid 4312)``."""
    name = "the asynq program" if worker.dialect is Dialect.ASYNQ else "runqy-worker"
    host, pid = host_of(worker.id)
    return f"{name} {short(worker.id)}" if pid is None else f"{name} on {short(host)} (pid {pid})"


def host_of(worker_id: str) -> tuple[str, str | None]:
    """Host and process id of ``host:pid`` or, in asynq, ``host:pid:uuid``."""
    parts = worker_id.split(":")
    if len(parts) in (2, 3) and parts[0] and parts[1].isdecimal():
        return parts[0], parts[1]
    return worker_id, None


def restart(workers: Sequence[Worker]) -> str:
    """The step that brings sick workers back."""
    more = f", and {amount(len(workers) - 1, 'more worker')}" if len(workers) > 1 else ""
    return f"restart {program(workers[0])}{more}"


def at_clock(at: float, now: float) -> str:
    """A moment in a sentence, in UTC."""
    return f"{clock(at, now)} UTC"


def told_since(finding: Finding, now: float) -> str:
    """The sentence, and since when where the sentence does not say so itself."""
    if finding.since is None or finding.since_known:
        return finding.sentence
    if finding.before_start:
        return f"{finding.sentence}, since before {at_clock(finding.since, now)}"
    return f"{finding.sentence}, since {at_clock(finding.since, now)}"


def about_worker(worker: Worker) -> Subject:
    """The subject of a worker's finding."""
    return Subject(SubjectKind.WORKER, worker.id)


def about_queue(queue: Queue) -> Subject:
    """The subject of a queue's finding."""
    return Subject(SubjectKind.QUEUE, queue.name, queue.key)


def worker_key(worker: Worker) -> str:
    """Key of a worker's own record."""
    if worker.dialect is Dialect.ASYNQ:
        return f"asynq:servers:{{{worker.id}}}"
    return f"asynq:workers:{worker.id}"


def queue_key(queue: QueueKey, what: TaskState | str) -> str:
    """Key of a state or another part of a queue."""
    name = f"{{{queue.name}}}" if queue.braced else queue.name
    return f"asynq:{name}:{what.value if isinstance(what, TaskState) else what}"


def task_key(queue: QueueKey, task_id: str) -> str:
    """Key of a task's hash."""
    return f"asynq:{{{queue.name}}}:t:{task_id}" if queue.braced else f"asynq:t:{task_id}"
