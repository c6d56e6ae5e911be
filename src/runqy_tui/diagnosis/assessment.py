"""How bad is it: a severity and a few words for every worker and queue.

Pure functions of a snapshot and its findings, used for colour, sign and default order on every
screen. What is wrong is decided in :mod:`runqy_tui.diagnosis.findings` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Finding, SubjectKind, urgency
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.model import Queue, Snapshot, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import History
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.humanize import age


class Trouble(NamedTuple):
    """A severity and why; ``reason`` is empty where all is well."""

    severity: Severity
    reason: str = ""


class Assessment(NamedTuple):
    """Every object of one snapshot, judged once."""

    workers: Mapping[str, Trouble]
    queues: Mapping[object, Trouble]

    def tally(self, severity: Severity) -> int:
        """How many workers and queues have this severity."""
        both = (*self.workers.values(), *self.queues.values())
        return sum(trouble.severity is severity for trouble in both)


async def assess(snapshot: Snapshot, findings: Iterable[Finding] | None = None) -> Assessment:
    """Classify all workers and queues of a snapshot by the findings about them.

    ``findings=None`` stands for those that the detectors find in this snapshot alone.
    """
    if findings is None:
        findings = await diagnose(DetectorContext(snapshot, History()))
    workers: dict[object, list[Finding]] = defaultdict(list)
    queues: dict[object, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.subject.kind is SubjectKind.WORKER:
            workers[finding.subject.name].append(finding)
        elif finding.subject.queue is not None:  # a task's finding is its queue's trouble too
            queues[finding.subject.queue].append(finding)
    await yield_to_loop()
    of_workers: dict[str, Trouble] = {}
    for batch in batches(snapshot.workers):
        of_workers |= {
            one.id: worker_trouble(snapshot, one, workers.get(one.id, ())) for one in batch
        }
        await yield_to_loop()
    of_queues: dict[object, Trouble] = {}
    for few in batches(snapshot.queues):
        of_queues |= {one.key: queue_trouble(one, queues.get(one.key, ())) for one in few}
        await yield_to_loop()
    return Assessment(workers=of_workers, queues=of_queues)


def worker_trouble(snapshot: Snapshot, worker: Worker, findings: Sequence[Finding]) -> Trouble:
    """Judge one worker by the findings about it, else by its state."""
    return _judge(_calm_worker(snapshot, worker), findings)


def queue_trouble(queue: Queue, findings: Sequence[Finding]) -> Trouble:
    """Judge one queue by the findings about it and its tasks, else by what it does."""
    return _judge(_calm_queue(queue), findings)


def _judge(calm: Trouble, findings: Sequence[Finding]) -> Trouble:
    """The worst finding that nobody has acknowledged, else the calm view with what is known."""
    if not findings:
        return calm
    fresh = [finding for finding in findings if finding.acknowledged_at is None]
    if fresh:
        worst = min(fresh, key=urgency)
        return Trouble(worst.severity, worst.reason)
    return Trouble(calm.severity, f"acknowledged: {min(findings, key=urgency).reason}")


_FINE, _BUSY, _IDLE = Trouble(Severity.FINE), Trouble(Severity.BUSY), Trouble(Severity.IDLE)
"""Nearly every object's trouble, at every poll: made once."""


def _calm_worker(snapshot: Snapshot, worker: Worker) -> Trouble:
    if worker.state is WorkerState.RUNNING:
        return _BUSY if worker.active_count else _FINE
    if worker.state is WorkerState.BOOTSTRAPPING:
        return Trouble(Severity.BUSY, "starting")
    if worker.state is WorkerState.STOPPED:
        return Trouble(Severity.IDLE, "stopped cleanly")
    gone = snapshot.last_beat_age_s(worker)
    if worker.state is WorkerState.LOST and gone is not None:
        return Trouble(Severity.IDLE, f"no heartbeat for {age(gone)}")
    return Trouble(Severity.IDLE, worker.state.value)


def _calm_queue(queue: Queue) -> Trouble:
    if queue.counts.pending or queue.counts.active:
        return _BUSY
    return _FINE if queue.consumers else _IDLE
