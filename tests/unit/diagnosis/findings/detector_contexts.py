"""Sights built by hand, and what the detectors make of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.model import (
    CheckedTask,
    CheckWindow,
    Queue,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
    Worker,
)
from runqy_tui.observation.history import History
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW, snapshot


def sight(
    *,
    workers: Iterable[Worker] = (),
    queues: Iterable[Queue] = (),
    history: History | None = None,
    fields: dict[str, Any] | None = None,
    **more: Any,
) -> DetectorContext:
    """What detectors see; ``fields`` are the snapshot's."""
    seen = snapshot(workers=tuple(workers), queues=tuple(queues), **(fields or {}))
    return DetectorContext(seen, history or History(), **more)


def found(one: DetectorContext, detector: str) -> list[Finding]:
    """The findings of one detector; no check may have failed."""
    findings = run_to_end(diagnose(one))
    assert [f.sentence for f in findings if f.detector == "detector-failed"] == []
    return [finding for finding in findings if finding.detector == detector]


def names(one: DetectorContext) -> list[str]:
    """Detectors that spoke, in their order of urgency."""
    return [finding.detector for finding in run_to_end(diagnose(one))]


def past(*polls: Snapshot) -> History:
    """A history of these polls."""
    history = History()
    for poll in polls:
        run_to_end(history.observe(poll))
    return history


def audit(
    name: str, state: TaskState, *tasks: CheckedTask, total: int | None = None, at: float = NOW
) -> WindowCheck:
    """A look at the oldest tasks of a state; by default it shows all there are."""
    window = CheckWindow(QueueKey(name), state, 0, 50)
    return WindowCheck(window, at, len(tasks) if total is None else total, tasks)
