"""The shortest way from one cell to another. Rows and columns count from 0."""

from __future__ import annotations

from functools import lru_cache

_MOST_BACKSPACES = 3


@lru_cache(maxsize=2048)
def move(row: int | None, column: int | None, to_row: int, to_column: int) -> str:
    """The shortest sequence that moves the cursor; ``None`` where it is not known to be."""
    ways = [_absolute(to_row, to_column)]
    if row is not None:
        if row == to_row:
            ways.append(_along(column, to_column))
        else:
            ways.append(_down(row, to_row) + _along(column, to_column))
            if 0 < to_row - row <= 2:
                ways.append("\r" + "\n" * (to_row - row) + _along(0, to_column))
    return min(ways, key=len)


def _absolute(row: int, column: int) -> str:
    if column:
        return f"\x1b[{row + 1};{column + 1}H"
    return f"\x1b[{row + 1}H" if row else "\x1b[H"


def _down(row: int, to_row: int) -> str:
    distance = abs(to_row - row)
    letter = "B" if to_row > row else "A"
    relative = f"\x1b[{letter}" if distance == 1 else f"\x1b[{distance}{letter}"
    return min(relative, f"\x1b[{to_row + 1}d", key=len)


def _along(column: int | None, to_column: int) -> str:
    if column == to_column:
        return ""
    ways = [f"\x1b[{to_column + 1}G" if to_column else "\r"]
    if to_column:
        ways.append("\r" + _right(to_column))
    if column is not None:
        distance = to_column - column
        if distance > 0:
            ways.append(_right(distance))
        else:
            ways.append(f"\x1b[{-distance}D" if distance < -1 else "\x1b[D")
            if -distance <= _MOST_BACKSPACES:
                ways.append("\b" * -distance)
    return min(ways, key=len)


def _right(distance: int) -> str:
    return "\x1b[C" if distance == 1 else f"\x1b[{distance}C"
