"""Assessment: a severity and a few words for every worker and queue.

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


class Condition(NamedTuple):
    """A severity and why; ``reason`` is empty where nothing is wrong."""

    severity: Severity
    reason: str = ""


class Assessment(NamedTuple):
    """The severity of every worker and queue of one snapshot."""

    workers: Mapping[str, Condition]
    queues: Mapping[object, Condition]

    def tally(self, severity: Severity) -> int:
        """Return how many workers and queues have this severity."""
        both = (*self.workers.values(), *self.queues.values())
        return sum(condition.severity is severity for condition in both)


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
        elif finding.subject.queue is not None:  # a task's finding counts for its queue
            queues[finding.subject.queue].append(finding)
    await yield_to_loop()
    of_workers: dict[str, Condition] = {}
    for batch in batches(snapshot.workers):
        of_workers |= {
            one.id: classify_worker(snapshot, one, workers.get(one.id, ())) for one in batch
        }
        await yield_to_loop()
    of_queues: dict[object, Condition] = {}
    for few in batches(snapshot.queues):
        of_queues |= {one.key: classify_queue(one, queues.get(one.key, ())) for one in few}
        await yield_to_loop()
    return Assessment(workers=of_workers, queues=of_queues)


def classify_worker(snapshot: Snapshot, worker: Worker, findings: Sequence[Finding]) -> Condition:
    """Classify one worker by the findings about it, else by its state."""
    return _classify(_quiet_worker(snapshot, worker), findings)


def classify_queue(queue: Queue, findings: Sequence[Finding]) -> Condition:
    """Classify one queue by the findings about it and its tasks, else by its activity."""
    return _classify(_quiet_queue(queue), findings)


def _classify(quiet: Condition, findings: Sequence[Finding]) -> Condition:
    """Return the worst finding that is not acknowledged, else the state without findings."""
    if not findings:
        return quiet
    fresh = [finding for finding in findings if finding.acknowledged_at is None]
    if fresh:
        worst = min(fresh, key=urgency)
        return Condition(worst.severity, worst.reason)
    return Condition(quiet.severity, f"acknowledged: {min(findings, key=urgency).reason}")


_FINE, _BUSY, _IDLE = Condition(Severity.FINE), Condition(Severity.BUSY), Condition(Severity.IDLE)
"""Shared: nearly every object has one of these at every poll."""


def _quiet_worker(snapshot: Snapshot, worker: Worker) -> Condition:
    if worker.state is WorkerState.RUNNING:
        return _BUSY if worker.active_count else _FINE
    if worker.state is WorkerState.BOOTSTRAPPING:
        return Condition(Severity.BUSY, "starting")
    if worker.state is WorkerState.STOPPED:
        return Condition(Severity.IDLE, "stopped cleanly")
    gone = snapshot.last_beat_age_s(worker)
    if worker.state is WorkerState.LOST and gone is not None:
        return Condition(Severity.IDLE, f"no heartbeat for {age(gone)}")
    return Condition(Severity.IDLE, worker.state.value)


def _quiet_queue(queue: Queue) -> Condition:
    if queue.counts.pending or queue.counts.active:
        return _BUSY
    return _FINE if queue.consumers else _IDLE
