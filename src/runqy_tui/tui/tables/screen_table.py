"""A resource's table on the screen: its columns laid out in cells, its values with a colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

from runqy_tui.presentation.resource import (
    ColumnSet,
    DisplayContext,
    ResourceColumn,
    ResourceTable,
    Surface,
)
from runqy_tui.text.humanize import UNKNOWN, ZERO
from runqy_tui.tui.tables.icons import displayable
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows, Style

T = TypeVar("T")
StyleRule = Style | Callable[[T, DisplayContext], Style]


def column_layouts(columns: Iterable[ResourceColumn[T]]) -> tuple[ColumnLayout, ...]:
    """Return the layout of columns; those that can be sorted are marked so."""
    return tuple(
        ColumnLayout(
            column.key,
            column.title,
            column.width,
            column.importance,
            column.align,
            column.grow,
            sortable=column.sort is not None,
        )
        for column in columns
    )


class CellFormatter(Generic[T]):
    """Cells of a resource's rows: the column's text and the style of a rule.

    Args:
        columns: the resource's columns.
        styles: a style, or a function that selects one, by column key. Unknown values and zeros
            are dim in every column but the sign's.
    """

    def __init__(self, columns: ColumnSet[T], styles: Mapping[str, StyleRule[T]]) -> None:
        self._columns = columns
        self._styles = styles

    def cell(self, row: T, key: str, context: DisplayContext) -> Cell:
        """Return one cell of a row."""
        text = self._columns.column(key).value(row, context)
        if text in (UNKNOWN, ZERO):
            return Cell(text, "dim")
        style = self._styles.get(key, "")
        if callable(style):
            style = style(row, context)
        return Cell(displayable(text) if key == "sign" else text, style)


class ScreenTable(Generic[T]):
    """What a pane needs of a resource: column layouts, cells, and rows in order.

    Args:
        table: the resource's definition.
        styles: as for :class:`CellFormatter`.
    """

    def __init__(self, table: ResourceTable[T], styles: Mapping[str, StyleRule[T]]) -> None:
        self.table = table
        self._formatter = CellFormatter(table, styles)

    @cached_property
    def columns(self) -> tuple[ColumnLayout, ...]:
        """Layout of the columns on the screen."""
        return column_layouts(self.table.columns_on(Surface.SCREEN))

    @property
    def sort_keys(self) -> tuple[str, ...]:
        """Keys of the columns that can be sorted by."""
        return tuple(column.key for column in self.columns if column.sortable)

    def descends_first(self, key: str) -> bool:
        """Whether the first sort by this column shows the largest value on top."""
        return self.table.column(key).largest_first

    def arrange(
        self,
        rows: Sequence[T],
        context: DisplayContext,
        *,
        sort: str | None,
        descending: bool,
        needle: str,
    ) -> ListRows[T]:
        """Filter and sort; ``sort=None`` is the default order, the most urgent first."""
        ordered = self.table.arrange(rows, context, sort=sort, descending=descending, needle=needle)
        cell = self._formatter.cell
        return ListRows(ordered, self.table.key, lambda row, key: cell(row, key, context))
