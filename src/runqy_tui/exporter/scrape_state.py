"""What a scrape is answered from: the last poll, and counters that never decrease.

Counters in Redis may be deleted or reset; a Prometheus counter must not decrease.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot

REMEMBERED = 20_000
"""Counters of at most this many absent queues are kept, in case the queues return."""


class QueueTotals(NamedTuple):
    """Tasks processed successfully and tasks failed; ``None`` where unknown."""

    processed: float | None = None
    failed: float | None = None


@dataclass(slots=True)
class _CounterTracker:
    """Increases of one counter in Redis: it starts at its value; after a drop, from zero."""

    raw: int | None = None

    def increase(self, now: int) -> int:
        """Record the counter's present value and return its increase since the last one."""
        before, self.raw = self.raw, now
        return now if before is None or now < before else now - before


@dataclass(slots=True)
class _Successes:
    """Successful tasks: the difference of two counters where asynq counts attempts.

    The two are not read at the same instant, so the difference may decrease slightly; the exported
    value then remains constant until the difference exceeds it. While the counter semantics are
    unknown nothing is added; what happened meanwhile is added once they are known.
    """

    processed: _CounterTracker
    failed: _CounterTracker
    total: int | None = None
    exported: int = 0

    def update(self, queue: Queue) -> float | None:
        known, processed = queue.succeeded_total, queue.processed_total
        if known is None or processed is None:
            return None
        done = self.processed.increase(processed)
        failed = self.failed.increase(queue.failed_total or 0)
        if self.total is None:
            self.total = known
        else:
            self.total += done - failed if queue.dialect is Dialect.ASYNQ else done
        self.exported = max(self.exported, self.total)
        return float(self.exported)


@dataclass(slots=True)
class _QueueCounters:
    successes: _Successes
    failures: _CounterTracker
    failed_total: int = 0

    def update(self, queue: Queue) -> QueueTotals:
        """Add the increases since the last poll."""
        processed = self.successes.update(queue)
        if queue.failed_total is None:
            return QueueTotals(processed)
        self.failed_total += self.failures.increase(queue.failed_total)
        return QueueTotals(processed, float(self.failed_total))


class MonotonicCounters:
    """Counters of all queues that never decrease."""

    def __init__(self) -> None:
        self._counters: OrderedDict[QueueKey, _QueueCounters] = OrderedDict()

    def update(self, queues: Iterable[Queue]) -> dict[QueueKey, QueueTotals]:
        """Add one poll and return the totals of its queues."""
        totals = {}
        for queue in queues:
            counters = self._counters.get(queue.key)
            if counters is None:
                successes = _Successes(_CounterTracker(), _CounterTracker())
                counters = _QueueCounters(successes, _CounterTracker())
                self._counters[queue.key] = counters
            self._counters.move_to_end(queue.key)
            totals[queue.key] = counters.update(queue)
        while len(self._counters) > len(totals) + REMEMBERED:
            self._counters.popitem(last=False)
        return totals


@dataclass(frozen=True, slots=True)
class ScrapeHistogram:
    """Observed durations of one queue: cumulative counts per upper bound in seconds."""

    buckets: Sequence[tuple[float, int]]
    total_s: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class ScrapeFrame:
    """The last successful poll. ``received_at`` is :func:`time.monotonic`."""

    snapshot: Snapshot
    received_at: float
    totals: Mapping[QueueKey, QueueTotals] = field(default_factory=dict)
    histograms: Mapping[QueueKey, ScrapeHistogram] = field(default_factory=dict)
    findings: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ScrapeState:
    """State of the exporter; ``error`` is why the last poll failed, ``None`` if it succeeded.

    ``poll_s`` is the duration of the last successful poll in seconds.
    """

    frame: ScrapeFrame | None = None
    polls: int = 0
    errors: int = 0
    poll_s: float | None = None
    error: str | None = None

    def health_problem(self, now: float, patience_s: float) -> str | None:
        """Return why the exporter is unhealthy, in one line; ``None`` if the last poll was good.

        ``now`` is :func:`time.monotonic`; a poll older than ``patience_s`` seconds is a problem.
        """
        if self.error is not None:
            return self.error
        if self.frame is None:
            return "No poll has completed yet."
        age = now - self.frame.received_at
        return f"The last poll completed {age:.0f} s ago." if age > patience_s else None


def count_findings(findings: Sequence[Finding]) -> dict[tuple[str, str], int]:
    """Count findings per detector and severity name."""
    return dict(Counter((found.detector, found.severity.name.lower()) for found in findings))
