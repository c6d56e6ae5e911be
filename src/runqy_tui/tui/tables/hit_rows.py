"""Hits of a search as rows of the screen. New ones go to the end: rows in view never move."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from runqy_tui.model.search_query import SearchHit
from runqy_tui.presentation.resource import DisplayContext, Surface
from runqy_tui.presentation.task_columns import HIT_COLUMNS
from runqy_tui.tui.tables.screen_table import CellFormatter, column_layouts
from runqy_tui.tui.widgets.row_provider import Cell, Style

COLUMNS = column_layouts(HIT_COLUMNS.columns_on(Surface.SCREEN))


def _task(hit: SearchHit, _: DisplayContext) -> Style:
    return "dim" if hit.row.missing else ""


_FORMATTER: CellFormatter[SearchHit] = CellFormatter(
    HIT_COLUMNS, {"task": _task, "when": "dim", "place": "dim"}
)


class HitRows:
    """A row provider over the hits so far; ``now`` is Redis's time (unix s), for ages."""

    def __init__(self) -> None:
        self.now = 0.0
        self._hits: list[SearchHit] = []
        self._indexes: dict[Hashable, int] = {}

    def add(self, hits: Iterable[SearchHit]) -> None:
        """Append further hits."""
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
        context = DisplayContext(self.now)
        return tuple(_FORMATTER.cell(hit, column, context) for column in columns)

    def index_of(self, key: Hashable) -> int | None:
        """Index of a hit."""
        return self._indexes.get(key)
