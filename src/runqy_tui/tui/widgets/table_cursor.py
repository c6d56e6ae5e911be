"""The selection of a table: it belongs to a key, and its index follows that key."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

from runqy_tui.tui.widgets.row_provider import NO_ROWS, Rows


class CursorState(Enum):
    """What the cursor is on."""

    EMPTY = "nothing was ever selected"
    ON = "the row of the selected key"
    LOADING = "a row that is not loaded yet"
    GONE = "the place where the selected row was"


class CursorChange(Enum):
    """How the selection has changed."""

    NONE = "nothing"
    SELECTED = "another key is selected, or the lost one is back"
    GONE = "the selected key is gone"


class TableCursor:
    """Follows one key through changing rows; only :meth:`move` selects another one.

    ``index`` is the row of ``key``; after its row is gone, the place where it was, and ``gone_key``
    is the key.
    """

    __slots__ = ("gone_key", "index", "key", "rows", "state")

    def __init__(self) -> None:
        self.rows: Rows = NO_ROWS
        self.index = 0
        self.key: Hashable | None = None
        self.gone_key: Hashable | None = None
        self.state = CursorState.EMPTY

    @property
    def visible(self) -> bool:
        """Whether a row is marked as selected."""
        return self.state in (CursorState.ON, CursorState.LOADING) and self.index < len(self.rows)

    def reset(self) -> None:
        """Discard the selection: the next rows are treated as the first."""
        self.index = 0
        self.key = self.gone_key = None
        self.state = CursorState.EMPTY

    def follow(self, rows: Rows) -> CursorChange:
        """Set new rows, or the same object with other content, and find the key in them."""
        self.rows = rows
        if self.state is CursorState.EMPTY:
            return self.move(0) if len(rows) else CursorChange.NONE
        if self.state is CursorState.LOADING:
            return self._resolve_loading()
        key = self.key if self.state is CursorState.ON else self.gone_key
        if key is None:
            return CursorChange.NONE
        at = self._find(key)
        if at is not None:
            self.index = at
            if self.state is CursorState.ON:
                return CursorChange.NONE
            self._stand_on(key)
            return CursorChange.SELECTED
        if self.state is CursorState.GONE or self._may_be_loading():
            return CursorChange.NONE
        self.gone_key, self.key, self.state = key, None, CursorState.GONE
        return CursorChange.GONE

    def move(self, index: int) -> CursorChange:
        """Select the row at ``index``, or the nearest one."""
        if not len(self.rows):
            return CursorChange.NONE
        self.index = max(0, min(index, len(self.rows) - 1))
        key = self.rows.key(self.index)
        if key is None:
            self.key = self.gone_key = None
            self.state = CursorState.LOADING
            return CursorChange.NONE
        changed = self.state is not CursorState.ON or key != self.key
        self._stand_on(key)
        return CursorChange.SELECTED if changed else CursorChange.NONE

    def step(self, delta: int) -> CursorChange:
        """Move by rows; where the selected row is gone, its neighbours are one step away."""
        if self.state is CursorState.GONE and delta > 0:
            delta -= 1
        return self.move(self.index + delta)

    def _stand_on(self, key: Hashable) -> None:
        self.key, self.gone_key, self.state = key, None, CursorState.ON

    def _resolve_loading(self) -> CursorChange:
        if not len(self.rows):
            self.state = CursorState.GONE
            return CursorChange.NONE
        return self.move(self.index)

    def _find(self, key: Hashable) -> int | None:
        """Index of a key; checked at its last index first, which avoids most searches."""
        if self.index < len(self.rows) and self.rows.key(self.index) == key:
            return self.index
        return self.rows.index_of(key)

    def _may_be_loading(self) -> bool:
        """Whether the row at the index is not loaded, so that it may be the missing one."""
        return self.index < len(self.rows) and self.rows.key(self.index) is None
