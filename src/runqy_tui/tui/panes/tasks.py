"""The pane of tasks: one state of the selected queue, however long."""

from __future__ import annotations

import asyncio
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.worker import Worker as TextualWorker

from runqy_tui.errors import RunqyTuiError
from runqy_tui.model import Queue, QueueKey, TaskPage, TaskRow, TaskState
from runqy_tui.reader import PAGE_SIZE, Reader
from runqy_tui.store import View
from runqy_tui.tui import text
from runqy_tui.tui.paging import PagedRows, pages_in_sight
from runqy_tui.tui.panes.base import Pane
from runqy_tui.tui.resources.queues import queue_label
from runqy_tui.tui.resources.tasks import task_cells, task_columns
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.bindings import quiet
from runqy_tui.tui.widgets.rows import NO_ROWS, Cell, ListRows, Rows
from runqy_tui.tui.widgets.statetabs import StateTabs
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.tabline import TabLine

FILTER_DEPTH = 1_000
"""Tasks that a filter looks through: the first ones in the shown order."""

_PATIENCE_S = 0.3
"""What takes longer than this shows that it works."""

_NEWEST_FIRST = frozenset({TaskState.ARCHIVED, TaskState.COMPLETED, TaskState.ACTIVE})
_BY_DUE_TIME = frozenset({TaskState.SCHEDULED, TaskState.RETRY})
_INTERESTING = (
    TaskState.PENDING,
    TaskState.ACTIVE,
    TaskState.RETRY,
    TaskState.ARCHIVED,
    TaskState.SCHEDULED,
    TaskState.AGGREGATING,
    TaskState.COMPLETED,
)


class Target(NamedTuple):
    """Which list is shown, in which order, through which filter."""

    queue: QueueKey
    state: TaskState
    newest_first: bool
    needle: str = ""


