"""Every detector, and what they all say together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from runqy_tui.diagnosis.findings import (
    backlog_detectors,
    overdue_detectors,
    queue_detectors,
    server_detectors,
    task_detectors,
    worker_detectors,
)
from runqy_tui.diagnosis.findings.finding import (
    DetectorContext,
    Evidence,
    Finding,
    Subject,
    SubjectKind,
)
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import Steps, at_once

Detector: TypeAlias = Callable[[DetectorContext], Iterator[Finding]]

DETECTORS: tuple[Detector, ...] = (
    *server_detectors.DETECTORS,
    *worker_detectors.DETECTORS,
    *queue_detectors.DETECTORS,
    *backlog_detectors.DETECTORS,
    *overdue_detectors.DETECTORS,
    *task_detectors.DETECTORS,
)


def diagnose(
    sight: DetectorContext, detectors: Sequence[Detector] = DETECTORS
) -> tuple[Finding, ...]:
    """Everything that is wrong, the most urgent first: see :func:`urgency`."""
    return at_once(diagnosing(sight, detectors))


def diagnosing(
    sight: DetectorContext, detectors: Sequence[Detector] = DETECTORS
) -> Steps[tuple[Finding, ...]]:
    """The same in steps: an incident in a thousand queues has a thousand findings."""
    found: list[Finding] = []
    for detector in detectors:
        yield from _run(detector, sight, found)
    return tuple(sorted(found, key=urgency))


def urgency(finding: Finding) -> tuple[int, float, float, str]:
    """Sort key: severity, then weight, then the oldest, then the id."""
    since = float("inf") if finding.since is None else finding.since
    return -finding.severity, -finding.weight, since, finding.id


def _run(detector: Detector, sight: DetectorContext, found: list[Finding]) -> Steps[None]:
    """Add what one detector says; one that fails is itself a finding and hides no other."""
    try:
        for finding in detector(sight):
            found.append(finding)
            yield
    except Exception as error:  # noqa: BLE001 -- a boundary: the others still have their say
        found.append(_failed(detector, error))
    yield


def _failed(detector: Detector, error: Exception) -> Finding:
    name = f"{detector.__module__.rpartition('.')[2]}.{detector.__name__}"
    return Finding(
        detector="detector-failed",
        severity=Severity.WARNING,
        subject=Subject(SubjectKind.REDIS, name),
        reason="a check failed",
        sentence=f"the check {name} failed ({type(error).__name__}): what it looks for is unknown",
        next_step="this is a fault in runqy-tui: please report it with this line",
        evidence=(Evidence(name, type(error).__name__, str(error)),),
    )
