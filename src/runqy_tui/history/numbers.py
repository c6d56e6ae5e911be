"""Quantities of many objects over time: written into rows, read from them again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from math import isnan, nan
from typing import TypeVar

from runqy_tui.history.points import Point
from runqy_tui.history.rows import Numbers, Row
from runqy_tui.model import Queue, Worker
from runqy_tui.runtime.cooperative import Steps, parts

Value = float | int | bool | None
Object = TypeVar("Object", Queue, Worker)
_MOST = 3e38


def recorded(
    kind: str,
    of: Callable[[Object], Value],
    objects: Sequence[tuple[Object, int | None]],
    size: int,
) -> Steps[Numbers]:
    """One quantity of all objects, each in its place: NaN where it is not known."""
    numbers: Numbers = array(kind, [nan]) * size
    for some in parts(objects):
        for one, place in some:
            value = None if place is None else sane(of(one))
            if value is not None and place is not None:
                numbers[place] = value
        yield
    return numbers


def index_of(names: Sequence[str], name: str) -> int:
    """Where a series is among the others.

    Raises:
        ValueError: there is no series of this name.
    """
    if name not in names:
        raise ValueError(f"no series {name!r}: one of {', '.join(names)}")
    return names.index(name)


def number_at(numbers: Numbers, place: int) -> float:
    """NaN for an object that was not there yet when this row was written."""
    return numbers[place] if place < len(numbers) else nan


def sane(value: Value) -> Value:
    """Nothing instead of a number that is beyond any sense."""
    return None if value is None or abs(value) >= _MOST else value


def change_of(
    rows: Sequence[Row], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """Seconds and changes between the first and the last row that know all these quantities."""
    if len(rows) < 2:
        return None
    # Nearly always the ends know them all.
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
    rows: Iterable[Row], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """The first of these rows that knows all these quantities."""
    for row in rows:
        values = [number_at(row.queues[index], place) for index in which]
        if not isnan(sum(values)):
            return row.at, values
    return None


def rate_of(rows: Sequence[Row], which: int, place: int) -> float | None:
    """Change per second between the first and the last row that know this quantity."""
    change = change_of(rows, (which,), place)
    return None if change is None else change[1][0] / change[0]


def points_of(rows: Sequence[Row], of: Callable[[Row], float]) -> Sequence[Point]:
    """A series as points, with one without a value in the middle of each gap."""
    points: list[Point] = []
    before: float | None = None
    for row in rows:
        if row.gap and before is not None:
            points.append(Point((before + row.at) / 2, None))
        value = of(row)
        points.append(Point(row.at, None if value != value else value))
        before = row.at
    return points