class TasksPane(Pane):
    """Follows the queue selected in the queues pane."""

    number: ClassVar[int] = 3
    noun: ClassVar[str] = "Tasks"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_square_bracket,left,h",
            "state(-1)",
            "state",
            id="tasks.previous-state",
            key_display="[ ]",
            tooltip="Show the previous state",
        ),
        quiet("right_square_bracket,right,l", "state(1)", "Next state", "tasks.next-state"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, task_columns(TaskState.PENDING))
        self.table.placeholder = "Select a queue: its tasks appear here."
        self._tabs = StateTabs()
        self._queue: QueueKey | None = None
        self._state = TaskState.PENDING
        self._newest_first = False
        self._summary: Queue | None = None
        self._shown: Target | None = None
        self._loading: TextualWorker[None] | None = None
        self._patience: Timer | None = None
        self._again = False
        self._matches = 0

    def compose(self) -> ComposeResult:
        """Put the states above the table."""
        yield self._tabs
        yield from super().compose()

    # What is shown

    @property
    def shown(self) -> Target | None:
        """The list whose rows are on the screen; for a moment it may not be the wanted one."""
        return self._shown

    @property
    def target(self) -> Target | None:
        """The list that is wanted."""
        if self._queue is None:
            return None
        return Target(self._queue, self._state, self._newest_first, self.needle)

    def show(self, view: View) -> None:
        """Take over new counts, and read the visible tasks anew unless the screen is frozen."""
        if view.snapshot is None or self._queue is None:
            return
        self._summary = view.snapshot.queue(self._queue)
        self._show_counts()
        if view.frozen_at is None:
            self._request()

    def show_queue(self, key: QueueKey) -> None:
        """Show another queue; an empty state gives way to one that holds tasks."""
        if key == self._queue:
            return
        self._queue = key
        snapshot = self.session.view.snapshot
        self._summary = snapshot.queue(key) if snapshot else None
        if self._summary is not None and not self._summary.counts.of(self._state):
            full = (state for state in _INTERESTING if self._summary.counts.of(state))
            self._choose(next(full, self._state))
        self._restart()

    def show_state(self, state: TaskState) -> None:
        """Show another state of the same queue."""
        if state is not self._state:
            self._choose(state)
            self._restart()

    def _choose(self, state: TaskState) -> None:
        self._state = state
        self._newest_first = state in _NEWEST_FIRST

    def action_state(self, step: int) -> None:
        """Show the next or the previous state."""
        states = list(TaskState)
        self.show_state(states[(states.index(self._state) + step) % len(states)])

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        self.table.focus()
        self.show_state(TaskState(event.key))

    def action_sort(self, _step: int) -> None:
        """Turn the list around: oldest or newest first."""
        self._newest_first = not self._newest_first
        self._restart()

    def action_reverse(self) -> None:
        """Turn the list around."""
        self.action_sort(1)

    def refill(self, *, typed: bool = False) -> None:
        """Filter anew."""
        del typed
        self._restart()

    # Loading: one at a time, so that a slow Redis is asked less, not more

    def _restart(self) -> None:
        """Another list is wanted: the rows stay until its first page is here, or it takes long."""
        if self._loading is not None:
            self._loading.cancel()
            self._loading = None
        if self._patience is None:
            self._patience = self.set_timer(_PATIENCE_S, self._blank)
        self.say("")
        self._show_counts()
        self._request()

    def _blank(self) -> None:
        """It takes long: say so rather than show the rows of another list."""
        self._patience = None
        if self.target != self._shown:
            self._shown = None
            self.table.placeholder = "Reading…"
            self.table.set_rows(NO_ROWS, reset=True)

    @on(Table.NeedRows)
    def _rows_needed(self) -> None:
        self._request()

    def _request(self) -> None:
        if self.target is None:
            return
        if self._loading is not None and self._loading.is_running:
            self._again = True
            return
        self._again = False
        self._loading = self.run_worker(self._load, group="tasks", exit_on_error=True)

    async def _load(self) -> None:
        target = self.target
        if target is None:
            return
        try:
            rows = await self._read(self.session.reader, target)
        except RunqyTuiError as error:
            self.table.placeholder = f"The tasks could not be read: {text.line(str(error))}"
            return
        if target == self.target:
            self._take(target, rows)
        if self._again:
            self._loading = None
            self._request()

    def _take(self, target: Target, rows: Rows) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        other = target != self._shown
        self._shown = target
        self.table.placeholder = self._empty_text()
        self.table.set_columns(task_columns(target.state))
        self.table.set_rows(rows, reset=other)
        self.post_message(self.Retitled())

    async def _read(self, reader: Reader, target: Target) -> Rows:
        if target.needle:
            return await self._read_filtered(reader, target)
        table = self.table
        if target != self._shown:
            return PagedRows(await _read_pages(reader, target, [0]))
        selected = table.selected
        also = table.cursor_index if selected is not None else None
        total = len(table.rows)
        numbers = pages_in_sight(table.top, table.page_height, total, also)
        pages = await _read_pages(reader, target, numbers)
        rows = PagedRows(pages)
        if selected is not None and rows.index_of(selected) is None:
            moved_to = await _look_for(reader, target, str(selected), table.cursor_index, rows)
            pages |= await _read_pages(reader, target, [n for n in moved_to if n not in pages])
            rows = PagedRows(pages)
        return rows

    async def _read_filtered(self, reader: Reader, target: Target) -> Rows:
        page = await reader.page(
            target.queue, target.state, limit=FILTER_DEPTH, newest_first=target.newest_first
        )
        needle = target.needle.casefold()
        found = [row for row in page.rows if needle in _words(row)]
        self._matches = len(found)

        def cell(row: TaskRow, column: str) -> Cell:
            return task_cells(row, (column,), page.taken_at)[0]

        return ListRows(found, lambda row: row.id, cell)

    # What the borders say

    def _show_counts(self) -> None:
        self._tabs.show_counts(self._summary.counts if self._summary else None, self._state)
        self.post_message(self.Retitled())

    def _empty_text(self) -> str:
        if self.needle:
            return f'None of the first {FILTER_DEPTH:,} tasks contains "{self.needle}".'
        if self._summary is None:
            return "This queue is no longer in Redis."
        name = queue_label(self._summary)
        if self._state is TaskState.ARCHIVED and self._summary.failed_total:
            return (
                f"No archived task in {name}, though {self._summary.failed_total:,} failed: they "
                "were not stored (redis_storage is off), have expired or were deleted."
            )
        return f"No {self._state.value} task in {name}."

    def order_text(self) -> str:
        """How the list is ordered."""
        if self._state in _BY_DUE_TIME:
            return "latest first" if self._newest_first else "soonest first"
        return "newest first" if self._newest_first else "oldest first"

    def full(self) -> Content:
        """Name the queue, the order and the filter."""
        if self._queue is None:
            return self.brief()
        name = self._queue.name if self._queue.braced else f"{self._queue.name} (no braces)"
        parts: list[Content | str | tuple[str, str]] = [
            self.brief(),
            " ─ ",
            text.content(name, "bold"),
            (f" ─ {self.order_text()}", "$muted"),
        ]
        if self.needle:
            total = self._summary.counts.of(self._state) if self._summary else None
            looked = "" if total is None or total <= FILTER_DEPTH else f" of {total:,}"
            parts.append(
                (f" ─ {self._matches:,} match in the first {FILTER_DEPTH:,}{looked}", "$accent")
            )
        return Content.assemble(*parts)

    @on(Table.SelectionGone)
    def _gone(self, event: Table.SelectionGone) -> None:
        self.run_worker(self._explain(str(event.key)), group="explain", exclusive=True)

    @on(Table.Selected)
    def _back(self) -> None:
        self.say("")

    async def _explain(self, task_id: str) -> None:
        """Say what became of the selected task, instead of selecting another one."""
        target = self._shown
        if target is None:
            return
        try:
            task = await self.session.reader.task(task_id, target.queue)
        except RunqyTuiError:
            task = None
        if self.table.gone != task_id:
            return
        short = text.fit(task_id, min(36, len(task_id))).strip()
        if task is None or task.gone or task.state is None:
            self.say(f"{short} is gone from Redis")
        elif task.state is target.state:
            self.say(f"{short} is {task.state.value} elsewhere in this list")
        else:
            self.say(f"{short} is now {task.state.value} (was {target.state.value})")


def _words(row: TaskRow) -> str:
    payload = row.payload.data.decode("utf-8", "replace") if row.payload else ""
    return f"{row.id} {row.type or ''} {row.error or ''} {payload}".casefold()


async def _read_pages(reader: Reader, target: Target, numbers: list[int]) -> dict[int, TaskPage]:
    pages = await asyncio.gather(
        *(
            reader.page(
                target.queue,
                target.state,
                offset=number * PAGE_SIZE,
                limit=PAGE_SIZE,
                newest_first=target.newest_first,
            )
            for number in numbers
        )
    )
    return dict(zip(numbers, pages, strict=True))


async def _look_for(
    reader: Reader, target: Target, task_id: str, index: int, rows: PagedRows
) -> list[int]:
    """Pages on which a task that has moved may be: its rank tells, or else it is near."""
    rank = await reader.position(target.queue, target.state, task_id)
    if rank is not None:
        return [(rows.total - 1 - rank if target.newest_first else rank) // PAGE_SIZE]
    if target.state not in (TaskState.PENDING, TaskState.ACTIVE):
        return []
    page = index // PAGE_SIZE
    last = max(0, rows.total - 1) // PAGE_SIZE
    return [number for number in (page - 1, page + 1) if 0 <= number <= last]
