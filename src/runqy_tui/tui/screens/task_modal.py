"""The window of one task: its state, payload, result, error and raw fields."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from runqy_tui.model import Blob, QueueKey, Task
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.json_schema import task_object
from runqy_tui.text.humanize import clock, size
from runqy_tui.tui.screens.object_modal import ObjectModal
from runqy_tui.tui.screens.task_facts import excerpts, facts, headline
from runqy_tui.tui.screens.value_views import ending, show_blob, show_raw
from runqy_tui.tui.session import Session, Step
from runqy_tui.tui.widgets.key_value import KeyValueList
from runqy_tui.tui.widgets.text_view import TextView

WRITE_LIMIT = 64 * 1024 * 1024
"""Largest value that ``w`` reads in full, in bytes."""


class TaskModal(ObjectModal):
    """Shows one task, updated after every poll; names the latest change of its state."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("overview", "Overview"),
        ("payload", "Payload"),
        ("result", "Result"),
        ("error", "Error"),
        ("raw", "Raw"),
    )

    def __init__(
        self, session: Session, task_id: str, queue: QueueKey | None, step: Step | None = None
    ) -> None:
        super().__init__(session, step)
        self._task_id = task_id
        self._queue = queue
        self._seen: Task | None = None
        self._change = ""
        self._gone_at: float | None = None

    @property
    def object_name(self) -> str:
        """The task's id."""
        return self._task_id

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield the overview and four texts."""
        yield KeyValueList(id="overview")
        for key in ("payload", "result", "error", "raw"):
            yield TextView(id=key)

    def retarget(self, key: Hashable) -> None:
        """Switch to another task: its id, or id and queue from a list of several queues."""
        if isinstance(key, tuple):
            self._task_id, self._queue = key
        else:
            self._task_id = str(key)
        self._seen = None
        self._change = ""
        self._gone_at = None

    async def load(self) -> None:
        """Read the task; if it was removed, keep what was shown last.

        Raises:
            RunqyTuiError: Redis cannot be read.
        """
        found = await self.session.reader.task(self._task_id, self._queue)
        if found is None and self._seen is None and self._queue is not None:
            found = await self.session.reader.task(self._task_id)
        if found is None or (found.gone and self._seen is not None):
            self._show_removed()
            return
        before = self._seen
        if before is not None and before.state is not found.state and before.state is not None:
            self._change = f" (was {before.state} until {clock(found.taken_at)[-8:]})"
        self._seen, self._gone_at = found, None
        self._show(found, changed=before is None or not _same_data(before, found))

    def _show_removed(self) -> None:
        snapshot = self.session.view.snapshot
        if self._gone_at is None and snapshot is not None:
            self._gone_at = snapshot.taken_at
        if self._seen is None:
            self.show_headline(
                "not in Redis: only its id is listed, or it never existed", "$warning"
            )
            return
        since = "" if self._gone_at is None else f" since {clock(self._gone_at)[-8:]}"
        state = self._seen.state or "unknown"
        self.show_headline(f"no longer in Redis{since}; last state: {state}", "$warning")

    def _show(self, task: Task, *, changed: bool) -> None:
        text, style = headline(task)
        self.show_headline(text + self._change, style)
        self.query_one("#overview", KeyValueList).show(facts(task), excerpts(task))
        if not changed:
            return
        for key, blob, placeholder in (
            ("payload", task.payload, "No payload."),
            ("result", task.result, "No result stored."),
            ("error", task.error, "No error text stored."),
        ):
            show_blob(self.query_one(f"#{key}", TextView), blob, placeholder)
        show_raw(self.query_one("#raw", TextView), task.raw_fields)
        self.refresh_bindings()

    def tab_labels(self) -> dict[str, str]:
        """Return labels that mark which tabs hold a value."""
        task = self._seen
        if task is None:
            return {}
        values = {"payload": task.payload, "result": task.result, "error": task.error}
        names = dict(self.TABS)
        labels = {key: f"{names[key]} {_mark(blob)}" for key, blob in values.items()}
        return labels | {"raw": f"Raw {len(task.raw_fields)}"}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return what was read of the tab's value; the other tabs as JSON."""
        return None if self._seen is None else _content(self._seen, tab)

    async def read_file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the tab's value in full.

        Raises:
            RunqyTuiError: it exceeds :data:`WRITE_LIMIT`, was removed, or cannot be read.
        """
        seen = self._seen
        if seen is None:
            return None
        blob = _blob(seen, tab)
        if blob is None or not blob.truncated:
            return _content(seen, tab)
        if blob.size > WRITE_LIMIT:
            raise RunqyTuiError(f"{size(blob.size)} exceeds the limit of {size(WRITE_LIMIT)}.")
        self.app.notify(f"Reading {size(blob.size)}…", timeout=2)
        whole = await self.session.reader.task(seen.id, seen.queue, limit=WRITE_LIMIT)
        found = None if whole is None else _blob(whole, tab)
        if whole is None or found is None or found.truncated:
            raise RunqyTuiError("the full value cannot be read: it was removed or is not readable.")
        return _content(whole, tab)


def _mark(blob: Blob | None) -> str:
    """Return ``●`` or ``·``: a value or none; for a truncated one how much was read."""
    if blob is None or not blob.size:
        return "·"
    return f"{size(len(blob.data))} of {size(blob.size)}" if blob.truncated else "●"


def _blob(task: Task, tab: str) -> Blob | None:
    values = {"payload": task.payload, "result": task.result, "error": task.error}
    return values.get(tab)


def _content(task: Task, tab: str) -> tuple[str, bytes] | None:
    if tab in ("payload", "result", "error"):
        blob = _blob(task, tab)
        return None if blob is None else (ending(blob), blob.data)
    return "json", json.dumps(task_object(task), indent=2).encode()


def _same_data(old: Task, new: Task) -> bool:
    return (old.payload, old.result, old.error, old.raw_fields) == (
        new.payload,
        new.result,
        new.error,
        new.raw_fields,
    )
