"""The queue modal: counts, two weeks of counters, and who consumes it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from runqy_tui.diagnosis.assessment import Assessment
from runqy_tui.model import Queue, QueueKey, Snapshot, Worker
from runqy_tui.model.reader_protocol import InView
from runqy_tui.monitor.store import Rates
from runqy_tui.text.humanize import UNKNOWN, age
from runqy_tui.tui.describe.queue import facts, sentence
from runqy_tui.tui.screens.modal import ObjectModal, Step
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.bars import daily_chart
from runqy_tui.tui.widgets.columns import Column
from runqy_tui.tui.widgets.facts import Facts
from runqy_tui.tui.widgets.rows import Cell, ListRows
from runqy_tui.tui.widgets.table import Table

_COLUMNS = (
    Column("worker", "WORKER", 24, grow=1),
    Column("state", "STATE", 13),
    Column("priority", "PRIORITY", 8, importance=1, align="right"),
    Column("beat", "BEAT", 5, importance=2, align="right"),
    Column("note", "NOTE", 20, importance=3, grow=1),
)
_DAYS = 14


class QueueModal(ObjectModal):
    """Follows one queue."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("overview", "Overview"),
        ("history", "14 days"),
        ("consumers", "Consumers"),
    )

    def __init__(self, session: Session, key: QueueKey, step: Step | None = None) -> None:
        super().__init__(session, step)
        self._key = key
        self._queue: Queue | None = None

    @property
    def object_name(self) -> str:
        """The queue's name."""
        return self._key.name

    def in_view(self) -> InView:
        """The queue, wherever this was opened from."""
        return InView(queues=[self._key])

    def compose_tabs(self) -> Iterable[Widget]:
        """Facts, a chart and a list."""
        yield Facts(id="overview")
        yield Facts(id="history")
        yield Table(
            _COLUMNS,
            id="consumers",
            placeholder="No worker lists this queue: nobody takes its tasks.",
        )

    def retarget(self, key: Hashable) -> None:
        """Turn to another queue of the list behind."""
        if isinstance(key, QueueKey):
            self._key = key
            self._queue = None

    async def load(self) -> None:
        """Take the queue from the latest view, its daily counters from Redis."""
        view = self.session.view
        found = view.snapshot.queue(self._key) if view.snapshot else None
        if view.snapshot is None or found is None:
            never = "not in Redis: no task was ever put into it"
            self.say(never if self._queue is None else "no longer in Redis", "$warning")
            return
        self._queue = found
        self.say(*sentence(found, view.assessment.queues[found.key]))
        rates = view.rates.get(self._key, Rates())
        self.query_one("#overview", Facts).show(facts(found, rates, view.durations.get(self._key)))
        self._show_consumers(found, view.snapshot, view.assessment)
        await self._show_history()

    async def _show_history(self) -> None:
        sheet = self.query_one("#history", Facts)
        if not self._key.braced:
            sheet.show((), Content("Lists without braces have no counters."))
            return
        days = await self.session.reader.daily(self._key, _DAYS)
        sheet.show((), daily_chart(days, max(40, self.size.width * 9 // 10 - 6)))

    def _show_consumers(self, queue: Queue, snapshot: Snapshot, judged: Assessment) -> None:
        """Every worker that lists the queue, those that no longer consume too."""
        listed = [worker for worker in snapshot.workers if worker.serves(queue.key)]
        listed.sort(key=lambda worker: (-judged.workers[worker.id].severity, worker.id))

        def cell(worker: Worker, column: str) -> Cell:
            trouble = judged.workers[worker.id]
            priority = worker.queues.get(queue.name)
            texts = {
                "worker": worker.id,
                "state": worker.state.value,
                "priority": UNKNOWN if priority is None else str(priority),
                "beat": age(worker.last_beat_age_s),
                "note": trouble.reason,
            }
            return Cell(texts[column], trouble.severity.style if column == "state" else "")

        table = self.query_one("#consumers", Table)
        table.set_rows(ListRows(listed, lambda worker: worker.id, cell))

    @on(Table.Opened)
    def _drill(self, event: Table.Opened) -> None:
        event.stop()
        from runqy_tui.tui.screens.worker import WorkerModal

        self.app.push_screen(WorkerModal(self.session, str(event.key)))

    def tab_labels(self) -> dict[str, str]:
        """Say how many consumers there are."""
        if self._queue is None:
            return {}
        return {"consumers": f"Consumers {len(self._queue.consumers)}"}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """The queue as JSON."""
        del tab
        if self._queue is None:
            return None
        import json

        from runqy_tui.model.json_schema import queue_object

        return "json", json.dumps(queue_object(self._queue), indent=2).encode()
