"""The pane of tasks: one state of the selected queue, of any length."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import Queue, QueueKey, TaskState
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.monitor.store import View
from runqy_tui.text.humanize import amount
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.panes.task_list_choice import TaskListChoice, removal_text
from runqy_tui.tui.panes.task_list_table import TaskListTable
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.coalescing_loader import CoalescingLoader
from runqy_tui.tui.tables.task_listing import FILTER_DEPTH, ListTarget
from runqy_tui.tui.tables.task_rows import task_columns
from runqy_tui.tui.widgets.tab_line import StateTabs, TabLine
from runqy_tui.tui.widgets.table import Table

_LOADING_SHOWN_AFTER_S = 0.3
"""How long the rows of the previous list remain while another one is read."""


class TasksPane(Pane):
    """Tasks of the queue that is selected in the queues pane."""

    number: ClassVar[int] = 3
    noun: ClassVar[str] = "Tasks"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_square_bracket,left,h",
            "state(-1)",
            "state",
            id="tasks.previous-state",
            key_display="[ ]",
            tooltip="Previous state",
        ),
        hidden_binding(
            "right_square_bracket,right,l", "state(1)", "Next state", "tasks.next-state"
        ),
    ]

    class Listed(Message):
        """Posted when the wanted tasks are in the table, or cannot be read."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, task_columns(TaskState.PENDING))
        self.table.placeholder = "Select a queue to list its tasks."
        self._tabs = StateTabs()
        self._choice = TaskListChoice()
        self._list = TaskListTable(self.table)
        self._summary: Queue | None = None
        self._loader = CoalescingLoader(self, lambda: self.target, self._load)
        self._loading_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the states above the table."""
        yield self._tabs
        yield from super().compose()

    # Which list is shown

    @property
    def shown(self) -> ListTarget | None:
        """The list whose rows are on the screen; for a moment it may differ from the target."""
        return self._list.shown

    @property
    def target(self) -> ListTarget | None:
        """The list that is to be shown, ``None`` before a queue was selected."""
        return self._choice.target(self.needle)

    def show(self, view: View) -> None:
        """Show the new counts, and read the visible tasks again unless the display is frozen."""
        if view.snapshot is None or self._choice.queue is None:
            return
        self._summary = view.snapshot.queue(self._choice.queue)
        self._show_counts()
        if view.frozen_at is None:
            self._loader.ask()

    def show_queue(self, key: QueueKey) -> None:
        """Show another queue; a state without tasks is replaced by one that has some."""
        if key == self._choice.queue:
            return
        snapshot = self.session.view.snapshot
        self._summary = snapshot.queue(key) if snapshot else None
        self._choice.choose_queue(key, self._summary)
        self._target_changed()

    def show_state(self, state: TaskState) -> None:
        """Show another state of the same queue."""
        if state is not self._choice.state:
            self._choice.choose_state(state)
            self._target_changed()

    def action_state(self, step: int) -> None:
        """Show the next (1) or the previous (-1) state."""
        self.show_state(self._choice.neighbour(step))

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        self.table.focus()
        self.show_state(TaskState(event.key))

    def action_sort(self, _step: int) -> None:
        """Reverse the order: tasks have no other."""
        self.action_reverse()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._choice.newest_first = not self._choice.newest_first
        self._target_changed()

    def refill(self, *, typed: bool = False) -> None:
        """Read the tasks again after the filter has changed."""
        del typed
        self._target_changed()

    def subject_of(self, key: Hashable) -> Subject | None:
        """Return the task of a row."""
        shown = self.shown
        return None if shown is None else Subject(SubjectKind.TASK, str(key), shown.queue)

    # Loading

    def _target_changed(self) -> None:
        """Load another list; the present rows remain until it is read or takes too long."""
        if self._loading_timer is None:
            self._loading_timer = self.set_timer(_LOADING_SHOWN_AFTER_S, self._show_loading)
        self.show_status("")
        self._show_counts()
        self._loader.change()

    def _show_loading(self) -> None:
        """Replace the rows of another list, but not those of the same one in another order."""
        self._loading_timer = None
        target = self.target
        if target != self.shown and not (target is not None and target.same_list(self.shown)):
            self._list.clear("Loading…")

    @on(Table.NeedRows)
    def _rows_needed(self) -> None:
        self._loader.ask()

    async def _load(self, target: ListTarget) -> None:
        try:
            rows = await self._list.read(self.session.reader, target)
        except RunqyTuiError as error:
            if target == self.target:
                self.table.placeholder = f"Cannot read tasks: {safe_text.line(str(error))}"
                self.post_message(self.Listed())
            return
        if target == self.target:
            if self._loading_timer is not None:
                self._loading_timer.stop()
                self._loading_timer = None
            self.table.placeholder = self._choice.empty_text(self._summary, self.needle)
            self._list.show(target, rows)
            self.post_message(self.Retitled(self))
            self.post_message(self.Listed())

    # Titles and status

    def _show_counts(self) -> None:
        counts = self._summary.counts if self._summary else None
        self._tabs.show_counts(counts, self._choice.state)
        self.post_message(self.Retitled(self))

    def full_title(self) -> Content:
        """Return the title with the queue, the order and the number of matches."""
        if self._choice.queue is None:
            return self.brief_title()
        parts: list[Content | str | tuple[str, str]] = [
            self.brief_title(),
            " ─ ",
            safe_text.content(self._choice.queue_title, "bold"),
            (f" ─ {self._choice.order_text}", "$muted"),
        ]
        if self.needle:
            total = self._summary.counts.of(self._choice.state) if self._summary else None
            of_total = "" if total is None or total <= FILTER_DEPTH else f" of {total:,}"
            matches = amount(self._list.match_count, "match", "matches")
            parts.append((f" ─ {matches} in the first {FILTER_DEPTH:,}{of_total}", "$accent"))
        return Content.assemble(*parts)

    @on(Table.SelectionGone)
    def _selection_gone(self, event: Table.SelectionGone) -> None:
        self._explain_removal(str(event.key))

    @work(group="explain", exclusive=True)
    async def _explain_removal(self, task_id: str) -> None:
        """Show what happened to the selected task, instead of selecting another one."""
        target = self.shown
        if target is None:
            return
        try:
            task = await self.session.reader.task(task_id, target.queue)
        except RunqyTuiError:
            task = None
        if self.table.gone == task_id:
            self.show_status(removal_text(task_id, task, target))

    @on(Table.Selected)
    def _selected(self) -> None:
        self.show_status("")
