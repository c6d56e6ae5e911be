"""Rows of a task list that is as long as it likes: only the pages in sight are held."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from runqy_tui.model import TaskPage, TaskRow
from runqy_tui.model.reader_protocol import PAGE_SIZE
from runqy_tui.tui.resources.tasks import task_cells
from runqy_tui.tui.widgets.rows import Cell


class PagedRows:
    """A row provider over some pages of one list; never changed once it is made.

    Args:
        pages: pages by number; page ``n`` starts at row ``n * PAGE_SIZE``.
    """

    def __init__(self, pages: Mapping[int, TaskPage]) -> None:
        newest = max(pages.values(), key=lambda page: page.taken_at, default=None)
        self._pages = pages
        self._now = 0.0 if newest is None else newest.taken_at
        self.total = 0 if newest is None else newest.total
        self._indexes = {
            row.id: number * PAGE_SIZE + at
            for number, page in sorted(pages.items(), reverse=True)
            for at, row in reversed(list(enumerate(page.rows)))
        }

    def __len__(self) -> int:
        return self.total

    def row(self, index: int) -> TaskRow | None:
        """The task at an index, ``None`` where its page is not loaded."""
        number, at = divmod(index, PAGE_SIZE)
        page = self._pages.get(number)
        if page is None or at >= len(page.rows):
            return None
        return page.rows[at]

    def key(self, index: int) -> Hashable | None:
        """Id of the task."""
        row = self.row(index)
        return None if row is None else row.id

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Cells of the task."""
        row = self.row(index)
        return None if row is None else task_cells(row, tuple(columns), self._now)

    def index_of(self, key: Hashable) -> int | None:
        """Index of a task among the loaded pages."""
        return self._indexes.get(str(key))


def pages_in_sight(first: int, height: int, total: int, also: int | None = None) -> list[int]:
    """Numbers of the pages that the rows from ``first`` on, and row ``also``, lie on."""
    last = max(first, min(first + height, total) - 1)
    numbers = set(range(first // PAGE_SIZE, last // PAGE_SIZE + 1))
    if also is not None and 0 <= also < max(total, 1):
        numbers.add(also // PAGE_SIZE)
    return sorted(numbers)
