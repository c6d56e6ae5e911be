"""What a scrape sees: replaced as a whole after each poll, never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.exporter.counters import Totals
from runqy_tui.model import QueueKey, Snapshot


@dataclass(frozen=True, slots=True)
class ScrapeHistogram:
    """Observed durations of one queue: cumulative counts per upper bound in seconds."""

    buckets: Sequence[tuple[float, int]]
    total_s: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class ScrapeFrame:
    """The last good poll. ``received_at`` is :func:`time.monotonic`."""

    snapshot: Snapshot
    received_at: float
    totals: Mapping[QueueKey, Totals] = field(default_factory=dict)
    histograms: Mapping[QueueKey, ScrapeHistogram] = field(default_factory=dict)
    findings: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ScrapeState:
    """The exporter as of now; ``error`` is why the last poll failed, ``None`` if it did not."""

    frame: ScrapeFrame | None = None
    polls: int = 0
    errors: int = 0
    poll_s: float | None = None
    error: str | None = None

    def sick(self, now: float, patience_s: float) -> str | None:
        """Why ``/healthz`` must say no, in one line; ``None`` where the last poll was good."""
        if self.error is not None:
            return self.error
        if self.frame is None:
            return "No poll has ended yet."
        age = now - self.frame.received_at
        return f"The last poll ended {age:.0f} s ago." if age > patience_s else None


def tally(findings: Sequence[Finding]) -> dict[tuple[str, str], int]:
    """Number of findings per detector and severity."""
    return dict(Counter((found.detector, found.severity.name.lower()) for found in findings))
