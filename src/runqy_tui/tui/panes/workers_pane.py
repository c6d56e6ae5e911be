"""The pane of workers."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from textual.content import Content

from runqy_tui.model import WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.tui.panes.resource_pane import ResourcePane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.worker_rows import WORKERS, WorkerRow, worker_rows

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
        return worker_rows(view, coarse=self.session.bandwidth.low)

    def in_view(self) -> list[str]:
        """Ids of workers whose rows can be seen, and of the selected one."""
        return self.keys_in_view(str)

    def severity(self, item: WorkerRow) -> Severity:
        """How bad a worker is."""
        return item.trouble.severity

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
