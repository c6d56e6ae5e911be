"""The registry of detectors: each is declared once, with its documentation, and found by itself.

A detector is a function in any module of :mod:`runqy_tui.diagnosis.detectors` under the
decorator :func:`detector`. Nothing else has to name it: rules, the runbook and the check of each
poll ask :func:`detectors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding, Subject, SubjectKind, urgency
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import yield_to_loop

_PACKAGE = "runqy_tui.diagnosis.detectors"

Detect: TypeAlias = Callable[[DetectorContext], Iterator[Finding]]


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """A check for one condition, and what an operator needs to know about it.

    ``id`` is stable: rules, metrics and acknowledgements use it. ``severity`` is the highest that
    it reports. ``title`` is a short name of the condition; ``meaning`` explains it and its
    consequences; ``evidence`` lists the Redis keys, fields or observations that prove it; ``fix``
    is what to do. All four are plain text for operators.
    """

    id: str
    severity: Severity
    title: str
    meaning: str
    evidence: str
    fix: str
    detect: Detect

    def finding(
        self,
        subject: Subject,
        *,
        reason: str,
        sentence: str,
        next_step: str,
        evidence: Sequence[Evidence] = (),
        severity: Severity | None = None,
        since: float | None = None,
        weight: float = 0.0,
    ) -> Finding:
        """Build a finding of this detector, of its own severity unless a lower one is named.

        ``since`` is the unix second that the data proves, ``None`` if it proves none.
        """
        return Finding(
            detector=self.id,
            severity=self.severity if severity is None else severity,
            subject=subject,
            reason=reason,
            sentence=sentence,
            next_step=next_step,
            evidence=tuple(evidence),
            since=since,
            since_known=since is not None,
            weight=weight,
        )


_REGISTERED: dict[str, Detector] = {}


def detector(
    name: str, *, severity: Severity, title: str, meaning: str, evidence: str, fix: str
) -> Callable[[Detect], Detector]:
    """Declare a function to be a detector and register it; see :class:`Detector`.

    Raises ValueError where another detector has the same id.
    """

    def register(detect: Detect) -> Detector:
        if name in _REGISTERED:
            raise ValueError(f"there are two detectors {name!r}")
        found = Detector(name, severity, title, meaning, evidence, fix, detect)
        _REGISTERED[name] = found
        return found

    return register


@cache
def detectors() -> tuple[Detector, ...]:
    """Return all detectors, ordered by id, after loading every module of the package."""
    for module in iter_modules(import_module(_PACKAGE).__path__, f"{_PACKAGE}."):
        import_module(module.name)
    return tuple(_REGISTERED[name] for name in sorted(_REGISTERED))


async def diagnose(
    context: DetectorContext, chosen: Sequence[Detector] | None = None
) -> tuple[Finding, ...]:
    """Run detectors, all by default, and return their findings, the most urgent first."""
    found: list[Finding] = []
    for one in detectors() if chosen is None else chosen:
        await _run(one, context, found)
    return tuple(sorted(found, key=urgency))


async def _run(one: Detector, context: DetectorContext, found: list[Finding]) -> None:
    """Add the findings of one detector; if it fails, that is a finding and hides no other."""
    try:
        for finding in one.detect(context):
            found.append(finding)
            await yield_to_loop()
    except Exception as error:  # noqa: BLE001 -- a boundary: the other detectors still run
        found.append(_failed(one, error))
    await yield_to_loop()


@detector(
    "detector-failed",
    severity=Severity.WARNING,
    title="A check failed",
    meaning="A fault in runqy-tui itself: one of its checks ended with an error, so the condition "
    "that it checks for may be present without being reported. All other checks are unaffected.",
    evidence="The id of the check and the type and text of the error.",
    fix="Report the finding and its evidence to the authors of runqy-tui; an upgrade may help.",
)
def detector_failed(_: DetectorContext) -> Iterator[Finding]:
    """Find nothing: :func:`diagnose` reports this when another detector raises."""
    return iter(())


def _failed(one: Detector, error: Exception) -> Finding:
    return detector_failed.finding(
        Subject(SubjectKind.REDIS, one.id),
        reason="check failed",
        sentence=f"the check {one.id} failed ({type(error).__name__}): "
        "whether its condition is present is unknown",
        next_step="report this line as a fault in runqy-tui",
        evidence=(Evidence(one.id, type(error).__name__, str(error)),),
    )
