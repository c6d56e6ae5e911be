"""The protocol by which a table reads its rows, and an implementation over a list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar, get_args

Style = Literal["", "dim", "critical", "warning", "busy", "fine", "accent", "bold"]
"""Names of styles; each is the component class ``table--NAME``, so that the theme decides."""

STYLES: tuple[Style, ...] = get_args(Style)

T = TypeVar("T")


class Cell(NamedTuple):
    """A text, which may be untrusted (the table makes it safe), and the name of its style."""

    text: str
    style: Style = ""


class Rows(Protocol):
    """A sequence of rows with keys; a table reads only the visible ones."""

    def __len__(self) -> int:
        """Return the number of rows, loaded or not."""
        ...

    def key(self, index: int) -> Hashable | None:
        """Return the key of a row, the same after a refresh; ``None`` while it is not loaded."""
        ...

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Return a cell for each column key; ``None`` while the row is not loaded."""
        ...

    def index_of(self, key: Hashable) -> int | None:
        """Return the index of a key; ``None`` if no loaded row has it."""
        ...


class ListRows(Generic[T]):
    """Rows over a list, which must not change afterwards."""

    __slots__ = ("_cell", "_indexes", "_items", "_key")

    def __init__(
        self,
        items: Sequence[T],
        key: Callable[[T], Hashable],
        cell: Callable[[T, str], Cell],
    ) -> None:
        """``cell(item, column_key)`` builds a cell; it is called for visible rows only."""
        self._items = items
        self._key = key
        self._cell = cell
        self._indexes: dict[Hashable, int] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def item(self, index: int) -> T:
        """Return the object of a row."""
        return self._items[index]

    def key(self, index: int) -> Hashable | None:
        """Return the key of a row."""
        return self._key(self._items[index])

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Return a cell for each column key."""
        item = self._items[index]
        return tuple(self._cell(item, column) for column in columns)

    def index_of(self, key: Hashable) -> int | None:
        """Return the index of the first row with this key, or ``None``."""
        if self._indexes is None:
            indexes: dict[Hashable, int] = {}
            for index, item in enumerate(self._items):
                indexes.setdefault(self._key(item), index)
            self._indexes = indexes
        return self._indexes.get(key)


NO_ROWS: Rows = ListRows[None]((), lambda _: None, lambda _item, _column: Cell(""))
"""The rows of a table before :meth:`~runqy_tui.tui.widgets.table.Table.set_rows`."""
