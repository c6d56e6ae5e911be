"""The selection of a table: it belongs to a key, and an index is only where that key is now."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

from runqy_tui.tui.widgets.row_provider import NO_ROWS, Rows


class State(Enum):
    """What the cursor stands on."""

    FRESH = "nothing was ever selected"
    ON = "the row of the selected key"
    WAITING = "a row that is not loaded yet"
    GONE = "the place where the selected row was"


class Change(Enum):
    """What a new set of rows did to the selection."""

    NONE = "nothing"
    SELECTED = "another key is selected, or the lost one is back"
    GONE = "the selected key is gone"


class TableCursor:
    """Follows one key through changing rows; only :meth:`move` picks another one."""

    __slots__ = ("gone_key", "index", "key", "rows", "state")

    def __init__(self) -> None:
        self.rows: Rows = NO_ROWS
        self.index = 0
        self.key: Hashable | None = None
        self.gone_key: Hashable | None = None
        self.state = State.FRESH

    @property
    def visible(self) -> bool:
        """Whether a row is to be marked as selected."""
        return self.state in (State.ON, State.WAITING) and self.index < len(self.rows)

    def reset(self) -> None:
        """Forget everything: the next rows are the first."""
        self.index = 0
        self.key = self.gone_key = None
        self.state = State.FRESH

    def follow(self, rows: Rows) -> Change:
        """Take over new rows, or the same ones with other content, and find the key in them."""
        self.rows = rows
        if self.state is State.FRESH:
            return self.move(0) if len(rows) else Change.NONE
        if self.state is State.WAITING:
            return self._arrive()
        key = self.key if self.state is State.ON else self.gone_key
        if key is None:
            return Change.NONE
        at = self._find(key)
        if at is not None:
            self.index = at
            if self.state is State.ON:
                return Change.NONE
            self._take(key)
            return Change.SELECTED
        if self.state is State.GONE or self._unknown():
            return Change.NONE
        self.gone_key, self.key, self.state = key, None, State.GONE
        return Change.GONE

    def move(self, index: int) -> Change:
        """Stand on the row at ``index``, or on the nearest there is."""
        if not len(self.rows):
            return Change.NONE
        self.index = max(0, min(index, len(self.rows) - 1))
        key = self.rows.key(self.index)
        if key is None:
            self.key = self.gone_key = None
            self.state = State.WAITING
            return Change.NONE
        changed = self.state is not State.ON or key != self.key
        self._take(key)
        return Change.SELECTED if changed else Change.NONE

    def step(self, delta: int) -> Change:
        """Move by rows; where the selected row has gone, its neighbours are one step away."""
        if self.state is State.GONE and delta > 0:
            delta -= 1
        return self.move(self.index + delta)

    def _take(self, key: Hashable) -> None:
        self.key, self.gone_key, self.state = key, None, State.ON

    def _arrive(self) -> Change:
        if not len(self.rows):
            self.state = State.GONE
            return Change.NONE
        return self.move(self.index)

    def _find(self, key: Hashable) -> int | None:
        """Look where it was first: that answers most refreshes without a search."""
        if self.index < len(self.rows) and self.rows.key(self.index) == key:
            return self.index
        return self.rows.index_of(key)

    def _unknown(self) -> bool:
        """Whether the row may only be waiting to be loaded: nothing to be alarmed about yet."""
        return self.index < len(self.rows) and self.rows.key(self.index) is None
