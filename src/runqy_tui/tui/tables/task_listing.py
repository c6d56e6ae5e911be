"""Rows of a task list of any length: only the visible pages are loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskPage, TaskRow, TaskState
from runqy_tui.model.reader_protocol import PAGE_SIZE, TaskReader
from runqy_tui.tui.tables.task_rows import task_cells
from runqy_tui.tui.widgets.row_provider import Cell


class PagedRows:
    """A row provider over some pages of one list; immutable.

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
        """Return the task at an index, ``None`` where its page is not loaded."""
        number, at = divmod(index, PAGE_SIZE)
        page = self._pages.get(number)
        if page is None or at >= len(page.rows):
            return None
        return page.rows[at]

    def key(self, index: int) -> Hashable | None:
        """Return the id of the task, ``None`` where its page is not loaded."""
        row = self.row(index)
        return None if row is None else row.id

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        """Return the cells of the task, ``None`` where its page is not loaded."""
        row = self.row(index)
        return None if row is None else task_cells(row, tuple(columns), self._now)

    def index_of(self, key: Hashable) -> int | None:
        """Return the index of a task among the loaded pages, ``None`` if it is not loaded."""
        return self._indexes.get(str(key))


def visible_pages(first: int, height: int, total: int, also: int | None = None) -> list[int]:
    """Numbers of the pages that the rows from ``first`` on, and row ``also``, lie on."""
    last = max(first, min(first + height, total) - 1)
    numbers = set(range(first // PAGE_SIZE, last // PAGE_SIZE + 1))
    if also is not None and 0 <= also < max(total, 1):
        numbers.add(also // PAGE_SIZE)
    return sorted(numbers)


FILTER_DEPTH = 1_000
"""Number of tasks that a filter searches: the first ones in the shown order."""

_LISTS = (TaskState.PENDING, TaskState.ACTIVE)


class ListTarget(NamedTuple):
    """The list to show, its order and its filter text."""

    queue: QueueKey
    state: TaskState
    newest_first: bool
    needle: str = ""

    def same_list(self, other: ListTarget | None) -> bool:
        """Whether both show the same list, regardless of order and filter."""
        return other is not None and self[:2] == other[:2]


class ListView(NamedTuple):
    """The visible part of a list: first row, number of rows, total at that time, and selection.

    ``key`` is ``None`` where nothing is selected; ``row`` is the last index of the selection.
    """

    top: int
    height: int
    total: int
    row: int = 0
    key: str | None = None


async def read_rows(reader: TaskReader, target: ListTarget, view: ListView) -> PagedRows:
    """Read the visible pages, and the one to which the selected task has moved."""
    also = view.row if view.key is not None else None
    numbers = visible_pages(view.top, view.height, view.total, also)
    pages = await _read_pages(reader, target, numbers)
    rows = PagedRows(pages)
    if view.key is not None and rows.index_of(view.key) is None:
        moved_to = await _pages_of_moved_task(reader, target, view.key, view, rows.total)
        pages |= await _read_pages(reader, target, moved_to - pages.keys())
        rows = PagedRows(pages)
    return rows


async def read_matches(reader: TaskReader, target: ListTarget) -> tuple[TaskPage, list[int]]:
    """Read the first tasks; return their page and the indexes of rows that contain the needle."""
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


async def _pages_of_moved_task(
    reader: TaskReader, target: ListTarget, task_id: str, view: ListView, total: int
) -> set[int]:
    """Return the pages that may contain a task that has moved, by its rank or its surroundings.

    Lists have no ranks. Insertions and removals at the start have moved the task by the change of
    the length; the pages next to both places cover changes at the other end.
    """
    rank = await reader.position(target.queue, target.state, task_id)
    if rank is not None:
        return {(total - 1 - rank if target.newest_first else rank) // PAGE_SIZE}
    if target.state not in _LISTS:
        return set()
    last = max(0, total - 1) // PAGE_SIZE
    near = [place // PAGE_SIZE for place in (view.row, view.row + total - view.total)]
    return {page + step for page in near for step in (-1, 0, 1) if 0 <= page + step <= last}
