"""The rows of the history: one per poll, with one array per quantity.

An array holds a number for each object, at the object's index. A poll appends whole arrays,
thinning drops whole rows, and a quantity that did not change shares the array of the row before.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import median
from typing import Generic, TypeAlias, TypeVar

from runqy_tui.model import Queue, Worker
from runqy_tui.observation.history.trends import Point
from runqy_tui.runtime.cooperative import batches, yield_to_loop

MOST_ROWS = 1_500
MOST_OBJECTS = 20_000
"""Queues, and likewise workers, beyond this number within the span are not recorded."""
GAP_STEPS = 3.0
"""A step between polls longer than this many usual ones is a gap: nothing was polled there."""
GAP_LEAST_S = 5.0
"""Seconds; no shorter step is a gap: polls on request make the usual step tiny."""
_TIERS = ((600.0, 30.0), (60.0, 1.0))
"""Of rows older than the first only one per the second is kept; both in seconds."""
_STEPS_KEPT = 9
_THIN_EVERY_S = 5.0

Numbers: TypeAlias = "array[float]"
Key = TypeVar("Key")


class RowSlots(Generic[Key]):
    """Assigns each object its index in the arrays of a row; indexes are reused in the end."""

    def __init__(self) -> None:
        self._places: dict[Key, int] = {}
        self._gone: dict[Key, float] = {}
        self._free: list[int] = []
        self.size = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def of(self, key: Key) -> int | None:
        """Return the index of an object; ``None`` if it has none."""
        return self._places.get(key)

    def assign(self, key: Key) -> int | None:
        """Return the index of a present object; ``None`` if there are too many objects."""
        place = self._places.get(key)
        if place is None:
            if self._free:
                place = self._free.pop()
            elif self.size < MOST_OBJECTS:
                place, self.size = self.size, self.size + 1
            else:
                return None
            self._places[key] = place
        self._gone.pop(key, None)
        return place

    def mark_gone(self, keys: Iterable[Key], last_seen: float) -> None:
        """Mark objects as absent that were present at the poll before, at ``last_seen``."""
        self._gone.update((key, last_seen) for key in keys if key in self._places)

    def release(self, oldest: float) -> list[Key]:
        """Drop objects last seen before the oldest row, of which no row holds a number."""
        released = [key for key, last_seen in self._gone.items() if last_seen < oldest]
        for key in released:
            self._free.append(self._places.pop(key))
            del self._gone[key]
        return released


@dataclass(slots=True)
class HistoryRow:
    """One poll. ``gap``: nothing was polled before it for longer than usual."""

    at: float
    gap: bool
    queues: tuple[Numbers, ...]
    workers: tuple[Numbers, ...]


class TimeAxis:
    """The rows of the polls, oldest first: bounded in age and in number."""

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self.rows: list[HistoryRow] = []
        self._steps: list[float] = []
        self._thinned_at = -inf
        self._windows: dict[float, Sequence[HistoryRow]] = {}

    def append(self, at: float, queues: Iterable[Numbers], workers: Iterable[Numbers]) -> None:
        """Add a poll later than all before it."""
        last = self.rows[-1] if self.rows else None
        row = HistoryRow(
            at=at,
            gap=last is not None and self._is_gap(at - last.at),
            queues=_shared(tuple(queues), last.queues if last else ()),
            workers=_shared(tuple(workers), last.workers if last else ()),
        )
        if last is not None:
            self._steps = [*self._steps, at - last.at][-_STEPS_KEPT:]
        self.rows.append(row)
        self._windows.clear()
        old = at - self.rows[0].at > self.span_s or len(self.rows) > MOST_ROWS
        if old or at - self._thinned_at >= _THIN_EVERY_S:
            self.rows = thinned(self.rows, at, self.span_s)
            self._thinned_at = at

    def window(self, over_s: float) -> Sequence[HistoryRow]:
        """Return the rows of the last ``over_s`` seconds, and the one before them.

        The row before is left out if a gap lies between: changes in the gap are not recent.
        """
        if over_s not in self._windows:
            self._windows[over_s] = self._window(over_s)
        return self._windows[over_s]

    def _window(self, over_s: float) -> Sequence[HistoryRow]:
        if not self.rows:
            return ()
        begin = self.rows[-1].at - over_s
        first = len(self.rows) - 1
        while first > 0 and self.rows[first].at > begin and not self._leads_over_gap(first, begin):
            first -= 1
        return self.rows[first:]

    def _leads_over_gap(self, index: int, begin: float) -> bool:
        return self.rows[index].gap and self.rows[index - 1].at < begin

    def _is_gap(self, step: float) -> bool:
        if not self._steps:
            return False
        return step > max(GAP_LEAST_S, GAP_STEPS * median(self._steps))


def thinned(rows: list[HistoryRow], now: float, span_s: float) -> list[HistoryRow]:
    """Return the rows within the span, thinned by age; a dropped row passes on its gap."""
    kept: list[HistoryRow] = []
    slot: tuple[float, float] | None = None
    gap = False
    for row in rows:
        age = now - row.at
        if age > span_s:
            continue
        step = next((step for above, step in _TIERS if age > above), 0.0)
        mine = (step, row.at // step) if step else None
        if mine is not None and mine == slot:
            gap = gap or row.gap
            continue
        row.gap, gap, slot = row.gap or gap, False, mine
        kept.append(row)
    return kept[-MOST_ROWS:]


def _shared(new: tuple[Numbers, ...], old: tuple[Numbers, ...]) -> tuple[Numbers, ...]:
    if not old:
        return new
    # Compared as bytes: a gap (NaN) is not equal to itself.
    return tuple(
        before if before.tobytes() == after.tobytes() else after
        for before, after in zip(old, new, strict=True)
    )


Value = float | int | bool | None
Object = TypeVar("Object", Queue, Worker)
_MOST = 3e38


async def record(
    kind: str,
    of: Callable[[Object], Value],
    objects: Sequence[tuple[Object, int | None]],
    size: int,
) -> Numbers:
    """Return one quantity of all objects, each at its index: NaN where it is unknown."""
    numbers: Numbers = array(kind, [nan]) * size
    for batch in batches(objects):
        for one, place in batch:
            value = None if place is None else sane(of(one))
            if value is not None and place is not None:
                numbers[place] = value
        await yield_to_loop()
    return numbers


async def update_record(
    before: Numbers,
    of: Callable[[Object], Value],
    changed: Sequence[tuple[Object, int | None]],
    gone: Iterable[int],
    size: int,
) -> Numbers:
    """Return the numbers of the row before with changed objects' and without absent ones'."""
    numbers = before + array(before.typecode, [nan]) * (size - len(before))
    for index in gone:
        numbers[index] = nan
    for batch in batches(changed):
        for one, place in batch:
            if place is not None:
                value = sane(of(one))
                numbers[place] = nan if value is None else value
        await yield_to_loop()
    return numbers


def index_of(names: Sequence[str], name: str) -> int:
    """Return the index of a series.

    Raises:
        ValueError: no series has this name.
    """
    if name not in names:
        raise ValueError(f"no series {name!r}: one of {', '.join(names)}")
    return names.index(name)


def number_at(numbers: Numbers, place: int) -> float:
    """Return an object's number; NaN if it was not known when this row was written."""
    return numbers[place] if place < len(numbers) else nan


