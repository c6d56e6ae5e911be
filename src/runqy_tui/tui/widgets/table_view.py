"""The look of a table: which lines are visible, what is on them and how they are drawn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Literal

from rich.style import Style as RichStyle
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from runqy_tui.tui.widgets.columns import ColumnLayout, layout
from runqy_tui.tui.widgets.line_painter import (
    GUTTER,
    UNICODE,
    VOID,
    Glyphs,
    Painter,
    TableLine,
    changed_span,
    head,
    note,
)
from runqy_tui.tui.widgets.line_view import LineView
from runqy_tui.tui.widgets.row_provider import STYLES, Rows
from runqy_tui.tui.widgets.table_cursor import TableCursor

_LINE_CLASSES = {"head": "header", "cursor": "cursor", "blurred": "cursor", "note": "note"}


class TableView(LineView[TableLine], inherit_bindings=False):
    """Draws rows and a cursor; :class:`~runqy_tui.tui.widgets.table.Table` moves it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"table--{name}" for name in ("header", "cursor", "note", "gutter", *STYLES) if name
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
        & > .table--note { color: $text-muted; }
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
    """What an empty table says: why it is empty and what would fill it. May be untrusted."""

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
        self._painter = Painter(self._palette, glyphs)
        self.set_reactive(TableView.placeholder, placeholder)

    @property
    def columns(self) -> tuple[ColumnLayout, ...]:
        """All columns, hidden ones too."""
        return self._columns

    @property
    def rows(self) -> Rows:
        """The present provider."""
        return self._cursor.rows

    @property
    def head_height(self) -> int:
        """One line of titles, unless there is but one line."""
        return 0 if self.view_size.height == 1 else 1

    def extent(self) -> int:
        """Count the rows."""
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
        """Put the arrow on a column; the order of the rows is the provider's affair."""
        self._sort = (column_key, descending)
        self.update_lines()

    def frame(self, size: Size) -> Sequence[TableLine]:
        """Compute the visible lines."""
        if size.width != self._slots_width:
            self._slots_width = size.width
            self._slots = layout(self._columns, size.width - GUTTER)
        slots, rows = self._slots, self.rows
        lines = [head(slots, *self._sort, self._glyphs)] if self.head_height else []
        if not len(rows):
            self._top_key = None
            return lines + note(self.placeholder, size.width - 2, size.height - len(lines))
        keys = [column.key for column, _ in slots]
        first = self.top
        last = min(len(rows), first + size.height - len(lines))
        lines += [self._line(index, keys) for index in range(first, last)]
        self._top_key = rows.key(first) if first < len(rows) else None
        self.need(first, last)
        return lines

    def need(self, first: int, last: int) -> None:
        """Learn which rows ``[first, last)`` are visible."""

    def _line(self, index: int, keys: Sequence[str]) -> TableLine:
        cells = self.rows.cells(index, keys)
        mark: Literal["", "cursor", "blurred"] = ""
        if index == self._cursor.index and self._cursor.visible:
            mark = "cursor" if self.has_focus else "blurred"
        return (
            TableLine("wait", (), mark) if cells is None else TableLine("row", tuple(cells), mark)
        )

    def draw(self, line: TableLine | None, cells: int) -> Strip:
        """Draw one line."""
        return self._painter.draw(line or VOID, self._slots, cells)

    def changed(self, old: TableLine, new: TableLine, cells: int) -> tuple[int, int]:
        """Cells in which two lines differ."""
        return changed_span(old, new, self._slots, cells)

    def forget_drawn(self) -> None:
        """Drop the strips of another theme."""
        self._painter.clear()

    def _palette(self, line_name: str, cell_name: str) -> RichStyle:
        names = [_LINE_CLASSES.get(line_name, ""), cell_name]
        return self.style_of(*(f"table--{name}" for name in names if name))

    def watch_placeholder(self) -> None:
        """Show another reason for being empty."""
        self.update_lines()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Draw the cursor as the one that keys move, or as the one that rests."""
        super().watch_has_focus(_has_focus)
        self.update_lines()
