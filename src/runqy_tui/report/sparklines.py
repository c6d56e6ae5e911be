"""Series of the history, resampled to a few columns, and as a line of bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from runqy_tui.model import QueueKey
from runqy_tui.observation.history import Point

COLUMNS = 60
GAP = "·"
"""Marks a gap in the data. A space would be lost in a rendered page."""
_BARS = "▁▂▃▄▅▆▇█"


class Series(NamedTuple):
    """Means per column of ``step_s`` seconds from ``started_at`` on; ``None`` is a gap.

    ``name``: ``pending`` and ``active`` in tasks, ``done`` and ``failed`` in tasks per second.
    """

    queue: QueueKey
    name: str
    started_at: float
    step_s: float
    values: tuple[float | None, ...]

    @property
    def known(self) -> tuple[float, ...]:
        """Values without gaps."""
        return tuple(value for value in self.values if value is not None)

    @property
    def last(self) -> float | None:
        """Latest value; ``None`` where the series ends in a gap."""
        return self.values[-1] if self.values else None


def build_series(queue: QueueKey, name: str, points: Sequence[Point]) -> Series | None:
    """Resample points to columns; returns ``None`` where there is no value.

    Counters (``done``, ``failed``) become rates; after a decrease they count from zero.
    """
    samples = _rates(points) if name in ("done", "failed") else list(points)
    if not any(point.value is not None for point in samples):
        return None
    started, width = samples[0].at, min(COLUMNS, len(samples))
    step = (samples[-1].at - started) / width or 1.0
    columns: list[list[Point]] = [[] for _ in range(width)]
    for point in samples:
        columns[min(width - 1, int((point.at - started) / step))].append(point)
    return Series(queue, name, started, step, tuple(_means(columns)))


def sparkline(values: Sequence[float | None]) -> str:
    """Return bars from zero to the largest value; a gap is :data:`GAP`."""
    top = max((value for value in values if value is not None), default=0.0)
    return "".join(GAP if value is None else _bar(value, top) for value in values)


def _bar(value: float, top: float) -> str:
    share = value / top if top > 0 else 0.0
    return _BARS[max(0, min(len(_BARS) - 1, round(share * (len(_BARS) - 1))))]


def _rates(points: Sequence[Point]) -> list[Point]:
    rates: list[Point] = []
    for before, after in pairwise(points):
        elapsed = after.at - before.at
        if before.value is None or after.value is None or elapsed <= 0:
            rates.append(Point(after.at, None))
            continue
        rise = after.value - before.value
        rates.append(Point(after.at, (rise if rise >= 0 else after.value) / elapsed))
    return rates


def _means(columns: Sequence[Sequence[Point]]) -> list[float | None]:
    """Mean of each column; an empty one between two samples has the earlier sample's value.

    An empty column next to a gap is a gap. Empty columns alone are none: old samples are thinned.
    """
    following: list[Point | None] = []
    upcoming: Point | None = None
    for column in reversed(columns):
        following.append(upcoming)
        upcoming = column[0] if column else upcoming
    means: list[float | None] = []
    last: Point | None = None
    for column, after in zip(columns, reversed(following), strict=True):
        if column:
            last = column[-1]
            known = [point.value for point in column if point.value is not None]
            means.append(sum(known) / len(known) if len(known) == len(column) else None)
        else:
            gap = last is None or after is None or after.value is None
            means.append(None if gap or last is None else last.value)
    return means
