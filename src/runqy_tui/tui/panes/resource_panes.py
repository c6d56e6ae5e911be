"""Panes of objects that each snapshot holds completely: workers and queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.content import Content

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import QueueKey, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.presentation.queue_columns import QueueRow
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.presentation.worker_columns import WorkerRow
from runqy_tui.text.humanize import amount
from runqy_tui.tui import safe_text
from runqy_tui.tui.notices import waiting_text
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.tables.queue_rows import QUEUES, queue_rows
from runqy_tui.tui.tables.screen_table import ScreenTable
from runqy_tui.tui.tables.worker_rows import WORKERS, worker_rows
from runqy_tui.tui.widgets.table import Table

K = TypeVar("K")
T = TypeVar("T")
_COUNTED = ((Severity.CRITICAL, "$error"), (Severity.WARNING, "$warning"))


class ResourcePane(Pane, Generic[T]):
    """A pane whose rows are built from the view alone; by default the most urgent first."""

    def __init__(
        self, session: Session, resource: ScreenTable[T], table: type[Table] = Table
    ) -> None:
        super().__init__(session, resource.columns, table)
        self._resource = resource
        self._items: list[T] = []
        self._severities: Counter[Severity] = Counter()
        self._sort: str | None = None
        self._descending = False
        self._matches = 0

    def rows_of(self, view: View) -> list[T]:
        """Return the rows of a view."""
        raise NotImplementedError

    def severity(self, item: T) -> Severity:
        """Return the severity of a row."""
        raise NotImplementedError

    def name_of(self, key: object) -> str:
        """Return the name of an object from its key alone."""
        return str(key)

    def empty_text(self) -> str:
        """Return the text of the empty table: why it is empty, and what would fill it."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Show a new view."""
        if view.snapshot is None:
            self.table.placeholder = waiting_text(view)
            return
        self._items = self.rows_of(view)
        # Counted here, as titles are written more often than polls arrive.
        self._severities = Counter(map(self.severity, self._items))
        self.refill()

    def refill(self, *, typed: bool = False) -> None:
        """Sort and filter the rows, and pass them to the table."""
        snapshot = self.session.view.snapshot
        low = self.session.bandwidth.low
        context = (
            DisplayContext(0.0) if snapshot is None else DisplayContext.of(snapshot, coarse=low)
        )
        rows = self._resource.arrange(
            self._items, context, sort=self._sort, descending=self._descending, needle=self.needle
        )
        if snapshot is not None:
            self.table.placeholder = (
                f'No match for "{self.needle}". Esc clears the filter.'
                if self.needle
                else self.empty_text()
            )
        self.table.set_rows(rows)
        if typed and self.table.selected is None and len(rows):
            # So that Enter opens the first match.
            self.table.select(rows.key(0))
        self._matches = len(rows)
        self.post_message(self.Retitled(self))

    def keys_in_view(self, kind: type[K]) -> list[K]:
        """Return the keys of type ``kind`` of the selected row and the visible ones."""
        keys = [self.table.selected, *self.table.keys_in_view()]
        return [key for key in keys if isinstance(key, kind)]

    # Order

    def action_sort(self, step: int) -> None:
        """Sort by the next column; after the last one by urgency again."""
        keys = (None, *self._resource.sort_keys)
        self.sort_by(keys[(keys.index(self._sort) + step) % len(keys)])

    def action_reverse(self) -> None:
        """Reverse the order of the sorted column."""
        if self._sort is not None:
            self.sort_by(self._sort, not self._descending)

    @on(Table.SortRequested)
    def _sort_clicked(self, event: Table.SortRequested) -> None:
        event.stop()
        same = event.column_key == self._sort
        self.sort_by(event.column_key, not self._descending if same else None)

    def sort_by(self, column: str | None, descending: bool | None = None) -> None:
        """Sort by a column, ``None`` for the most urgent first."""
        self._sort = column
        if column is None:
            self._descending = False
        elif descending is None:
            self._descending = self._resource.descends_first(column)
        else:
            self._descending = descending
        self.table.set_sort(column, self._descending)
        self.refill()

    # Titles and status

    @property
    def total(self) -> int:
        """Number of objects."""
        return len(self._items)

    def brief_title(self) -> Content:
        """Return the name and the numbers of all, critical and warning objects."""
        parts: list[str | tuple[str, str]] = [f"{self.number} {self.noun} {self.total:,}"]
        for severity, style in _COUNTED:
            if number := self.count(severity):
                parts.append((f" {sign(severity)}{number}", style))
        return Content.assemble(*parts)

    def full_title(self) -> Content:
        """Return the brief title with the number of matches and the order."""
        parts: list[Content | str | tuple[str, str]] = [self.brief_title()]
        if self.needle:
            parts.append((f" ─ {amount(self._matches, 'match', 'matches')}", "$accent"))
        if self._sort is not None:
            parts.append((f" ─ by {self._sort} {'▼' if self._descending else '▲'}", "$muted"))
        return Content.assemble(*parts)

    def count(self, severity: Severity) -> int:
        """Return the number of objects of a severity."""
        return self._severities[severity]

    @on(Table.SelectionGone)
    def _selection_gone(self, event: Table.SelectionGone) -> None:
        name = self.name_of(event.key)
        name = safe_text.fit(name, min(36, len(name))).strip()  # leave room for the rest
        hidden = any(self._resource.table.key(item) == event.key for item in self._items)
        self.show_status(f"{name} is hidden by the filter" if hidden else f"{name} was removed")

    @on(Table.Selected)
    def _selected(self) -> None:
        self.show_status("")


