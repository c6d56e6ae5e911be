"""The table: selection, keys, mouse, scrolling, and the messages it posts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.widgets.columns import GAP, ColumnLayout
from runqy_tui.tui.widgets.line_painter import GUTTER, UNICODE, Glyphs
from runqy_tui.tui.widgets.row_provider import Rows
from runqy_tui.tui.widgets.table_cursor import CursorChange, CursorState
from runqy_tui.tui.widgets.table_view import TableView


class Table(TableView, can_focus=True, inherit_bindings=False):
    """A table over any :class:`~runqy_tui.tui.widgets.row_provider.Rows`.

    All costs depend on the height of the widget, never on the number of rows. The selection belongs
    to a key: when its row moves, the selection moves with it; when it is gone, nothing is selected
    until the user moves the cursor or the key is back.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_binding("down,j", "step(1)", "Down", "table.down", "Next row"),
        hidden_binding("up,k", "step(-1)", "Up", "table.up", "Previous row"),
        hidden_binding("home,g", "first", "Top", "table.first", "First row"),
        hidden_binding("end,G", "last", "End", "table.last", "Last row"),
        hidden_binding("ctrl+d", "page(0.5)", "Half page down", "table.half-page-down"),
        hidden_binding("ctrl+u", "page(-0.5)", "Half page up", "table.half-page-up"),
        hidden_binding("pagedown", "page(1)", "Page down", "table.page-down"),
        hidden_binding("pageup", "page(-1)", "Page up", "table.page-up"),
        Binding(
            "enter",
            "open",
            "open",
            id="table.open",
            key_display="⏎",
            tooltip="Open the selected row",
        ),
    ]

    class _TableMessage(Message):
        """Base of the messages; ``table`` is the sender."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table
            # Textual takes the widget whose handler runs for the sender. A message does not bubble
            # past its sender: what a pane selects while its filter is typed would not reach the
            # screen.
            self.set_sender(table)

        @property
        def control(self) -> Table:
            """The sender, for selectors: ``@on(Table.Selected, "#id")``."""
            return self.table

    class _KeyMessage(_TableMessage):
        def __init__(self, table: Table, key: Hashable) -> None:
            super().__init__(table)
            self.key = key

    class Selected(_KeyMessage):
        """Another key is selected: by the user, with the first rows, or because it is back."""

    class Opened(_KeyMessage):
        """The user opened the selected object, by Enter or a double click."""

    class SelectionGone(_KeyMessage):
        """The selected key is no longer among the rows; ``index`` is where it was."""

        def __init__(self, table: Table, key: Hashable, index: int) -> None:
            super().__init__(table, key)
            self.index = index

    class SortRequested(_TableMessage):
        """The user clicked on the title of a sortable column."""

        def __init__(self, table: Table, column_key: str) -> None:
            super().__init__(table)
            self.column_key = column_key

    class NeedRows(_TableMessage):
        """Some of the visible rows ``first`` to ``last`` (inclusive) are not loaded."""

        def __init__(self, table: Table, first: int, last: int) -> None:
            super().__init__(table)
            self.first = first
            self.last = last

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
        super().__init__(
            columns, placeholder=placeholder, glyphs=glyphs, name=name, id=id, classes=classes
        )
        self._touched = False
        self._fitted_page = 1
        self._asked: tuple[int, int] | None = None

    @property
    def selected(self) -> Hashable | None:
        """Key of the selected object; ``None`` before the first rows and once it is gone."""
        return self._cursor.key

    @property
    def gone(self) -> Hashable | None:
        """Key of the selected object that is gone, until the user moves or it is back."""
        return self._cursor.gone_key

    @property
    def cursor_index(self) -> int:
        """Index of the selected row, or the place where it was."""
        return self._cursor.index

    def keys_in_view(self) -> list[Hashable]:
        """Return the keys of the visible rows that are loaded."""
        last = min(len(self.rows), self.top + self.page_height)
        keys = (self.rows.key(index) for index in range(self.top, last))
        return [key for key in keys if key is not None]

    def set_rows(self, rows: Rows, *, reset: bool = False) -> None:
        """Show new rows, or the same object after its content has changed.

        The selection and the scroll position follow their objects. ``reset`` is for other objects
        (another queue): start at the top with the first row selected.
        """
        cursor, top, index = self._cursor, self.top, self._cursor.index
        if reset:
            cursor.reset()
            self._touched = False
        fresh = cursor.state is CursorState.EMPTY
        change = cursor.follow(rows)
        self._asked = None
        self.update_extent()
        self.scroll_to_line(0 if fresh else self._new_top(top, index))
        self.update_lines()
        self._announce(change)

    def select(self, key: Hashable) -> bool:
        """Select a key and scroll to it; return ``False`` if no loaded row has it."""
        index = self.rows.index_of(key)
        if index is None:
            return False
        self._move(self._cursor.move(index))
        return True

    # Keys and mouse

    def action_step(self, delta: int) -> None:
        """Move the selection by rows."""
        self._move(self._cursor.step(delta))

    def action_page(self, pages: float) -> None:
        """Move the selection by a part of what is visible."""
        rows = max(1, int(self.page_height * abs(pages)))
        self.action_step(rows if pages > 0 else -rows)

    def action_first(self) -> None:
        """Select the first row."""
        self._move(self._cursor.move(0))

    def action_last(self) -> None:
        """Select the last row."""
        self._move(self._cursor.move(len(self.rows) - 1))

    def action_open(self) -> None:
        """Post :class:`Opened` for the selected object, if there is one."""
        if self._cursor.key is not None:
            self.post_message(self.Opened(self, self._cursor.key))

    def on_click(self, event: events.Click) -> None:
        """Select a row, open it on the second click, or request sorting."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < self.header_height:
            self._click_title(offset.x)
            return
        index = self.top + offset.y - self.header_height
        if index >= len(self.rows):
            return
        on_selected = self._cursor.key is not None and self.rows.key(index) == self._cursor.key
        if event.chain > 1 and on_selected:
            self.action_open()
        else:
            # Rows may have moved between two clicks: only the selected object is opened.
            self._move(self._cursor.move(index))

    def _click_title(self, x: int) -> None:
        at = GUTTER
        for column, size in self._slots:
            if at <= x < at + size + GAP:
                if column.sortable:
                    self.post_message(self.SortRequested(self, column.key))
                return
            at += size + GAP

    def _move(self, change: CursorChange) -> None:
        self._touched = True
        self._reveal()
        self.update_lines()
        self._announce(change)

    def _announce(self, change: CursorChange) -> None:
        if not self.is_mounted:
            return
        cursor = self._cursor
        if change is CursorChange.SELECTED and cursor.key is not None:
            self.post_message(self.Selected(self, cursor.key))
        elif change is CursorChange.GONE and cursor.gone_key is not None:
            self.post_message(self.SelectionGone(self, cursor.gone_key, cursor.index))

    def on_mount(self) -> None:
        """Post the selection of rows that were set before mounting."""
        if self._cursor.key is not None:
            self.post_message(self.Selected(self, self._cursor.key))

    # Scrolling

    def _reveal(self) -> None:
        top, index, page = self.top, self._cursor.index, self.page_height
        if not top <= index < top + page:
            self.scroll_to_line(index if index < top else index - page + 1)

    def _new_top(self, top: int, old_index: int) -> int:
        """Top line that keeps the selection, or else the first visible row, in place."""
        cursor, page = self._cursor, self.page_height
        if cursor.state is CursorState.ON and top <= old_index < top + page:
            # The most urgent rows are first: they remain in view while the table is not used.
            if not top and cursor.index < page and not (self.has_focus and self._touched):
                return 0
            return cursor.index - (old_index - top)
        if not top or self._top_key is None:
            return top
        index = self.rows.index_of(self._top_key)
        if index is None:
            return top
        if cursor.state is CursorState.GONE:
            cursor.index = max(0, cursor.index + index - top)
        return index

    def fit_to_size(self) -> None:
        """Keep the selected row in view if it was."""
        was_visible = self.top <= self._cursor.index < self.top + self._fitted_page
        super().fit_to_size()
        self._fitted_page = self.page_height
        if was_visible:
            self._reveal()

    def rows_visible(self, first: int, last: int) -> None:
        """Post :class:`NeedRows` for visible rows that are not loaded, once for the same ones."""
        missing = [index for index in range(first, last) if self.rows.key(index) is None]
        window = (missing[0], missing[-1]) if missing else None
        if window is not None and window != self._asked:
            self.post_message(self.NeedRows(self, *window))
        self._asked = window
