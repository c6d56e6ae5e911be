"""Histograms of durations: fine ones for quantiles, and the coarse one that is exported."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import ceil, log

BUCKETS_S: tuple[float, ...] = (
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0),
)
"""Upper bounds of the exported histogram; what is longer counts in the total alone."""
RECENT_S = 1_800.0
"""Quantiles are of the last one to two such stretches, so that they follow a change."""
_RATIO = 1.1


def _fine_bounds() -> tuple[float, ...]:
    """The exported bounds with steps of at most 10 % between them, for close quantiles."""
    bounds = [BUCKETS_S[0]]
    for low, high in pairwise(BUCKETS_S):
        parts = ceil(log(high / low) / log(_RATIO))
        bounds += [low * (high / low) ** (part / parts) for part in range(1, parts)]
        bounds.append(high)
    return tuple(bounds)


_FINE = _fine_bounds()


@dataclass(frozen=True, slots=True)
class Observed:
    """Durations of one queue's tasks, estimated from ``count`` that were seen to begin and end.

    ``plus_minus_s`` is how far off one observation is at most, on average (about the poll
    interval); to that comes up to 10 % of a quantile. A task over two hours counts as two hours.
    """

    p50_s: float
    p95_s: float
    p99_s: float
    count: int
    plus_minus_s: float


@dataclass(slots=True)
class Sheet:
    """Durations of a stretch of time; the last of the counts is of what is above all bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_FINE) + 1))
    total_s: float = 0.0
    error_s: float = 0.0

    def add(self, seconds: float, error_s: float) -> None:
        """Count one duration, and how far off it may be."""
        self.counts[bisect_left(_FINE, seconds)] += 1
        self.total_s += seconds
        self.error_s += error_s


@dataclass(slots=True)
class Record:
    """``past`` and ``recent`` are the two stretches that quantiles are taken from."""

    whole: Sheet = field(default_factory=Sheet)
    past: Sheet = field(default_factory=Sheet)
    recent: Sheet = field(default_factory=Sheet)
    since: float | None = None

    def add(self, now: float, seconds: float, error_s: float) -> None:
        """Count one duration that ended about now."""
        self.turn(now)
        self.whole.add(seconds, error_s)
        self.recent.add(seconds, error_s)

    def turn(self, now: float) -> None:
        """Begin a new stretch where the present one is over."""
        if self.since is None or now < self.since:
            self.since = now
        elif now - self.since >= RECENT_S:
            over = now - self.since >= 2 * RECENT_S
            self.past, self.recent = (Sheet() if over else self.recent), Sheet()
            self.since = now

    def observed(self, now: float) -> Observed | None:
        """Quantiles of the last one to two stretches; ``None`` if nothing ended in them."""
        self.turn(now)
        counts = [a + b for a, b in zip(self.past.counts, self.recent.counts, strict=True)]
        count = sum(counts)
        if not count:
            return None
        p50, p95, p99 = (quantile(counts, share) for share in (0.50, 0.95, 0.99))
        error = (self.past.error_s + self.recent.error_s) / count
        return Observed(p50, p95, p99, count, error)

    def exported(self) -> tuple[tuple[float, ...], tuple[int, ...], float, int]:
        """Upper bounds, cumulative counts up to each, sum of seconds and count."""
        running = list(accumulate(self.whole.counts))
        counts = tuple(running[_FINE.index(bound)] for bound in BUCKETS_S)
        return BUCKETS_S, counts, self.whole.total_s, running[-1]


def quantile(counts: Sequence[int], share: float) -> float:
    """Linear within its bucket, as Prometheus estimates it."""
    rank = share * sum(counts)
    before = 0
    for index, amount in enumerate(counts):
        if amount and before + amount >= rank:
            if index == len(_FINE):
                break
            low = _FINE[index - 1] if index else 0.0
            return low + (_FINE[index] - low) * max(0.0, rank - before) / amount
        before += amount
    return _FINE[-1]
