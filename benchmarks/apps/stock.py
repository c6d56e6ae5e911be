"""Three stock DataTables on the data of the monitor.

    python -m benchmarks.apps.stock URL INTERVAL [--unseen]

Reads by the monitor's own reader, so that only the screen differs, and updates the cells that
changed. ``--unseen`` reads the same and shows nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from time import monotonic

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import DataTable, Footer

from runqy_tui.model import QueueKey, Snapshot, TaskPage, TaskState
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.redis.reader import open_reader
from runqy_tui.text.humanize import age
from runqy_tui.text.safe import safe_line

Row = tuple[str, tuple[str, ...]]
WORKERS = ("worker", "state", "beat", "active", "cpu", "queues")
QUEUES = ("queue", "pending", "active", "retry", "archived", "oldest", "processed")
TASKS = ("task", "type", "state", "retried", "since")


async def read(reader: Reader) -> tuple[Snapshot, TaskPage | None]:
    """One refresh: everything, and a page of the longest queue."""
    snapshot = await reader.overview()
    longest = max(snapshot.queues, key=lambda queue: queue.counts.pending or 0, default=None)
    if longest is None:
        return snapshot, None
    return snapshot, await reader.page(longest.key, TaskState.PENDING)


def worker_rows(snapshot: Snapshot) -> list[Row]:
    """What the workers' table shows."""
    return [
        (
            worker.id,
            (
                worker.id,
                worker.state.value,
                _age(snapshot.last_beat_age_s(worker)),
                _number(worker.active_count),
                _number(worker.metrics.cpu_percent if worker.metrics else None),
                " ".join(worker.queues),
            ),
        )
        for worker in snapshot.workers
    ]


def queue_rows(snapshot: Snapshot) -> list[Row]:
    """What the queues' table shows."""
    return [
        (
            _key(queue.key),
            (
                queue.name,
                _number(queue.counts.pending),
                _number(queue.counts.active),
                _number(queue.counts.retry),
                _number(queue.counts.archived),
                _age(snapshot.oldest_pending_age_s(queue)),
                _number(queue.processed_total),
            ),
        )
        for queue in snapshot.queues
    ]


def task_rows(page: TaskPage | None, now: float) -> list[Row]:
    """What the tasks' table shows."""
    return [
        (
            task.id,
            (
                task.id,
                task.type or "",
                task.state.value,
                _number(task.retried),
                _age(None if task.when is None else now - task.when),
            ),
        )
        for task in (page.rows if page else ())
    ]


def _key(key: QueueKey) -> str:
    return f"{key.braced}{key.name}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else age(max(0.0, seconds))


class Stock(App[None]):
    """Two tables over one, as the monitor has them."""

    CSS = "DataTable { width: 1fr; height: 1fr; } Horizontal { height: 1fr; }"

    def __init__(self, url: str, interval_s: float) -> None:
        super().__init__()
        self._url = url
        self._interval_s = interval_s
        self._columns = {"workers": WORKERS, "queues": QUEUES, "tasks": TASKS}
        self._shown: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in self._columns}

    def compose(self) -> ComposeResult:
        """Build the tables."""
        with Horizontal():
            yield DataTable[Text](id="workers", cursor_type="row")
            yield DataTable[Text](id="queues", cursor_type="row")
        yield DataTable[Text](id="tasks", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        """Name the columns and begin to poll."""
        for name, titles in self._columns.items():
            for title in titles:
                self._table(name).add_column(title, key=title)
        self.run_worker(self._poll())

    def _table(self, name: str) -> DataTable[Text]:
        table: DataTable[Text] = self.query_one(f"#{name}", DataTable)
        return table

    async def _poll(self) -> None:
        reader = await open_reader(self._url)
        while True:
            began = monotonic()
            snapshot, page = await read(reader)
            self._fill("workers", worker_rows(snapshot))
            self._fill("queues", queue_rows(snapshot))
            self._fill("tasks", task_rows(page, snapshot.taken_at))
            await asyncio.sleep(max(0.05, self._interval_s - (monotonic() - began)))

    def _fill(self, name: str, rows: Iterable[Row]) -> None:
        table, as_text, titles = self._table(name), self._shown[name], self._columns[name]
        wanted = dict(rows)
        for key in [key for key in as_text if key not in wanted]:
            table.remove_row(key)
            del as_text[key]
        for key, cells in wanted.items():
            before = as_text.get(key)
            if before is None:
                table.add_row(*(Text(safe_line(cell)) for cell in cells), key=key)
            elif before != cells:
                for title, old, new in zip(titles, before, cells, strict=True):
                    if old != new:
                        table.update_cell(key, title, Text(safe_line(new)))
            as_text[key] = cells


async def unseen(url: str, interval_s: float) -> None:
    """Only read, for ever."""
    reader = await open_reader(url)
    sys.stdout.write("Reads what the tables read, and shows nothing\n")
    sys.stdout.flush()
    while True:
        began = monotonic()
        snapshot, page = await read(reader)
        worker_rows(snapshot), queue_rows(snapshot), task_rows(page, snapshot.taken_at)
        await asyncio.sleep(max(0.05, interval_s - (monotonic() - began)))


if __name__ == "__main__":
    if "--unseen" in sys.argv:
        asyncio.run(unseen(sys.argv[1], float(sys.argv[2])))
    else:
        Stock(sys.argv[1], float(sys.argv[2])).run()
