"""Panes over what a snapshot holds whole: workers and queues."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.content import Content

from runqy_tui.model import QueueKey, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.presentation.queue_columns import QueueRow
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.presentation.worker_columns import WorkerRow
from runqy_tui.tui import safe_text
from runqy_tui.tui.notices import waiting
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.tables.queue_rows import QUEUES, queue_rows
from runqy_tui.tui.tables.screen_table import ScreenTable
from runqy_tui.tui.tables.worker_rows import WORKERS, worker_rows
from runqy_tui.tui.widgets.table import Table

K = TypeVar("K")
T = TypeVar("T")
_LOUD = ((Severity.CRITICAL, "$error"), (Severity.WARNING, "$warning"))


class ResourcePane(Pane, Generic[T]):
    """A pane whose rows come from the view alone. The default order is by trouble."""

    def __init__(
        self, session: Session, resource: ScreenTable[T], table: type[Table] = Table
    ) -> None:
        super().__init__(session, resource.columns, table)
        self._resource = resource
        self._items: list[T] = []
        self._severities: Counter[Severity] = Counter()
        self._sort: str | None = None
        self._descending = False

    def rows_of(self, view: View) -> list[T]:
        """Items of a view."""
        raise NotImplementedError

    def severity(self, item: T) -> Severity:
        """How bad an item is."""
        raise NotImplementedError

    def name_of(self, key: object) -> str:
        """What to call an object of which only the key is left."""
        return str(key)

    def empty_text(self) -> str:
        """Why there is nothing, and what would fill it."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Take over a new view."""
        if view.snapshot is None:
            self.table.placeholder = waiting(view)
            return
        self._items = self.rows_of(view)
        # Titles are written more often than polls come.
        self._severities = Counter(map(self.severity, self._items))
        self.refill()

    def refill(self, *, typed: bool = False) -> None:
        """Sort, filter and hand over to the table."""
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
                f'Nothing here contains "{self.needle}". Esc clears the filter.'
                if self.needle
                else self.empty_text()
            )
        self.table.set_rows(rows)
        if typed and self.table.selected is None and len(rows):
            # Whoever filters asks for what is left: Enter opens the first of it.
            self.table.select(rows.key(0))
        self._shown = len(rows)
        self.post_message(self.Retitled(self))

    def keys_in_view(self, kind: type[K]) -> list[K]:
        """Keys, of this kind, of the selected row and of those that can be seen."""
        keys = [self.table.selected, *self.table.keys_in_view()]
        return [key for key in keys if isinstance(key, kind)]

    # Order

    def action_sort(self, step: int) -> None:
        """Sort by the next column; after the last one by trouble again."""
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

    # What the borders say

    @property
    def total(self) -> int:
        """How many objects there are."""
        return len(self._items)

    def brief(self) -> Content:
        """Name, number of objects, and how many are in trouble."""
        parts: list[str | tuple[str, str]] = [f"{self.number} {self.noun} {self.total:,}"]
        for severity, style in _LOUD:
            amount = self.count(severity)
            if amount:
                parts.append((f" {sign(severity)}{amount}", style))
        return Content.assemble(*parts)

    def full(self) -> Content:
        """The brief title, the filter and the order."""
        parts: list[Content | str | tuple[str, str]] = [self.brief()]
        if self.needle:
            parts.append((f" ─ {getattr(self, '_shown', 0):,} match", "$accent"))
        if self._sort is not None:
            parts.append((f" ─ by {self._sort} {'▼' if self._descending else '▲'}", "$muted"))
        return Content.assemble(*parts)

    def count(self, severity: Severity) -> int:
        """How many objects have this severity."""
        return self._severities[severity]

    @on(Table.SelectionGone)
    def _gone(self, event: Table.SelectionGone) -> None:
        name = self.name_of(event.key)
        name = safe_text.fit(name, min(36, len(name))).strip()  # what became of it has to be seen
        hidden = any(self._resource.table.key(item) == event.key for item in self._items)
        self.say(f"{name} is hidden by the filter" if hidden else f"{name} is gone")

    @on(Table.Selected)
    def _back(self) -> None:
        self.say("")


_WORDS = {
    WorkerState.DEGRADED: "degraded",
    WorkerState.LOST: "lost",
    WorkerState.RECOVERING: "recovering",
    WorkerState.STALE: "stale",
    WorkerState.BOOTSTRAPPING: "booting",
    WorkerState.RUNNING: "fine",
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
        """Take over a new view."""
        super().show(view)
        self._states = Counter(item.worker.state for item in self._items)

    def rows_of(self, view: View) -> list[WorkerRow]:
        """Rows of a view."""
        return worker_rows(view)

    def in_view(self) -> list[str]:
        """Ids of workers whose rows can be seen, and of the selected one."""
        return self.keys_in_view(str)

    def severity(self, item: WorkerRow) -> Severity:
        """How bad a worker is."""
        return item.condition.severity

    def empty_text(self) -> str:
        """Why there is no worker."""
        return (
            "No worker is registered in this database. runqy-worker shows up within 5 s of its "
            "start; is this the right Redis and database number?"
        )

    def full(self) -> Content:
        """Add how many are in which state."""
        states = self._states
        tally = " · ".join(f"{states[state]} {_WORDS[state]}" for state in _WORDS if states[state])
        return Content.assemble(super().full(), (f" ─ {tally}" if tally else "", "$muted"))


class QueuesPane(ResourcePane[QueueRow]):
    """Queues with their counts and rates, ranked by trouble."""

    number: ClassVar[int] = 2
    noun: ClassVar[str] = "Queues"

    def __init__(self, session: Session) -> None:
        super().__init__(session, QUEUES)

    def rows_of(self, view: View) -> list[QueueRow]:
        """Rows of a view."""
        return queue_rows(view)

    def in_view(self) -> list[QueueKey]:
        """Queues whose rows can be seen, and the selected one."""
        return self.keys_in_view(QueueKey)

    def severity(self, item: QueueRow) -> Severity:
        """How bad a queue is."""
        return item.condition.severity

    def name_of(self, key: object) -> str:
        """Name of a queue that is gone."""
        return key.name if isinstance(key, QueueKey) else str(key)

    def copy_text(self) -> str | None:
        """Name of the selected queue."""
        key = self.table.selected
        return key.name if isinstance(key, QueueKey) else None

    def empty_text(self) -> str:
        """Why there is no queue."""
        return (
            "asynq:queues is empty in this database: no queue was ever used. The first task "
            "that is enqueued registers its queue."
        )
