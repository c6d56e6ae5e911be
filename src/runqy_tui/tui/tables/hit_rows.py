"""Hits of a search as rows: they only grow, so that the list keeps still while more come."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from runqy_tui.model.search_query import SearchHit
from runqy_tui.tui.tables.task_rows import when_text
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell

COLUMNS = (
    ColumnLayout("task", "TASK", 36),
    ColumnLayout("state", "STATE", 11, importance=3),
    ColumnLayout("queue", "QUEUE", 16, importance=2, grow=1),
    ColumnLayout("when", "WHEN", 8, importance=5, align="right"),
    ColumnLayout("place", "IN", 8, importance=4),
    ColumnLayout("excerpt", "TEXT", 24, importance=1, grow=4),
)


class HitRows:
    """A row provider over the hits so far; ``now`` is Redis's time, for ages."""

    def __init__(self) -> None:
        self.now = 0.0
        self._hits: list[SearchHit] = []
        self._indexes: dict[Hashable, int] = {}

    def add(self, hits: Iterable[SearchHit]) -> None:
        """Put further hits at the end."""
        for hit in hits:
            self._indexes.setdefault(hit.key, len(self._hits))
            self._hits.append(hit)

    def __len__(self) -> int:
        return len(self._hits)

    def key(self, index: int) -> Hashable | None:
        """Id and queue."""
        return self._hits[index].key

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Cells of one hit."""
        hit = self._hits[index]
        return tuple(_CELLS[column](hit, self.now) for column in columns)

    def index_of(self, key: Hashable) -> int | None:
        """Index of a hit."""
        return self._indexes.get(key)


_CELLS: Mapping[str, Callable[[SearchHit, float], Cell]] = {
    "task": lambda hit, _: Cell(hit.row.id, "dim" if hit.row.missing else ""),
    "state": lambda hit, _: Cell(hit.row.state.value),
    "queue": lambda hit, _: Cell(
        hit.queue.name if hit.queue.braced else f"{hit.queue.name} (no braces)"
    ),
    "when": lambda hit, now: Cell(when_text(hit.row, now), "dim"),
    "place": lambda hit, _: Cell(hit.place, "dim"),
    "excerpt": lambda hit, _: Cell(hit.excerpt),
}
