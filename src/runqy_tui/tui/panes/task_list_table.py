"""The task list in a table: reads the pages in view and keeps the selected task in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from runqy_tui.model import TaskRow
from runqy_tui.model.reader_protocol import TaskReader
from runqy_tui.tui.tables.task_listing import ListTarget, ListView, read_matches, read_rows
from runqy_tui.tui.tables.task_rows import task_cells, task_columns
from runqy_tui.tui.widgets.row_provider import NO_ROWS, Cell, ListRows, Rows
from runqy_tui.tui.widgets.table import Table


class TaskListRows(NamedTuple):
    """Rows as they were read; ``matches`` are the indexes of a filter's matches by task id."""

    rows: Rows
    matches: Mapping[str, int] | None = None


class TaskListTable:
    """Fills a table with one task list after another.

    Args:
        table: shows the rows; its cursor and scroll position decide which pages are read.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._shown: ListTarget | None = None
        self._matches: Mapping[str, int] = {}

    @property
    def shown(self) -> ListTarget | None:
        """The list whose rows are in the table; ``None`` while it is empty."""
        return self._shown

    @property
    def match_count(self) -> int:
        """Number of matches of the latest filter."""
        return len(self._matches)

    async def read(self, reader: TaskReader, target: ListTarget) -> TaskListRows:
        """Read the rows of a list that are in view, or, filtered, the matches.

        Raises:
            RunqyTuiError: Redis cannot be read.
        """
        if not target.needle:
            return TaskListRows(await read_rows(reader, target, self._view_of(target)))
        page, found = await read_matches(reader, target)

        def cell(row: TaskRow, column: str) -> Cell:
            return task_cells(row, (column,), page.taken_at)[0]

        rows = ListRows([page.rows[at] for at in found], lambda row: row.id, cell)
        return TaskListRows(rows, {page.rows[at].id: at for at in found})

    def show(self, target: ListTarget, read: TaskListRows) -> None:
        """Put rows into the table; a list that is not shown yet starts at its top."""
        reset = target != self._shown and not self._keeps_selection(target, read.rows)
        self._shown = target
        if read.matches is not None:
            self._matches = read.matches
        self._table.set_columns(task_columns(target.state))
        self._table.set_rows(read.rows, reset=reset)

    def clear(self, placeholder: str) -> None:
        """Empty the table."""
        self._shown = None
        self._table.placeholder = placeholder
        self._table.set_rows(NO_ROWS, reset=True)

    def _keeps_selection(self, target: ListTarget, rows: Rows) -> bool:
        """Return whether the same list, in another order or filter, holds the selected task.

        Not if the order was reversed at the top: then the other end is wanted.
        """
        table, shown = self._table, self._shown
        if table.selected is None or not target.same_list(shown):
            return False
        reversed_order = shown is not None and target.newest_first != shown.newest_first
        at_top = reversed_order and not table.cursor_index
        return rows.index_of(table.selected) is not None and not at_top

    def _view_of(self, target: ListTarget) -> ListView:
        """Return which rows of a list to read: those in view now, or after the change to it."""
        table, shown = self._table, self._shown
        selected = None if table.selected is None else str(table.selected)
        top, height, total = table.top, table.page_height, len(table.rows)
        if target == shown:
            return ListView(top, height, total, table.cursor_index, selected)
        if shown is None or selected is None or not target.same_list(shown):
            return ListView(0, height, 0)
        if shown.needle:
            index = self._matches.get(selected, 0)
            total = index + 1
        elif table.cursor_index:
            index = total - 1 - table.cursor_index
        else:
            return ListView(0, height, 0)
        return ListView(max(0, index - table.cursor_index + top), height, total, index, selected)
