"""Counters that never go backwards, made of counters in Redis that may."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot

REMEMBERED = 20_000
"""Queues that left and are still remembered, in case they come back."""


class Totals(NamedTuple):
    """Tasks processed successfully and tasks failed; ``None`` where nobody can tell."""

    processed: float | None = None
    failed: float | None = None


@dataclass(slots=True)
class _Counter:
    """Follows one counter in Redis: begins at its value, and a fall counts from zero anew."""

    raw: int | None = None

    def rise(self, now: int) -> int:
        """By how much it rose since it was last read."""
        before, self.raw = self.raw, now
        return now if before is None or now < before else now - before


@dataclass(slots=True)
class _Successes:
    """Successes, as a difference of two counters where asynq counts tries.

    The two are not read at one instant, so the difference may seem to fall by a few: what is
    shown then waits until it has caught up. While nobody can tell who counts, nothing is added;
    what happened meanwhile is added once it is known.
    """

    processed: _Counter
    failed: _Counter
    total: int | None = None
    shown: int = 0

    def take(self, queue: Queue) -> float | None:
        known, processed = queue.succeeded_total, queue.processed_total
        if known is None or processed is None:
            return None
        done = self.processed.rise(processed)
        failed = self.failed.rise(queue.failed_total or 0)
        if self.total is None:
            self.total = known
        else:
            self.total += done - failed if queue.dialect is Dialect.ASYNQ else done
        self.shown = max(self.shown, self.total)
        return float(self.shown)


@dataclass(slots=True)
class _Account:
    successes: _Successes
    failures: _Counter
    failed_total: int = 0

    def take(self, queue: Queue) -> Totals:
        """Add what happened since the last poll."""
        processed = self.successes.take(queue)
        if queue.failed_total is None:
            return Totals(processed)
        self.failed_total += self.failures.rise(queue.failed_total)
        return Totals(processed, float(self.failed_total))


class MonotonicCounters:
    """Accounts of all queues."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[QueueKey, _Account] = OrderedDict()

    def take(self, queues: Iterable[Queue]) -> dict[QueueKey, Totals]:
        """Add one poll; gives the totals of the queues that are there now."""
        totals = {}
        for queue in queues:
            account = self._accounts.get(queue.key)
            if account is None:
                successes = _Successes(_Counter(), _Counter())
                account = self._accounts[queue.key] = _Account(successes, _Counter())
            self._accounts.move_to_end(queue.key)
            totals[queue.key] = account.take(queue)
        while len(self._accounts) > len(totals) + REMEMBERED:
            self._accounts.popitem(last=False)
        return totals


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
