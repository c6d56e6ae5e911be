"""Sights built by hand, and what the detectors make of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runqy_tui.diagnosis.findings.finding import Finding, Sight
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.model import (
    Audit,
    AuditedTask,
    AuditWindow,
    Queue,
    QueueKey,
    Snapshot,
    TaskState,
    Worker,
)
from runqy_tui.observation.history import History
from tests.unit.core.builders import NOW, snapshot


def sight(
    *,
    workers: Iterable[Worker] = (),
    queues: Iterable[Queue] = (),
    history: History | None = None,
    fields: dict[str, Any] | None = None,
    **more: Any,
) -> Sight:
    """What detectors see; ``fields`` are the snapshot's."""
    seen = snapshot(workers=tuple(workers), queues=tuple(queues), **(fields or {}))
    return Sight(seen, history or History(), **more)


def found(one: Sight, detector: str) -> list[Finding]:
    """The findings of one detector; no check may have failed."""
    findings = diagnose(one)
    assert [f.sentence for f in findings if f.detector == "detector-failed"] == []
    return [finding for finding in findings if finding.detector == detector]


def names(one: Sight) -> list[str]:
    """Detectors that spoke, in their order of urgency."""
    return [finding.detector for finding in diagnose(one)]


def past(*polls: Snapshot) -> History:
    """A history of these polls."""
    history = History()
    for poll in polls:
        history.add(poll)
    return history


def audit(
    name: str, state: TaskState, *tasks: AuditedTask, total: int | None = None, at: float = NOW
) -> Audit:
    """A look at the oldest tasks of a state; by default it shows all there are."""
    window = AuditWindow(QueueKey(name), state, 0, 50)
    return Audit(window, at, len(tasks) if total is None else total, tasks)
