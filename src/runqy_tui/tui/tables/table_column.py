"""One column of one resource: how it looks, what it shows, what it sorts by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import UNKNOWN, ZERO, count
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows, Style

T = TypeVar("T")
SortKey = Callable[[T], Any]


class TableColumn(NamedTuple, Generic[T]):
    """A column of resource ``T``.

    ``sort`` gives a comparable value, ``None`` (unknown) sorts last both ways. ``first_desc``:
    the first press sorts the largest on top, as one wants for counts and ages.
    """

    column: ColumnLayout
    cell: Callable[[T], Cell]
    sort: Callable[[T], Any] | None = None
    first_desc: bool = False


class Resource(Generic[T]):
    """The columns of a resource, its identity, its default order and what a filter matches."""

    def __init__(
        self,
        fields: Sequence[TableColumn[T]],
        *,
        key: Callable[[T], Any],
        order: SortKey[T],
        words: Callable[[T], str],
    ) -> None:
        self.fields = tuple(fields)
        self.key = key
        self._order = order
        self._words = words
        self._by_key = {field.column.key: field for field in self.fields}

    @cached_property
    def columns(self) -> tuple[ColumnLayout, ...]:
        """Columns for the table; those that can be sorted say so."""
        return tuple(
            field.column._replace(sortable=field.sort is not None) for field in self.fields
        )

    @property
    def sort_keys(self) -> tuple[str, ...]:
        """Keys of the columns that can be sorted by."""
        return tuple(field.column.key for field in self.fields if field.sort is not None)

    def descends_first(self, column: str) -> bool:
        """Whether the first sort by this column shows the largest on top."""
        return self._by_key[column].first_desc

    def cell(self, item: T, column: str) -> Cell:
        """Cell of one item."""
        return self._by_key[column].cell(item)

    def arrange(
        self, items: Sequence[T], *, sort: str | None, descending: bool, needle: str
    ) -> ListRows[T]:
        """Filter and sort; ``sort=None`` is the default order, the most urgent first."""
        if needle:
            folded = needle.casefold()
            items = [item for item in items if folded in self._words(item).casefold()]
        ordered = sorted(items, key=self._order)
        field = self._by_key.get(sort) if sort is not None else None
        if field is not None and field.sort is not None:
            known = [item for item in ordered if field.sort(item) is not None]
            unknown = [item for item in ordered if field.sort(item) is None]
            ordered = sorted(known, key=field.sort, reverse=descending) + unknown
        return ListRows(ordered, self.key, self.cell)


def rank(severity: Severity) -> int:
    """Severity as far as it decides the order: fine and busy are one, so that rows keep still."""
    return _RANKS[severity]


_RANKS = tuple(int(Severity.FINE if one is Severity.BUSY else one) for one in Severity)
"""Plain numbers: a large fleet is put in order at every poll."""


def number(value: int | None, style: Style = "") -> Cell:
    """A count; zero and unknown are dim."""
    text = count(value)
    return Cell(text, "dim" if text in (ZERO, UNKNOWN) else style)


def text(value: str | None, style: Style = "") -> Cell:
    """A text; unknown is a dim dash."""
    return Cell(value, style) if value else Cell(UNKNOWN, "dim")