def sane(value: Value) -> Value:
    """Return the value; ``None`` for one too large to be meant."""
    return None if value is None or abs(value) >= _MOST else value


def change_of(
    rows: Sequence[HistoryRow], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """Return seconds and changes between the first and last row with all these quantities."""
    if len(rows) < 2:
        return None
    # Nearly always the first and last row have them all.
    begin, end = rows[0], rows[-1]
    if place < len(begin.queues[0]) and place < len(end.queues[0]):
        changes = [end.queues[index][place] - begin.queues[index][place] for index in which]
        if not isnan(sum(changes)):
            return end.at - begin.at, changes
    first = _whole(rows, which, place)
    last = _whole(reversed(rows), which, place)
    if first is None or last is None or first[0] >= last[0]:
        return None
    changes = [after - before for before, after in zip(first[1], last[1], strict=True)]
    return last[0] - first[0], changes


def _whole(
    rows: Iterable[HistoryRow], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """Return the first of these rows that has all these quantities."""
    for row in rows:
        values = [number_at(row.queues[index], place) for index in which]
        if not isnan(sum(values)):
            return row.at, values
    return None


def rate_of(rows: Sequence[HistoryRow], which: int, place: int) -> float | None:
    """Return the change per second between the first and last row with this quantity."""
    change = change_of(rows, (which,), place)
    return None if change is None else change[1][0] / change[0]


def points_of(rows: Sequence[HistoryRow], of: Callable[[HistoryRow], float]) -> Sequence[Point]:
    """Return a series as points, with a point without a value in the middle of each gap."""
    points: list[Point] = []
    before: float | None = None
    for row in rows:
        if row.gap and before is not None:
            points.append(Point((before + row.at) / 2, None))
        value = of(row)
        points.append(Point(row.at, None if value != value else value))
        before = row.at
    return points
