"""Columns as data, and the pure function that lays them out in a given width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runqy_tui.tui.safe_text import Align

GAP = 1
"""Blank cells between two columns."""


class ColumnLayout(NamedTuple):
    """One column; its width is in cells and does not depend on the data.

    ``importance`` 0 is never hidden; of the others the highest number gives way first.
    ``grow`` is the share of the width that is left over.
    """

    key: str
    title: str
    width: int
    importance: int = 0
    align: Align = "left"
    grow: int = 0
    sortable: bool = False


def layout(
    columns: Sequence[ColumnLayout], width: int, gap: int = GAP
) -> list[tuple[ColumnLayout, int]]:
    """Return the columns that fit into ``width`` cells, each with its width, in their order.

    The least important ones are hidden until the rest fits; where the indispensable ones alone
    are too wide, the widest of them are narrowed, and at last those on the right go.
    """
    shown = list(columns)
    while shown and _total(shown, gap) > width:
        victim = max(range(len(shown)), key=lambda at: (shown[at].importance, at))
        if shown[victim].importance <= 0:
            break
        del shown[victim]
    while shown and len(shown) + gap * (len(shown) - 1) > width:
        shown.pop()
    if not shown:
        return []
    widths = [max(1, column.width) for column in shown]
    spare = width - sum(widths) - gap * (len(widths) - 1)
    widths = _narrow(widths, -spare) if spare < 0 else _grow(shown, widths, spare)
    return list(zip(shown, widths, strict=True))


def _total(columns: Sequence[ColumnLayout], gap: int) -> int:
    return sum(max(1, column.width) for column in columns) + gap * (len(columns) - 1)


def _narrow(widths: list[int], excess: int) -> list[int]:
    for _ in range(excess):
        widths[widths.index(max(widths))] -= 1
    return widths


def _grow(columns: Sequence[ColumnLayout], widths: list[int], spare: int) -> list[int]:
    shares = sum(column.grow for column in columns)
    if not shares:
        return widths
    given = 0
    seen = 0
    for at, column in enumerate(columns):
        seen += column.grow
        upto = spare * seen // shares  # running total, so that no cell is lost to rounding
        widths[at] += upto - given
        given = upto
    return widths
