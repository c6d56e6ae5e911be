"""The task modal: what a task is, what it carries, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from runqy_tui.model import Blob, QueueKey, Task
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.json_schema import task_object
from runqy_tui.text.humanize import clock, size
from runqy_tui.tui.screens.object_modal import ObjectModal, Step
from runqy_tui.tui.screens.task_facts import excerpts, facts, sentence
from runqy_tui.tui.screens.value_views import ending, show_blob, show_raw
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.key_value import KeyValueList
from runqy_tui.tui.widgets.text_view import TextView

WRITE_LIMIT = 64 * 1024 * 1024
"""Most that ``w`` reads of a value, in bytes."""


class TaskModal(ObjectModal):
    """Follows one task; a change of its state is named."""

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
        """A sheet of facts and four texts."""
        yield KeyValueList(id="overview")
        for key in ("payload", "result", "error", "raw"):
            yield TextView(id=key)

    def retarget(self, key: Hashable) -> None:
        """Turn to another task of the list behind; one of several queues gives the queue too."""
        if isinstance(key, tuple):
            self._task_id, self._queue = key
        else:
            self._task_id = str(key)
        self._seen = None
        self._change = ""
        self._gone_at = None

    async def load(self) -> None:
        """Read the task anew; where it has gone, the last picture stays."""
        found = await self.session.reader.task(self._task_id, self._queue)
        if found is None and self._seen is None and self._queue is not None:
            found = await self.session.reader.task(self._task_id)
        if found is None or (found.gone and self._seen is not None):
            self._lost()
            return
        before = self._seen
        if before is not None and before.state is not found.state and before.state is not None:
            self._change = f" (was {before.state} until {clock(found.taken_at)[-8:]})"
        self._seen, self._gone_at = found, None
        self._show(found, changed=before is None or not _same_data(before, found))

    def _lost(self) -> None:
        snapshot = self.session.view.snapshot
        if self._gone_at is None and snapshot is not None:
            self._gone_at = snapshot.taken_at
        if self._seen is None:
            self.say(
                "gone from Redis: only its id is still listed, or it never existed", "$warning"
            )
            return
        when = "" if self._gone_at is None else f" since {clock(self._gone_at)[-8:]}"
        self.say(f"gone from Redis{when}; it was {self._seen.state or 'in no state'}", "$warning")

    def _show(self, task: Task, *, changed: bool) -> None:
        words, style = sentence(task)
        self.say(words + self._change, style)
        self.query_one("#overview", KeyValueList).show(facts(task), excerpts(task))
        if not changed:
            return
        for key, blob, nothing in (
            ("payload", task.payload, "This task carries no payload."),
            ("result", task.result, "No result is stored."),
            ("error", task.error, "No error text is stored."),
        ):
            show_blob(self.query_one(f"#{key}", TextView), blob, nothing)
        show_raw(self.query_one("#raw", TextView), task.raw_fields)
        self.refresh_bindings()

    def tab_labels(self) -> dict[str, str]:
        """Mark the tabs that hold something."""
        task = self._seen
        if task is None:
            return {}
        held = {"payload": task.payload, "result": task.result, "error": task.error}
        names = dict(self.TABS)
        labels = {key: f"{names[key]} {_mark(blob)}" for key, blob in held.items()}
        return labels | {"raw": f"Raw {len(task.raw_fields)}"}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """What was read of the tab's value."""
        return None if self._seen is None else _content(self._seen, tab)

    async def whole_content(self, tab: str) -> tuple[str, bytes] | None:
        """The tab's value in full, up to a limit that memory bears."""
        seen = self._seen
        if seen is None:
            return None
        blob = _blob(seen, tab)
        if blob is None or not blob.truncated:
            return _content(seen, tab)
        if blob.size > WRITE_LIMIT:
            raise RunqyTuiError(f"{size(blob.size)} is more than {size(WRITE_LIMIT)}.")
        self.app.notify(f"Reading {size(blob.size)}…", timeout=2)
        whole = await self.session.reader.task(seen.id, seen.queue, limit=WRITE_LIMIT)
        found = None if whole is None else _blob(whole, tab)
        if whole is None or found is None or found.truncated:
            raise RunqyTuiError("the whole value could not be read: it is gone, or not readable.")
        return _content(whole, tab)


def _mark(blob: Blob | None) -> str:
    """Whether a tab holds something, and how much of it was read where it is cut."""
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
