"""A resource as a table: columns as data, cells as pure functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Flag, auto
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from runqy_tui.model import QueueKey, Snapshot

T = TypeVar("T")


class Surface(Flag):
    """Where a column is shown."""

    SCREEN = auto()
    TEXT = auto()
    REPORT = auto()
    DOCUMENTS = TEXT | REPORT
    ALL = SCREEN | TEXT | REPORT


class DisplayContext(NamedTuple):
    """What a cell depends on besides its row.

    ``now`` is the moment of the snapshot shown, in unix seconds by Redis's clock; the mappings
    hold when those objects were read that its poll left out. ``coarse`` asks for ages that seldom
    change, for a terminal behind a slow link.
    """

    now: float
    coarse: bool = False
    unread_queues: Mapping[QueueKey, float] = {}
    unread_workers: Mapping[str, float] = {}

    @classmethod
    def of(cls, snapshot: Snapshot, *, coarse: bool = False) -> DisplayContext:
        """Return the context of a snapshot's rows."""
        return cls(snapshot.taken_at, coarse, snapshot.unread_queues, snapshot.unread_workers)


class ResourceColumn(NamedTuple, Generic[T]):
    """One column of a resource.

    ``title`` heads the column on the screen and ``label`` in documents (default: the title in
    lower case); ``value`` is a cell's text on the screen and ``full`` in documents (default:
    ``value``). Texts may hold anything that Redis holds: each front end makes them safe.

    ``width`` is in terminal cells. ``importance`` 0 is never hidden; of the others the highest
    number is hidden first. ``grow`` is the column's share of the width that is left over.
    ``sort`` returns a comparable value, or ``None`` for unknown, which sorts last both ways.
    ``largest_first``: the first sort by this column shows the largest value on top.
    ``meaning`` explains a title that is no plain word, for the legend in the help.
    """

    key: str
    title: str
    value: Callable[[T, DisplayContext], str]
    width: int
    align: Literal["left", "right"] = "left"
    importance: int = 0
    grow: int = 0
    label: str | None = None
    full: Callable[[T, DisplayContext], str] | None = None
    sort: Callable[[T, DisplayContext], Any] | None = None
    largest_first: bool = False
    surfaces: Surface = Surface.ALL
    meaning: str = ""

    @property
    def heading(self) -> str:
        """Heading in a document."""
        return self.title.lower() if self.label is None else self.label

    def document_text(self, row: T, context: DisplayContext) -> str:
        """Text of a cell in a document, not yet safe to print."""
        return (self.full or self.value)(row, context)


class ColumnSet(Generic[T]):
    """The columns of a resource on each surface.

    Args:
        columns: in the order of the screen.
        orders: keys of columns in the order of another surface. A column that is shown there and
            not named stands before the last one named.
    """

    def __init__(
        self,
        columns: Sequence[ResourceColumn[T]],
        orders: Mapping[Surface, Sequence[str]] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self._orders = orders or {}
        self._by_key = {column.key: column for column in self.columns}

    def column(self, key: str) -> ResourceColumn[T]:
        """Return the column with this key. Raises KeyError where there is none."""
        return self._by_key[key]

    def columns_on(self, surface: Surface) -> tuple[ResourceColumn[T], ...]:
        """Return the columns of one surface, in its order."""
        shown = [column for column in self.columns if surface in column.surfaces]
        named = self._orders.get(surface)
        if named is None:
            return tuple(shown)
        others = [column for column in shown if column.key not in named]
        ordered = [self._by_key[key] for key in named]
        return (*ordered[:-1], *others, ordered[-1])


class ResourceTable(ColumnSet[T]):
    """Columns of a resource, the identity and the order of its rows, and what a filter matches.

    Args:
        columns: in the order of the screen.
        orders: as for :class:`ColumnSet`.
        key: identity of a row, stable between polls.
        order: default order on the screen, the most urgent first.
        words: text that a filter is matched against.
        document_order: order in documents, the most urgent first.
    """

    def __init__(
        self,
        columns: Sequence[ResourceColumn[T]],
        orders: Mapping[Surface, Sequence[str]] | None = None,
        *,
        key: Callable[[T], Any],
        order: Callable[[T, DisplayContext], Any],
        words: Callable[[T], str],
        document_order: Callable[[T], Any] | None = None,
    ) -> None:
        super().__init__(columns, orders)
        self.key = key
        self._order = order
        self._words = words
        self._document_order = document_order

    def arrange(
        self,
        rows: Iterable[T],
        context: DisplayContext,
        *,
        sort: str | None = None,
        descending: bool = False,
        needle: str = "",
    ) -> list[T]:
        """Filter and sort rows for the screen; ``sort=None`` is the default order."""
        if needle:
            folded = needle.casefold()
            rows = [row for row in rows if folded in self._words(row).casefold()]
        order = self._order
        ordered = sorted(rows, key=lambda row: order(row, context))
        by = self._by_key[sort].sort if sort in self._by_key else None
        if by is None:
            return ordered
        values = [(by(row, context), row) for row in ordered]
        known = [pair for pair in values if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=descending)
        return [row for _, row in known] + [row for value, row in values if value is None]

    def document_rows(self, rows: Iterable[T]) -> list[T]:
        """Sort rows for a document, the most urgent first."""
        return sorted(rows, key=self._document_order) if self._document_order else list(rows)