_STATE_NAMES = {
    WorkerState.DEGRADED: "degraded",
    WorkerState.LOST: "lost",
    WorkerState.RECOVERING: "recovering",
    WorkerState.STALE: "stale",
    WorkerState.BOOTSTRAPPING: "booting",
    WorkerState.RUNNING: "ok",
    WorkerState.STOPPED: "stopped",
}


class WorkersPane(ResourcePane[WorkerRow]):
    """Workers of all dialects, the degraded, lost and recovering ones on top."""

    number: ClassVar[int] = 1
    noun: ClassVar[str] = "Workers"

    def __init__(self, session: Session) -> None:
        super().__init__(session, WORKERS)
        self._states: Counter[WorkerState] = Counter()

    def show(self, view: View) -> None:
        """Show a new view."""
        super().show(view)
        self._states = Counter(item.worker.state for item in self._items)

    def rows_of(self, view: View) -> list[WorkerRow]:
        """Return the rows of a view."""
        return worker_rows(view)

    def subject_of(self, key: Hashable) -> Subject:
        """Return the worker of a row."""
        return Subject(SubjectKind.WORKER, str(key))

    def in_view(self) -> list[str]:
        """Return the ids of the visible workers and of the selected one."""
        return self.keys_in_view(str)

    def severity(self, item: WorkerRow) -> Severity:
        """Return the severity of a worker."""
        return item.condition.severity

    def empty_text(self) -> str:
        """Return why the table is empty."""
        return (
            "No workers are registered in this database. runqy-worker registers within 5 s of its "
            "start; check the Redis address and the database number."
        )

    def full_title(self) -> Content:
        """Return the title with the number of workers in each state."""
        states = self._states
        tally = " · ".join(
            f"{states[state]} {_STATE_NAMES[state]}" for state in _STATE_NAMES if states[state]
        )
        return Content.assemble(super().full_title(), (f" ─ {tally}" if tally else "", "$muted"))


class QueuesPane(ResourcePane[QueueRow]):
    """Queues with their counts and rates."""

    number: ClassVar[int] = 2
    noun: ClassVar[str] = "Queues"

    def __init__(self, session: Session) -> None:
        super().__init__(session, QUEUES)

    def rows_of(self, view: View) -> list[QueueRow]:
        """Return the rows of a view."""
        return queue_rows(view)

    def subject_of(self, key: Hashable) -> Subject | None:
        """Return the queue of a row."""
        return Subject(SubjectKind.QUEUE, key.name, key) if isinstance(key, QueueKey) else None

    def in_view(self) -> list[QueueKey]:
        """Return the visible queues and the selected one."""
        return self.keys_in_view(QueueKey)

    def severity(self, item: QueueRow) -> Severity:
        """Return the severity of a queue."""
        return item.condition.severity

    def name_of(self, key: object) -> str:
        """Return the name of a queue from its key."""
        return key.name if isinstance(key, QueueKey) else str(key)

    def copy_text(self) -> str | None:
        """Return the name of the selected queue, ``None`` without one."""
        key = self.table.selected
        return key.name if isinstance(key, QueueKey) else None

    def empty_text(self) -> str:
        """Return why the table is empty."""
        return (
            "No queues: asynq:queues is empty in this database. A queue is registered when its "
            "first task is enqueued."
        )
