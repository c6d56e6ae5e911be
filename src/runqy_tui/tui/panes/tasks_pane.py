"""The pane of tasks: one state of the selected queue, however long."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from runqy_tui.model import Queue, QueueKey, TaskRow, TaskState
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.reader_protocol import TaskReader
from runqy_tui.monitor.store import View
from runqy_tui.presentation.queue_columns import queue_label
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import quiet
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.coalescing_loader import CoalescingLoader
from runqy_tui.tui.tables.task_listing import (
    FILTER_DEPTH,
    ListTarget,
    ListView,
    read_matches,
    read_rows,
)
from runqy_tui.tui.tables.task_rows import task_cells, task_columns
from runqy_tui.tui.widgets.row_provider import NO_ROWS, Cell, ListRows, Rows
from runqy_tui.tui.widgets.tab_line import StateTabs, TabLine
from runqy_tui.tui.widgets.table import Table

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

    class Listed(Message):
        """The tasks that were wanted are in the table, or it is known why not."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, task_columns(TaskState.PENDING))
        self.table.placeholder = "Select a queue: its tasks appear here."
        self._tabs = StateTabs()
        self._queue: QueueKey | None = None
        self._state = TaskState.PENDING
        self._newest_first = False
        self._summary: Queue | None = None
        self._shown: ListTarget | None = None
        self._turns = CoalescingLoader(self, lambda: self.target, self._load)
        self._patience: Timer | None = None
        self._matches: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Put the states above the table."""
        yield self._tabs
        yield from super().compose()

    # What is shown

    @property
    def shown(self) -> ListTarget | None:
        """The list whose rows are on the screen; for a moment it may not be the wanted one."""
        return self._shown

    @property
    def target(self) -> ListTarget | None:
        """The list that is wanted."""
        if self._queue is None:
            return None
        return ListTarget(self._queue, self._state, self._newest_first, self.needle)

    def show(self, view: View) -> None:
        """Take over new counts, and read the visible tasks anew unless the screen is frozen."""
        if view.snapshot is None or self._queue is None:
            return
        self._summary = view.snapshot.queue(self._queue)
        self._show_counts()
        if view.frozen_at is None:
            self._turns.ask()

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
        if self._patience is None:
            self._patience = self.set_timer(_PATIENCE_S, self._blank)
        self.say("")
        self._show_counts()
        self._turns.change()

    def _blank(self) -> None:
        """It takes long: say so rather than show the rows of another list."""
        self._patience = None
        target = self.target
        if target is not None and target.same_list(self._shown):
            return  # the same tasks in another look: to lose the selected one would be worse
        if target != self._shown:
            self._shown = None
            self.table.placeholder = "Reading…"
            self.table.set_rows(NO_ROWS, reset=True)

    @on(Table.NeedRows)
    def _rows_needed(self) -> None:
        self._turns.ask()

    async def _load(self, target: ListTarget) -> None:
        try:
            rows = await self._read(self.session.reader, target)
        except RunqyTuiError as error:
            if target == self.target:
                self.table.placeholder = (
                    f"The tasks could not be read: {safe_text.line(str(error))}"
                )
                self.post_message(self.Listed())
            return
        if target == self.target:
            self._take(target, rows)
            self.post_message(self.Listed())

    def _take(self, target: ListTarget, rows: Rows) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        other = target != self._shown and not self._stays(target, rows)
        self._shown = target
        self.table.placeholder = self._empty_text()
        self.table.set_columns(task_columns(target.state))
        self.table.set_rows(rows, reset=other)
        self.post_message(self.Retitled(self))

    def _stays(self, target: ListTarget, rows: Rows) -> bool:
        """Whether the same list comes in another look and still shows the selected task.

        Whoever turns a list round at its top wants to see the other end.
        """
        table, shown = self.table, self._shown
        if table.selected is None or not target.same_list(shown):
            return False
        turned = shown is not None and target.newest_first != shown.newest_first
        return rows.index_of(table.selected) is not None and not (turned and not table.cursor_index)

    async def _read(self, reader: TaskReader, target: ListTarget) -> Rows:
        if not target.needle:
            return await read_rows(reader, target, self._sight(target))
        page, found = await read_matches(reader, target)
        if target == self.target:
            self._matches = {page.rows[at].id: at for at in found}

        def cell(row: TaskRow, column: str) -> Cell:
            return task_cells(row, (column,), page.taken_at)[0]

        return ListRows([page.rows[at] for at in found], lambda row: row.id, cell)

    def _sight(self, target: ListTarget) -> ListView:
        """What to read: what is in view now, or will be in the same list in another look."""
        table, shown = self.table, self._shown
        selected = None if table.selected is None else str(table.selected)
        top, height, total = table.top, table.page_height, len(table.rows)
        if target == shown:
            return ListView(top, height, total, table.cursor_index, selected)
        if shown is None or selected is None or not target.same_list(shown):
            return ListView(0, height, 0)
        if shown.needle:
            index = self._matches.get(selected, 0)
            total = index + 1
        elif table.cursor_index:
            index = total - 1 - table.cursor_index
        else:
            return ListView(0, height, 0)
        return ListView(max(0, index - table.cursor_index + top), height, total, index, selected)

    # What the borders say

    def _show_counts(self) -> None:
        self._tabs.show_counts(self._summary.counts if self._summary else None, self._state)
        self.post_message(self.Retitled(self))

    def _empty_text(self) -> str:
        if self.needle:
            return f'None of the first {FILTER_DEPTH:,} tasks contains "{self.needle}".'
        if self._summary is None:
            return "This queue is no longer in Redis."
        name = queue_label(self._summary.key)
        if self._summary.counts.of(self._state) is None and self._queue and self._queue.braced:
            return f"The {self._state.value} tasks of {name} cannot be read or counted."
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
            safe_text.content(name, "bold"),
            (f" ─ {self.order_text()}", "$muted"),
        ]
        if self.needle:
            total = self._summary.counts.of(self._state) if self._summary else None
            looked = "" if total is None or total <= FILTER_DEPTH else f" of {total:,}"
            found = f"{len(self._matches):,} match in the first {FILTER_DEPTH:,}{looked}"
            parts.append((f" ─ {found}", "$accent"))
        return Content.assemble(*parts)

    @on(Table.SelectionGone)
    def _gone(self, event: Table.SelectionGone) -> None:
        self._explain(str(event.key))

    @on(Table.Selected)
    def _back(self) -> None:
        self.say("")

    @work(group="explain", exclusive=True)
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
        short = safe_text.fit(task_id, min(36, len(task_id))).strip()
        if task is None or task.gone or task.state is None:
            self.say(f"{short} is gone from Redis")
        elif task.state is target.state:
            self.say(f"{short} is {task.state.value} elsewhere in this list")
        else:
            self.say(f"{short} is now {task.state.value} (was {target.state.value})")
