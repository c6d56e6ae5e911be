"""Reading what a table shows of a task list, and the task that is selected in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskPage, TaskRow, TaskState
from runqy_tui.model.reader_protocol import PAGE_SIZE, Reader
from runqy_tui.tui.paging import PagedRows, pages_in_sight

FILTER_DEPTH = 1_000
"""Tasks that a filter looks through: the first ones in the shown order."""

_LISTS = (TaskState.PENDING, TaskState.ACTIVE)


class Target(NamedTuple):
    """Which list is shown, in which order, through which filter."""

    queue: QueueKey
    state: TaskState
    newest_first: bool
    needle: str = ""

    def same_list(self, other: Target | None) -> bool:
        """Whether both show the same tasks, if in another order or through another filter."""
        return other is not None and self[:2] == other[:2]


class Sight(NamedTuple):
    """What is in view of a list: first row, rows, rows there were in all, and the selection.

    ``key`` is ``None`` where nothing is selected; ``row`` is where the selection was last.
    """

    top: int
    height: int
    total: int
    row: int = 0
    key: str | None = None


async def read_rows(reader: Reader, target: Target, sight: Sight) -> PagedRows:
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


async def read_matches(reader: Reader, target: Target) -> tuple[TaskPage, list[int]]:
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
    reader: Reader, target: Target, numbers: Iterable[int]
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
    reader: Reader, target: Target, task_id: str, sight: Sight, total: int
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
