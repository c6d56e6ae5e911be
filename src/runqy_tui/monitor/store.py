"""What the front ends show: the latest good snapshot, how old it is, and what it means."""

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
"""What the screens ask of a trend: ``done_per_s`` and ``failed_per_s``."""


class ConnectionState(StrEnum):
    """State of the connection to Redis."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One consistent picture for the screen.

    ``received_at`` is :func:`time.monotonic` of the snapshot's arrival. ``frozen_at`` (Redis's
    clock) is set while the screen is frozen; polling goes on behind it, and ``link``, ``error``,
    ``failures`` and ``retry_at`` are those of the present even then. ``unread``: why single tasks
    were not looked at; ``looking``: they are just being looked at for the first time.
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
    looking: bool = False

    @property
    def rates(self) -> Mapping[QueueKey, Rates]:
        """The trends, for those who only want rates."""
        return self.trends


class Store:
    """Takes poll results in, gives :class:`View` out. Remembers nothing but the latest picture."""

    def __init__(self) -> None:
        self.live = View()
        self._frozen: View | None = None

    @property
    def view(self) -> View:
        """What to show: the frozen picture, or the live one."""
        return self._frozen or self.live

    @property
    def frozen(self) -> bool:
        """Whether the screen stands still."""
        return self._frozen is not None

    def apply(self, result: PollResult) -> None:
        """Take in one poll; a failed one keeps the last good data."""
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
            looking=result.early,
        )
        if self._frozen is not None and self._frozen.link is not ConnectionState.LIVE:
            self._frozen = _linked_as(self._frozen, self.live)

    def acknowledge(self, moments: Mapping[str, float]) -> None:
        """Show findings as acknowledged at once; the next poll brings the tracker's word.

        ``moments`` tells by Redis's clock when each was, by the findings' ids.
        """
        self.live = _acknowledged(self.live, moments)
        if self._frozen is not None:
            self._frozen = _acknowledged(self._frozen, moments)

    def freeze(self) -> None:
        """Hold the present picture until :meth:`thaw`."""
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
        if self._frozen is not None:  # a picture may stand still, a lost connection must show
            self._frozen = _linked_as(self._frozen, self.live)


def _assessed(snapshot: Snapshot, known: Diagnosis | None) -> Assessment:
    if known is None:
        return run_to_end(assess(snapshot))
    return known.assessment or run_to_end(assess(snapshot, known.findings))


def _linked_as(picture: View, live: View) -> View:
    return replace(
        picture,
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
