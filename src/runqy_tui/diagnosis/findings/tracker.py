"""Findings over time: since when each has lasted, and which are acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runqy_tui.diagnosis.findings.finding import Finding, urgency
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import batches, yield_to_loop

FORGET_AFTER_S = 10.0
"""A finding that is absent for less time, in seconds, flaps: it keeps its ``since``."""

WORSE_BY = 2.0
"""An acknowledgement ends when the weight of its finding has grown by this factor."""


@dataclass(slots=True)
class _Acknowledged:
    at: float
    severity: Severity
    weight: float


@dataclass(slots=True)
class _Known:
    first_seen: float
    last_seen: float
    before_start: bool
    severity: Severity
    weight: float
    absent: bool = False
    acknowledged: _Acknowledged | None = None


class FindingTracker:
    """Stateful: remembers each finding for as long as it lasts. Times are by Redis's clock."""

    def __init__(self, forget_after_s: float = FORGET_AFTER_S) -> None:
        self._forget_after_s = forget_after_s
        self._known: dict[str, _Known] = {}

    async def update(
        self, findings: Iterable[Finding], now: float, first_poll: bool = False
    ) -> tuple[Finding, ...]:
        """Return the findings of one poll with since, before_start and acknowledged_at, sorted.

        ``first_poll``: the findings were already present when the monitor started.
        """
        found = {finding.id: finding for finding in findings}
        self._forget(found, now)
        await yield_to_loop()
        tracked: list[Finding] = []
        for batch in batches(found.values()):
            tracked += [self._track(finding, now, first_poll) for finding in batch]
            await yield_to_loop()
        return tuple(sorted(tracked, key=urgency))

    def acknowledge(self, finding_id: str, now: float) -> bool:
        """Acknowledge a finding until it gets worse; return whether there is such a finding."""
        known = self._known.get(finding_id)
        if known is None:
            return False
        known.acknowledged = _Acknowledged(now, known.severity, known.weight)
        return True

    def acknowledged_at(self, finding_id: str) -> float | None:
        """Return when a finding was acknowledged; ``None`` if not, or if it got worse since."""
        known = self._known.get(finding_id)
        return None if known is None or known.acknowledged is None else known.acknowledged.at

    def shift(self, seconds: float) -> None:
        """Move all moments by these seconds, as Redis's clock was set."""
        for known in self._known.values():
            known.first_seen += seconds
            known.last_seen += seconds
            if known.acknowledged is not None:
                known.acknowledged.at += seconds

    def _track(self, finding: Finding, now: float, first_poll: bool) -> Finding:
        known = self._known.get(finding.id)
        if known is None:
            known = _Known(now, now, first_poll, finding.severity, finding.weight)
            self._known[finding.id] = known
        known.last_seen, known.absent = now, False
        known.severity, known.weight = finding.severity, finding.weight
        if known.acknowledged is not None and _worse(finding, known.acknowledged):
            known.acknowledged = None
        acknowledged_at = None if known.acknowledged is None else known.acknowledged.at
        if finding.since_known:
            # The writer's clock, or Redis's, may have been set: since is never in the future.
            since = None if finding.since is None else min(finding.since, now)
            return finding._replace(since=since, acknowledged_at=acknowledged_at)
        return finding._replace(
            since=known.first_seen,
            before_start=known.before_start,
            acknowledged_at=acknowledged_at,
        )

    def _forget(self, found: dict[str, Finding], now: float) -> None:
        """Drop findings that were absent for too long. A pause in polling is no absence."""
        for finding_id, known in list(self._known.items()):
            away = not 0 <= now - known.last_seen <= self._forget_after_s
            if finding_id not in found:
                known.absent = True
            if known.absent and away:
                del self._known[finding_id]


def _worse(finding: Finding, then: _Acknowledged) -> bool:
    heavier = finding.weight > then.weight and finding.weight >= WORSE_BY * then.weight
    return finding.severity > then.severity or heavier
