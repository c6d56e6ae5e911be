"""How a table is drawn: its visible lines, their content and styles."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Literal

from rich.style import Style as RichStyle
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from runqy_tui.tui.widgets.columns import ColumnLayout, fit_columns
from runqy_tui.tui.widgets.line_painter import (
    BLANK,
    GUTTER,
    UNICODE,
    Glyphs,
    Painter,
    TableLine,
    changed_span,
    header_line,
    placeholder_lines,
)
from runqy_tui.tui.widgets.line_view import LineView
from runqy_tui.tui.widgets.row_provider import STYLES, Rows
from runqy_tui.tui.widgets.table_cursor import TableCursor

_LINE_CLASSES = {
    "header": "header",
    "cursor": "cursor",
    "blurred": "cursor",
    "placeholder": "placeholder",
}


class TableView(LineView[TableLine], inherit_bindings=False):
    """Draws rows and a cursor; :class:`~runqy_tui.tui.widgets.table.Table` moves it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"table--{name}" for name in ("header", "cursor", "placeholder", "gutter", *STYLES) if name
    }
    DEFAULT_CSS = """
    TableView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .table--header { color: $text-muted; text-style: bold; }
        & > .table--cursor { background: $foreground 10%; }
        & > .table--gutter { color: $text-muted; }
        & > .table--placeholder { color: $text-muted; }
        & > .table--dim { color: $text-muted; }
        & > .table--critical { color: $text-error; }
        & > .table--warning { color: $text-warning; }
        & > .table--busy { color: $text-primary; }
        & > .table--fine { color: $text-success; }
        & > .table--accent { color: $text-accent; }
        & > .table--bold { text-style: bold; }
        &:focus > .table--cursor { background: $accent 30%; text-style: bold; }
        &:focus > .table--gutter { color: $accent; }
        &:ansi > .table--cursor { background: ansi_default; text-style: underline; }
        &:ansi:focus > .table--cursor { background: ansi_default; text-style: reverse; }
        &:nocolor:focus > .table--cursor { text-style: reverse; }
    }
    """

    placeholder: reactive[str] = reactive("", repaint=False)
    """Text of an empty table: why it is empty and what would fill it. May be untrusted."""

    def __init__(
        self,
        columns: Sequence[ColumnLayout] = (),
        *,
        placeholder: str = "",
        glyphs: Glyphs = UNICODE,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self._slots: list[tuple[ColumnLayout, int]] = []
        self._slots_width = -1
        self._cursor = TableCursor()
        self._top_key: Hashable | None = None
        self._sort: tuple[str | None, bool] = (None, False)
        self._glyphs = glyphs
        self._painter = Painter(self._cell_style, glyphs)
        self.set_reactive(TableView.placeholder, placeholder)

    @property
    def columns(self) -> tuple[ColumnLayout, ...]:
        """All columns, including hidden ones."""
        return self._columns

    @property
    def rows(self) -> Rows:
        """The current rows."""
        return self._cursor.rows

    @property
    def header_height(self) -> int:
        """One line of titles, unless the view has only one line."""
        return 0 if self.view_size.height == 1 else 1

    def line_count(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def set_columns(self, columns: Sequence[ColumnLayout]) -> None:
        """Show other columns."""
        if tuple(columns) == self._columns:
            return
        self._columns = tuple(columns)
        self._slots_width = -1
        self._drawn_size = Size(0, 0)
        self.update_lines()

    def set_sort(self, column_key: str | None, descending: bool = False) -> None:
        """Show the arrow on a column; the rows themselves come sorted."""
        self._sort = (column_key, descending)
        self.update_lines()

    def visible_lines(self, size: Size) -> Sequence[TableLine]:
        """Compute the visible lines."""
        if size.width != self._slots_width:
            self._slots_width = size.width
            self._slots = fit_columns(self._columns, size.width - GUTTER)
        slots, rows = self._slots, self.rows
        lines = [header_line(slots, *self._sort, self._glyphs)] if self.header_height else []
        if not len(rows):
            self._top_key = None
            return lines + placeholder_lines(
                self.placeholder, size.width - 2, size.height - len(lines)
            )
        keys = [column.key for column, _ in slots]
        first = self.top
        last = min(len(rows), first + size.height - len(lines))
        lines += [self._line(index, keys) for index in range(first, last)]
        self._top_key = rows.key(first) if first < len(rows) else None
        self.rows_visible(first, last)
        return lines

    def rows_visible(self, first: int, last: int) -> None:
        """Called with the visible rows ``[first, last)``; for subclasses."""

    def _line(self, index: int, keys: Sequence[str]) -> TableLine:
        cells = self.rows.cells(index, keys)
        mark: Literal["", "cursor", "blurred"] = ""
        if index == self._cursor.index and self._cursor.visible:
            mark = "cursor" if self.has_focus else "blurred"
        return (
            TableLine("loading", (), mark)
            if cells is None
            else TableLine("row", tuple(cells), mark)
        )

    def draw(self, line: TableLine | None, cells: int) -> Strip:
        """Draw one line."""
        return self._painter.draw(line or BLANK, self._slots, cells)

    def changed_span(self, old: TableLine, new: TableLine, cells: int) -> tuple[int, int]:
        """Return the cells ``[start, end)`` in which two lines differ."""
        return changed_span(old, new, self._slots, cells)

    def clear_drawn(self) -> None:
        """Clear the cache of drawn lines."""
        self._painter.clear()

    def _cell_style(self, line_name: str, cell_name: str) -> RichStyle:
        names = [_LINE_CLASSES.get(line_name, ""), cell_name]
        return self.style_of(*(f"table--{name}" for name in names if name))

    def watch_placeholder(self) -> None:
        """Show the new text."""
        self.update_lines()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Draw the cursor as focused or blurred."""
        super().watch_has_focus(_has_focus)
        self.update_lines()
