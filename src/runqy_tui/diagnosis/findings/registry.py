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
from runqy_tui.runtime.cooperative import yield_to_loop

Detector: TypeAlias = Callable[[DetectorContext], Iterator[Finding]]

DETECTORS: tuple[Detector, ...] = (
    *server_detectors.DETECTORS,
    *worker_detectors.DETECTORS,
    *queue_detectors.DETECTORS,
    *backlog_detectors.DETECTORS,
    *overdue_detectors.DETECTORS,
    *task_detectors.DETECTORS,
)


async def diagnose(
    sight: DetectorContext, detectors: Sequence[Detector] = DETECTORS
) -> tuple[Finding, ...]:
    """Run the detectors and return all findings, the most urgent first: see :func:`urgency`."""
    found: list[Finding] = []
    for detector in detectors:
        await _run(detector, sight, found)
    return tuple(sorted(found, key=urgency))


def urgency(finding: Finding) -> tuple[int, float, float, str]:
    """Sort key: severity, then weight, then the oldest, then the id."""
    since = float("inf") if finding.since is None else finding.since
    return -finding.severity, -finding.weight, since, finding.id


async def _run(detector: Detector, sight: DetectorContext, found: list[Finding]) -> None:
    """Add what one detector says; one that fails is itself a finding and hides no other."""
    try:
        for finding in detector(sight):
            found.append(finding)
            await yield_to_loop()
    except Exception as error:  # noqa: BLE001 -- a boundary: the others still have their say
        found.append(_failed(detector, error))
    await yield_to_loop()


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
