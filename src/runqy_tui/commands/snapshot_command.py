"""``runqy-tui snapshot`` and ``runqy-tui task``: ask once, print, done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from runqy_tui.commands import plain_tables
from runqy_tui.commands.stdout import emit
from runqy_tui.model import QueueKey, Snapshot, Task, json_schema
from runqy_tui.model.errors import NotFoundError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.text.safe import safe_line

OpenReader = Callable[[], Awaitable[Reader]]


async def snapshot(open_reader: OpenReader, *, as_json: bool, name: str | None = None) -> None:
    """Print one overview. ``name`` is what this Redis is called in the settings."""
    reader = await open_reader()
    try:
        seen: Snapshot = await reader.overview()
    finally:
        await reader.close()
    emit(json_schema.snapshot_object(seen) if as_json else plain_tables.snapshot_text(seen, name))


async def task(open_reader: OpenReader, task_id: str, queue: str | None, *, as_json: bool) -> None:
    """Print one task.

    Raises:
        NotFoundError: no queue holds a task with this id.
    """
    reader = await open_reader()
    try:
        found = await _find(reader, task_id, queue)
    finally:
        await reader.close()
    emit(json_schema.task_object(found) if as_json else plain_tables.task_text(found))


async def _find(reader: Reader, task_id: str, queue: str | None) -> Task:
    found = None
    for key in _places(queue):
        found = await reader.task(task_id, key)
        if found is not None:
            break
    name = safe_line(task_id)
    where = "in any queue" if queue is None else f"in queue {safe_line(queue)}"
    if found is None:
        raise NotFoundError(f"No task {name} {where}.")
    if found.gone:
        raise NotFoundError(
            f"Task {name} was in queue {safe_line(found.queue.name)}, but its data is gone: it "
            "finished where storage is off, or it expired."
        )
    return found


def _places(queue: str | None) -> tuple[QueueKey | None, ...]:
    """Where to look: anywhere, or the queue in each spelling that means it.

    For runqy a name without a sub-queue means ``<name>.default``.
    """
    if queue is None:
        return (None,)
    default = () if "." in queue else (QueueKey(f"{queue}.default"),)
    return QueueKey(queue), QueueKey(queue, braced=False), *default
