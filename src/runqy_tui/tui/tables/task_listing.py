"""Rows of a task list that is as long as it likes: only the pages in sight are held."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskPage, TaskRow, TaskState
from runqy_tui.model.reader_protocol import PAGE_SIZE, TaskReader
from runqy_tui.tui.tables.task_rows import task_cells
from runqy_tui.tui.widgets.row_provider import Cell


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


FILTER_DEPTH = 1_000
"""Tasks that a filter looks through: the first ones in the shown order."""

_LISTS = (TaskState.PENDING, TaskState.ACTIVE)


class ListTarget(NamedTuple):
    """Which list is shown, in which order, through which filter."""

    queue: QueueKey
    state: TaskState
    newest_first: bool
    needle: str = ""

    def same_list(self, other: ListTarget | None) -> bool:
        """Whether both show the same tasks, if in another order or through another filter."""
        return other is not None and self[:2] == other[:2]


class ListView(NamedTuple):
    """What is in view of a list: first row, rows, rows there were in all, and the selection.

    ``key`` is ``None`` where nothing is selected; ``row`` is where the selection was last.
    """

    top: int
    height: int
    total: int
    row: int = 0
    key: str | None = None


async def read_rows(reader: TaskReader, target: ListTarget, sight: ListView) -> PagedRows:
    """Read the pages in sight, and the one to which the selected task has moved."""
    also = sight.row if sight.key is not None else None
    numbers = pages_in_sight(sight.top, sight.height, sight.total, also)
    pages = await _read_pages(reader, target, numbers)
    rows = PagedRows(pages)
    if sight.key is not None and rows.index_of(sight.key) is None:
        moved_to = await _look_for(reader, target, sight.key, sight, rows.total)
        pages |= await _read_pages(reader, target, moved_to - pages.keys())
        rows = PagedRows(pages)
    return rows


async def read_matches(reader: TaskReader, target: ListTarget) -> tuple[TaskPage, list[int]]:
    """Read the first tasks, and which of their rows contain the needle."""
    page = await reader.page(
        target.queue, target.state, limit=FILTER_DEPTH, newest_first=target.newest_first
    )
    needle = target.needle.casefold()
    return page, [at for at, row in enumerate(page.rows) if needle in _words(row)]


def _words(row: TaskRow) -> str:
    payload = row.payload.data.decode("utf-8", "replace") if row.payload else ""
    return f"{row.id} {row.type or ''} {row.error or ''} {payload}".casefold()


async def _read_pages(
    reader: TaskReader, target: ListTarget, numbers: Iterable[int]
) -> dict[int, TaskPage]:
    ordered = sorted(numbers)
    pages = await asyncio.gather(
        *(
            reader.page(
                target.queue,
                target.state,
                offset=number * PAGE_SIZE,
                limit=PAGE_SIZE,
                newest_first=target.newest_first,
            )
            for number in ordered
        )
    )
    return dict(zip(ordered, pages, strict=True))


async def _look_for(
    reader: TaskReader, target: ListTarget, task_id: str, sight: ListView, total: int
) -> set[int]:
    """Pages on which a task that has moved may be: its rank tells, or else its surroundings.

    A list tells no rank. What came in on top, or went there, has moved the task by as much as
    the length has changed; the neighbours of both places cover what happened at the other end.
    """
    rank = await reader.position(target.queue, target.state, task_id)
    if rank is not None:
        return {(total - 1 - rank if target.newest_first else rank) // PAGE_SIZE}
    if target.state not in _LISTS:
        return set()
    last = max(0, total - 1) // PAGE_SIZE
    near = [place // PAGE_SIZE for place in (sight.row, sight.row + total - sight.total)]
    return {page + step for page in near for step in (-1, 0, 1) if 0 <= page + step <= last}
