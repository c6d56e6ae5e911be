"""What front ends show: the latest good snapshot, its age, and everything derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from runqy_tui.diagnosis.assessment import Assessment, assess
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import QueueKey, Snapshot
from runqy_tui.monitor.poller import PollResult
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.observation.history import Trend
from runqy_tui.runtime.cooperative import run_to_end

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis

Rates = Trend
"""A trend as the tables use it: ``done_per_s`` and ``failed_per_s``."""


class ConnectionState(StrEnum):
    """State of the connection to Redis."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What to show: one snapshot with everything derived from it.

    ``received_at`` is :func:`time.monotonic` of the snapshot's arrival. ``frozen_at`` (Redis's
    clock) is set while the display is frozen; polling continues, and ``link``, ``error``,
    ``failures`` and ``retry_at`` are current even then. ``unread``: why some tasks could not be
    checked; ``checking``: tasks are being checked for the first time.
    """

    snapshot: Snapshot | None = None
    assessment: Assessment = field(default_factory=lambda: Assessment({}, {}))
    findings: tuple[Finding, ...] = ()
    trends: Mapping[QueueKey, Trend] = field(default_factory=dict)
    durations: Mapping[QueueKey, ObservedDurations] = field(default_factory=dict)
    received_at: float = 0.0
    link: ConnectionState = ConnectionState.CONNECTING
    error: str | None = None
    failures: int = 0
    retry_at: float | None = None
    frozen_at: float | None = None
    unread: str | None = None
    checking: bool = False

    @property
    def rates(self) -> Mapping[QueueKey, Rates]:
        """The trends, under the name that the tables use."""
        return self.trends


class Store:
    """Turns poll results into a :class:`View`. Keeps the latest one only."""

    def __init__(self) -> None:
        self.live = View()
        self._frozen: View | None = None

    @property
    def view(self) -> View:
        """The frozen view, or the live one."""
        return self._frozen or self.live

    @property
    def frozen(self) -> bool:
        """Whether the display is frozen."""
        return self._frozen is not None

    def apply(self, result: PollResult) -> None:
        """Update the view from one poll; a failed one keeps the last good data."""
        if result.snapshot is None:
            self._lose(result)
            return
        known = result.diagnosis
        self.live = View(
            snapshot=result.snapshot,
            assessment=_assessed(result.snapshot, known),
            findings=known.findings if known else (),
            trends=known.trends if known else {},
            durations=known.durations if known else {},
            received_at=result.at,
            link=ConnectionState.LIVE,
            unread=known.unread if known else None,
            checking=result.preview,
        )
        if self._frozen is not None and self._frozen.link is not ConnectionState.LIVE:
            self._frozen = _linked_as(self._frozen, self.live)

    def acknowledge(self, moments: Mapping[str, float]) -> None:
        """Show findings as acknowledged at once, before the next poll brings them as such.

        ``moments``: when each was acknowledged, by Redis's clock, by the findings' ids.
        """
        self.live = _acknowledged(self.live, moments)
        if self._frozen is not None:
            self._frozen = _acknowledged(self._frozen, moments)

    def freeze(self) -> None:
        """Keep the present view until :meth:`thaw`."""
        if self.live.snapshot is not None:
            self._frozen = replace(self.live, frozen_at=self.live.snapshot.taken_at)

    def thaw(self) -> None:
        """Show live data again."""
        self._frozen = None

    def _lose(self, result: PollResult) -> None:
        retry_at = None if result.retry_in_s is None else result.at + result.retry_in_s
        self.live = replace(
            self.live,
            link=ConnectionState.LOST,
            error=result.error,
            failures=result.failures,
            retry_at=retry_at,
        )
        if self._frozen is not None:  # data may be frozen, a lost connection must show
            self._frozen = _linked_as(self._frozen, self.live)


def _assessed(snapshot: Snapshot, known: Diagnosis | None) -> Assessment:
    if known is None:
        return run_to_end(assess(snapshot))
    return known.assessment or run_to_end(assess(snapshot, known.findings))


def _linked_as(view: View, live: View) -> View:
    return replace(
        view,
        link=live.link,
        error=live.error,
        failures=live.failures,
        retry_at=live.retry_at,
    )


def _acknowledged(view: View, moments: Mapping[str, float]) -> View:
    findings = tuple(
        finding._replace(acknowledged_at=moments[finding.id]) if finding.id in moments else finding
        for finding in view.findings
    )
    snapshot = view.snapshot
    assessment = view.assessment
    if snapshot is not None:
        assessment = run_to_end(assess(snapshot, findings))
    return replace(view, findings=findings, assessment=assessment)
