"""The table: selection, keys, mouse, scrolling, and the messages it posts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from runqy_tui.tui.input.global_bindings import quiet
from runqy_tui.tui.widgets.columns import GAP, ColumnLayout
from runqy_tui.tui.widgets.line_painter import GUTTER, UNICODE, Glyphs
from runqy_tui.tui.widgets.row_provider import Rows
from runqy_tui.tui.widgets.table_cursor import Change, State
from runqy_tui.tui.widgets.table_view import TableView


class Table(TableView, can_focus=True, inherit_bindings=False):
    """A table over any :class:`~runqy_tui.tui.widgets.row_provider.Rows`.

    The cost of everything depends on the height of the widget, never on the number of rows. The
    selection belongs to a key: when its row moves, the selection moves along; when it goes,
    nothing is selected until the user moves or the same key comes back.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        quiet("down,j", "step(1)", "Down", "table.down", "Next row"),
        quiet("up,k", "step(-1)", "Up", "table.up", "Previous row"),
        quiet("home,g", "first", "Top", "table.first", "First row"),
        quiet("end,G", "last", "End", "table.last", "Last row"),
        quiet("ctrl+d", "page(0.5)", "Half page down", "table.half-page-down"),
        quiet("ctrl+u", "page(-0.5)", "Half page up", "table.half-page-up"),
        quiet("pagedown", "page(1)", "Page down", "table.page-down"),
        quiet("pageup", "page(-1)", "Page up", "table.page-up"),
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
        """Key of the selected object; ``None`` before the first rows and after it has gone."""
        return self._cursor.key

    @property
    def gone(self) -> Hashable | None:
        """Key of the selected object that has gone, until the user moves or it comes back."""
        return self._cursor.gone_key

    @property
    def cursor_index(self) -> int:
        """Index of the selected row, or the place where it was."""
        return self._cursor.index

    def keys_in_view(self) -> list[Hashable]:
        """Keys of the rows that can be seen."""
        last = min(len(self.rows), self.top + self.page_height)
        keys = (self.rows.key(index) for index in range(self.top, last))
        return [key for key in keys if key is not None]

    def set_rows(self, rows: Rows, *, reset: bool = False) -> None:
        """Take over new rows, or the same provider after its content has changed.

        The selection and what is in view stay on their objects. ``reset`` says that these are
        other things altogether (another queue): start at the top with the first one selected.
        """
        cursor, top, index = self._cursor, self.top, self._cursor.index
        if reset:
            cursor.reset()
            self._touched = False
        fresh = cursor.state is State.FRESH
        change = cursor.follow(rows)
        self._asked = None
        self.update_extent()
        self.go_to(0 if fresh else self._new_top(top, index))
        self.update_lines()
        self._announce(change)

    def select(self, key: Hashable) -> bool:
        """Select a key and bring it into view; ``False`` if it is not among the loaded rows."""
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
        """Ask for the selected object to be shown; without a selection nothing happens."""
        if self._cursor.key is not None:
            self.post_message(self.Opened(self, self._cursor.key))

    def on_click(self, event: events.Click) -> None:
        """Select a row, open it on the second click, or ask to sort."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < self.head_height:
            self._click_title(offset.x)
            return
        index = self.top + offset.y - self.head_height
        if index >= len(self.rows):
            return
        on_selected = self._cursor.key is not None and self.rows.key(index) == self._cursor.key
        if event.chain > 1 and on_selected:
            self.action_open()
        else:
            # Rows may have moved between two clicks: what was not selected is never opened.
            self._move(self._cursor.move(index))

    def _click_title(self, x: int) -> None:
        at = GUTTER
        for column, size in self._slots:
            if at <= x < at + size + GAP:
                if column.sortable:
                    self.post_message(self.SortRequested(self, column.key))
                return
            at += size + GAP

    def _move(self, change: Change) -> None:
        self._touched = True
        self._reveal()
        self.update_lines()
        self._announce(change)

    def _announce(self, change: Change) -> None:
        if not self.is_mounted:
            return
        cursor = self._cursor
        if change is Change.SELECTED and cursor.key is not None:
            self.post_message(self.Selected(self, cursor.key))
        elif change is Change.GONE and cursor.gone_key is not None:
            self.post_message(self.SelectionGone(self, cursor.gone_key, cursor.index))

    def on_mount(self) -> None:
        """Announce what was selected before there was anyone to tell."""
        if self._cursor.key is not None:
            self.post_message(self.Selected(self, self._cursor.key))

    # Scrolling

    def _reveal(self) -> None:
        top, index, page = self.top, self._cursor.index, self.page_height
        if not top <= index < top + page:
            self.go_to(index if index < top else index - page + 1)

    def _new_top(self, top: int, old_index: int) -> int:
        """Where to scroll so that the selection, or else the first visible row, stays in place."""
        cursor, page = self._cursor, self.page_height
        if cursor.state is State.ON and top <= old_index < top + page:
            # At the top what is most urgent comes first: it stays in view while nobody works
            # on this table.
            if not top and cursor.index < page and not (self.has_focus and self._touched):
                return 0
            return cursor.index - (old_index - top)
        if not top or self._top_key is None:
            return top
        index = self.rows.index_of(self._top_key)
        if index is None:
            return top
        if cursor.state is State.GONE:
            cursor.index = max(0, cursor.index + index - top)
        return index

    def resized(self) -> None:
        """Keep the selected row in view if it was."""
        was_visible = self.top <= self._cursor.index < self.top + self._fitted_page
        super().resized()
        self._fitted_page = self.page_height
        if was_visible:
            self._reveal()

    def need(self, first: int, last: int) -> None:
        """Ask for rows that are visible and not loaded, once for the same ones."""
        missing = [index for index in range(first, last) if self.rows.key(index) is None]
        window = (missing[0], missing[-1]) if missing else None
        if window is not None and window != self._asked:
            self.post_message(self.NeedRows(self, *window))
        self._asked = window
