"""Columns as data, and the pure function that fits them into a width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runqy_tui.tui.safe_text import Align

GAP = 1
"""Blank cells between two columns."""


class ColumnLayout(NamedTuple):
    """A column; ``width`` is in cells and does not depend on the data.

    ``importance`` 0 is never hidden; of the others the highest number is hidden first.
    ``grow`` is the column's share of the cells that are left over.
    """

    key: str
    title: str
    width: int
    importance: int = 0
    align: Align = "left"
    grow: int = 0
    sortable: bool = False


def fit_columns(
    columns: Sequence[ColumnLayout], width: int, gap: int = GAP
) -> list[tuple[ColumnLayout, int]]:
    """Return the columns that fit into ``width`` cells, each with its width, in their order.

    The least important ones are hidden until the rest fits. Where those of importance 0 alone are
    too wide, the widest are narrowed, and finally those on the right are hidden.
    """
    shown = list(columns)
    while shown and _total(shown, gap) > width:
        dropped = max(range(len(shown)), key=lambda at: (shown[at].importance, at))
        if shown[dropped].importance <= 0:
            break
        del shown[dropped]
    while shown and len(shown) + gap * (len(shown) - 1) > width:
        shown.pop()
    if not shown:
        return []
    widths = [max(1, column.width) for column in shown]
    spare_cells = width - sum(widths) - gap * (len(widths) - 1)
    widths = (
        _narrow(widths, -spare_cells) if spare_cells < 0 else _widen(shown, widths, spare_cells)
    )
    return list(zip(shown, widths, strict=True))


def _total(columns: Sequence[ColumnLayout], gap: int) -> int:
    return sum(max(1, column.width) for column in columns) + gap * (len(columns) - 1)


def _narrow(widths: list[int], excess: int) -> list[int]:
    for _ in range(excess):
        widths[widths.index(max(widths))] -= 1
    return widths


def _widen(columns: Sequence[ColumnLayout], widths: list[int], spare_cells: int) -> list[int]:
    shares = sum(column.grow for column in columns)
    if not shares:
        return widths
    assigned = 0
    shares_so_far = 0
    for at, column in enumerate(columns):
        shares_so_far += column.grow
        # From a running total, so that no cell is lost to rounding.
        share_end = spare_cells * shares_so_far // shares
        widths[at] += share_end - assigned
        assigned = share_end
    return widths
