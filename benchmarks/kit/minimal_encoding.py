"""How few bytes a change of the screen takes: the baseline of what a program wrote for it.

A greedy encoder as in curses: the cheapest cursor move to each changed cell, the cheapest change of
style, the text, and one erase for a blank end of line. It is near the minimum, not the minimum: a
program may be a few percent below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from benchmarks.kit.emulator import Emulator, Row

_BASIC = {
    name: number
    for number, names in enumerate(
        ("black", "red", "green", "brown yellow", "blue", "magenta", "cyan", "white")
    )
    for name in names.split()
} | {"default": 9}
_ON = (1, 3, 4, 9, 7, 5)
_OFF = (22, 23, 24, 29, 27, 25)
_IMPOSSIBLE = 1_000_000
_SGR = 3  # ESC [ m
_ERASE_LINE = 3  # ESC [ K
_SHORTEST_ERASE = 4
"""Cells from which on an erase is worth its bytes."""

_LONGEST_GAP = 5
"""Unchanged cells that may be written again instead of a cursor move."""


class Style(NamedTuple):
    """What SGR sets; the names of colours are pyte's."""

    fg: str
    bg: str
    bold: bool
    italics: bool
    underscore: bool
    strikethrough: bool
    reverse: bool
    blink: bool

    @property
    def shows_on_blanks(self) -> bool:
        """Whether a blank in this style shows more than its background."""
        return self.underscore or self.strikethrough or self.reverse


@dataclass(slots=True)
class Pen:
    """Where the cursor is, and the style that is set."""

    x: int
    y: int
    style: Style

    @classmethod
    def of(cls, emulator: Emulator) -> Pen:
        """The state in which the stream so far has left the terminal."""
        return cls(*emulator.cursor, style_of(emulator.screen.cursor.attrs))


class EncodedChange(NamedTuple):
    """Cells that differ, and bytes for them."""

    cells: int
    size: int


def encode_change(
    before: Sequence[Row], after: Sequence[Row], pen: Pen, truecolor: bool
) -> EncodedChange:
    """Return the size of the change from ``before`` to ``after``; moves ``pen`` to its end."""
    cells = size = 0
    for y, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        changed = [x for x, cell in enumerate(new) if old[x] != cell]
        cells += len(changed)
        size += _encode_line(new, changed, y, pen, truecolor)
    return EncodedChange(cells, size)


def _encode_line(new: Row, changed: Sequence[int], y: int, pen: Pen, truecolor: bool) -> int:
    size, blank_from = 0, _blank_end(new, changed)
    for x in changed:
        size += min(move_cost(pen.x, pen.y, x, y), _rewrite_cost(new, x, y, pen))
        style = _style_needed(pen.style, new[x])
        size += style_cost(pen.style, style, truecolor)
        pen.x, pen.y, pen.style = x, y, style
        if x == blank_from:
            return size + _ERASE_LINE
        size += len(new[x].data.encode())
        pen.x += 1
    return size


def _blank_end(new: Row, changed: Sequence[int]) -> int | None:
    """The changed cell from which one erase does the rest of the line, if that is cheaper."""
    last = len(new) - 1
    style = style_of(new[last])
    if changed[-1] != last or new[last].data != " " or style.reverse or style.underscore:
        return None
    start = last
    while start and new[start - 1].data == " " and style_of(new[start - 1]) == style:
        start -= 1
    blank = [x for x in changed if x >= start]
    return blank[0] if len(blank) > _SHORTEST_ERASE else None


def _rewrite_cost(new: Row, x: int, y: int, pen: Pen) -> int:
    """Bytes for writing the unchanged cells up to ``x`` again; huge where that is wrong."""
    gap = new[pen.x : x]
    if y != pen.y or not 0 < len(gap) <= _LONGEST_GAP or x < pen.x:
        return _IMPOSSIBLE
    if all(cell.data and _style_needed(pen.style, cell) == pen.style for cell in gap):
        return sum(len(cell.data.encode()) for cell in gap)
    return _IMPOSSIBLE


def style_of(cell: Any) -> Style:
    """The style of a pyte cell."""
    return Style(*(getattr(cell, name) for name in Style._fields))


def _style_needed(active: Style, cell: Any) -> Style:
    """The style for a cell: a blank needs no more than its background."""
    wanted = style_of(cell)
    blank = cell.data == " " and active.bg == wanted.bg
    return active if blank and not (active.shows_on_blanks or wanted.shows_on_blanks) else wanted


@cache
def style_cost(old: Style, new: Style, truecolor: bool) -> int:
    """Bytes of the cheapest SGR from one style to another: what differs, or all after a reset."""
    if old == new:
        return 0
    changed: list[str] = []
    all_set = [""]
    for was, now, base in ((old.fg, new.fg, 30), (old.bg, new.bg, 40)):
        code = _colour_code(now, base, truecolor)
        if was != now:
            changed.append(code)
        if now != "default":
            all_set.append(code)
    for was_on, is_on, on, off in zip(old[2:], new[2:], _ON, _OFF, strict=True):
        if was_on != is_on:
            changed.append(str(on if is_on else off))
        if is_on:
            all_set.append(str(on))
    return _SGR + min(len(";".join(changed)), len(";".join(all_set)))


def _colour_code(name: str, base: int, truecolor: bool) -> str:
    if name in _BASIC:
        return str(base + _BASIC[name])
    if name.removeprefix("bright") in _BASIC:
        return str(base + 60 + _BASIC[name.removeprefix("bright")])
    if not truecolor:
        return f"{base + 8};5;000"
    red, green, blue = bytes.fromhex(name)
    return f"{base + 8};2;{red};{green};{blue}"


def move_cost(x: int, y: int, to_x: int, to_y: int) -> int:
    """Bytes of the cheapest cursor move: absolute, along the line, along the column, newline."""
    if (x, y) == (to_x, to_y):
        return 0
    column = len(str(to_x + 1))
    absolute = 3 + len(str(to_y + 1)) + (1 + column if to_x else 0)
    if y == to_y:
        if to_x == 0:
            return 1  # carriage return
        steps = abs(to_x - x)
        relative = 3 + (len(str(steps)) if steps > 1 else 0)
        if to_x < x:
            relative = min(steps, relative)  # backspaces
        return min(absolute, relative, 3 + column)
    if to_y == y + 1:
        below = 1 if to_x == x else 2 + _forward_cost(to_x)  # line feed; with carriage return
        return min(absolute, below)
    if to_x == x:
        return min(absolute, 3 + len(str(abs(to_y - y))))
    return absolute


def _forward_cost(columns: int) -> int:
    return 0 if columns == 0 else 3 + (len(str(columns)) if columns > 1 else 0)
