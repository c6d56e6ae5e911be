"""An app with one table, and rows to put into it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from textual import on
from textual.app import App, ComposeResult
from textual.events import Click, MouseScrollDown
from textual.strip import Strip
from textual.widgets import Input

from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows, Rows
from runqy_tui.tui.widgets.table import Table

COLUMNS = (
    ColumnLayout("name", "NAME", 12, grow=1, sortable=True),
    ColumnLayout("state", "STATE", 8, importance=1),
    ColumnLayout("count", "COUNT", 6, importance=2, align="right", sortable=True),
)


class CountingTable(Table):
    """Counts the lines that were asked for."""

    painted = 0

    def render_line(self, y: int) -> Strip:
        self.painted += 1
        return super().render_line(y)


class TableApp(App[None]):
    """One table, a second widget to take the focus, and all messages in order."""

    CSS = """
    Input { dock: bottom; }
    #t.-aged > .table--fine { color: #ff0000; }
    """

    def __init__(self, rows: Rows | None = None, placeholder: str = "") -> None:
        super().__init__()
        self.table = CountingTable(COLUMNS, placeholder=placeholder, id="t")
        if rows is not None:
            self.table.set_rows(rows)
        self.seen: list[tuple[Hashable, ...]] = []

    def compose(self) -> ComposeResult:
        yield self.table
        yield Input()

    def on_mount(self) -> None:
        self.table.focus()

    @on(Table.Selected, "#t")
    def note_selected(self, message: Table.Selected) -> None:
        self.seen.append(("selected", message.key))

    def on_table_opened(self, message: Table.Opened) -> None:
        self.seen.append(("opened", message.key))

    def on_table_selection_gone(self, message: Table.SelectionGone) -> None:
        self.seen.append(("gone", message.key, message.index))

    def on_table_sort_requested(self, message: Table.SortRequested) -> None:
        self.seen.append(("sort", message.column_key))

    def on_table_need_rows(self, message: Table.NeedRows) -> None:
        self.seen.append(("need", message.first, message.last))


def cell(name: str, column: str) -> Cell:
    return {"name": Cell(name), "state": Cell("fine", "fine"), "count": Cell("1,024", "dim")}[
        column
    ]


def rows(names: Sequence[str]) -> ListRows[str]:
    return ListRows(names, str, cell)


def names(count: int) -> list[str]:
    return [f"row-{number:03}" for number in range(count)]


def lines(table: Table) -> list[str]:
    return [table.render_line(y).text for y in range(table.view_size.height)]


def line_of(table: Table, text: str) -> int:
    """Line of the widget that shows a text."""
    (found,) = (y for y, line in enumerate(lines(table)) if text in line)
    return found


def wheel(table: Table) -> MouseScrollDown:
    return MouseScrollDown(table, 3, 3, 0, 0, 0, False, False, False)


def click(table: Table, y: int, chain: int) -> None:
    at = table.content_region.offset
    table.on_click(
        Click(table, 5, y, 0, 0, 1, False, False, False, at.x + 5, at.y + y, chain=chain)
    )


@dataclass
class Million:
    """A million rows of which only asked-for ones are loaded."""

    loaded: set[int] = field(default_factory=set)
    size: int = 1_000_000
    asked: int = 0

    def __len__(self) -> int:
        return self.size

    def key(self, index: int) -> Hashable | None:
        assert 0 <= index < self.size
        return f"id-{index}" if index in self.loaded else None

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        self.asked += 1
        if index not in self.loaded:
            return None
        return [Cell(f"id-{index}") for _ in columns]

    def index_of(self, key: Hashable) -> int | None:
        index = int(str(key)[3:])
        return index if index in self.loaded else None


def on_screen(app: TableApp) -> list[str]:
    """Lines of the table as the compositor has them, painted lines from its cache."""
    region = app.table.scrollable_content_region
    strips = app.screen._compositor.render_strips()
    return [strips[y].crop(region.x, region.right).text for y in region.line_range]
