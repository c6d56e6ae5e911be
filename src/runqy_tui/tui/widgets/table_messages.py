"""What a table tells its screen; reached as ``Table.Selected`` and so on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from runqy_tui.tui.widgets.table import Table


class TableMessage(Message, namespace="table"):
    """Base of the messages; ``table`` is the sender, for ``@on(…, "#id")`` too."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        # Whoever fills a table counts as the sender else, and past its sender nothing goes up: what
        # a pane selects while its filter is typed would not reach the screen.
        self.set_sender(table)

    @property
    def control(self) -> Table:
        """The sender."""
        return self.table


class _KeyMessage(TableMessage, namespace="table"):
    def __init__(self, table: Table, key: Hashable) -> None:
        super().__init__(table)
        self.key = key


class Selected(_KeyMessage, namespace="table"):
    """Another key is selected: by the user, with the first rows, or because it came back."""


class Opened(_KeyMessage, namespace="table"):
    """The user asks to see the selected object: Enter or a double click."""


class SelectionGone(_KeyMessage, namespace="table"):
    """The selected key is no longer among the rows; ``index`` is where it was."""

    def __init__(self, table: Table, key: Hashable, index: int) -> None:
        super().__init__(table, key)
        self.index = index


class SortRequested(TableMessage, namespace="table"):
    """The user clicked on the title of a sortable column."""

    def __init__(self, table: Table, column_key: str) -> None:
        super().__init__(table)
        self.column_key = column_key


class NeedRows(TableMessage, namespace="table"):
    """Visible rows ``first`` to ``last`` (included) hold some that are not loaded."""

    def __init__(self, table: Table, first: int, last: int) -> None:
        super().__init__(table)
        self.first = first
        self.last = last
