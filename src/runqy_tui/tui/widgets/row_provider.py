"""Rows: what a table asks of its provider, and the provider over a plain list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar, get_args

Style = Literal["", "dim", "critical", "warning", "busy", "fine", "accent", "bold"]
"""Names of styles; each is the component class ``table--NAME``, so that the theme decides."""

STYLES: tuple[Style, ...] = get_args(Style)

T = TypeVar("T")


class Cell(NamedTuple):
    """Text as it came, untrusted or not (the table makes it safe), and the name of a style."""

    text: str
    style: Style = ""


class Rows(Protocol):
    """A sequence of keyed rows, read by index and only where they are visible."""

    def __len__(self) -> int:
        """Count all rows, loaded or not."""
        ...

    def key(self, index: int) -> Hashable | None:
        """Identity of the row, stable between refreshes; ``None`` while it is not loaded."""
        ...

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Cells of the row, one for each column key; ``None`` while it is not loaded."""
        ...

    def index_of(self, key: Hashable) -> int | None:
        """Index of the row with this key; ``None`` if there is none, or none that is loaded."""
        ...


class ListRows(Generic[T]):
    """Rows over a list that is complete in memory; it must not change afterwards."""

    __slots__ = ("_cell", "_indexes", "_items", "_key")

    def __init__(
        self,
        items: Sequence[T],
        key: Callable[[T], Hashable],
        cell: Callable[[T, str], Cell],
    ) -> None:
        """``cell(item, column_key)`` makes one cell; it is called for visible rows only."""
        self._items = items
        self._key = key
        self._cell = cell
        self._indexes: dict[Hashable, int] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def item(self, index: int) -> T:
        """Return the object behind a row."""
        return self._items[index]

    def key(self, index: int) -> Hashable | None:
        """Identity of the row."""
        return self._key(self._items[index])

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Cells of the row, one for each column key."""
        item = self._items[index]
        return tuple(self._cell(item, column) for column in columns)

    def index_of(self, key: Hashable) -> int | None:
        """Index of the first row with this key."""
        if self._indexes is None:
            indexes: dict[Hashable, int] = {}
            for index, item in enumerate(self._items):
                indexes.setdefault(self._key(item), index)
            self._indexes = indexes
        return self._indexes.get(key)


NO_ROWS: Rows = ListRows[None]((), lambda _: None, lambda _item, _column: Cell(""))
"""The provider of a table that has not been given one."""
