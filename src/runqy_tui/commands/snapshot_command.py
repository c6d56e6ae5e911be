"""``runqy-tui snapshot`` and ``runqy-tui task``: read once and print text or JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from runqy_tui.commands.stdout import emit, table
from runqy_tui.diagnosis.assessment import assess
from runqy_tui.model import Blob, QueueKey, RedisInfo, Snapshot, Task, json_schema
from runqy_tui.model.errors import NotFoundError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.presentation.queue_columns import QUEUE_TABLE, QueueRow
from runqy_tui.presentation.resource import DisplayContext, ResourceTable, Surface
from runqy_tui.presentation.worker_columns import WORKER_TABLE, WorkerRow
from runqy_tui.runtime.cooperative import run_to_end
from runqy_tui.text import humanize
from runqy_tui.text.safe import safe_block, safe_line

T = TypeVar("T")

OpenReader = Callable[[], Awaitable[Reader]]


async def snapshot(open_reader: OpenReader, *, as_json: bool, name: str | None = None) -> None:
    """Print one overview. ``name`` is the name of this Redis in the settings.

    Raises OutputError where standard output cannot be written.
    """
    reader = await open_reader()
    try:
        overview: Snapshot = await reader.overview()
    finally:
        await reader.close()
    emit(json_schema.snapshot_object(overview) if as_json else snapshot_text(overview, name))


async def task(open_reader: OpenReader, task_id: str, queue: str | None, *, as_json: bool) -> None:
    """Print one task.

    Raises:
        NotFoundError: no queue contains a task with this id.
        OutputError: standard output cannot be written.
    """
    reader = await open_reader()
    try:
        found = await _find(reader, task_id, queue)
    finally:
        await reader.close()
    emit(json_schema.task_object(found) if as_json else task_text(found))


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
            f"Task {name} was in queue {safe_line(found.queue.name)}, but its data no longer "
            "exists: it finished with storage off, or it expired."
        )
    return found


def _places(queue: str | None) -> tuple[QueueKey | None, ...]:
    """Queues to search: any, or all that the name may mean.

    For runqy a name without a sub-queue means ``<name>.default``.
    """
    if queue is None:
        return (None,)
    default = () if "." in queue else (QueueKey(f"{queue}.default"),)
    return QueueKey(queue), QueueKey(queue, braced=False), *default


_PREVIEW_LIMIT = 4_000
"""Characters of a text value that are shown."""


def snapshot_text(snapshot: Snapshot, name: str | None = None) -> str:
    """Return the overview as text, the most urgent rows first.

    ``name`` is the name of this Redis in the settings.
    """
    assessment = run_to_end(assess(snapshot))
    workers = [WorkerRow(worker, assessment.workers[worker.id]) for worker in snapshot.workers]
    queues = [QueueRow(queue, assessment.queues[queue.key]) for queue in snapshot.queues]
    redis = snapshot.redis
    parts = [
        f"{_place(redis, name)}  {safe_line(redis.version or 'version unknown')}  "
        f"{safe_line(redis.mode or 'mode unknown')}  {humanize.moment(snapshot.taken_at)}  "
        f"{redis.round_trips} round trips, {redis.elapsed_ms:.0f} ms",
        "",
        _resource_table(WORKER_TABLE, workers, snapshot, "No workers."),
        "",
        _resource_table(QUEUE_TABLE, queues, snapshot, "No queues."),
    ]
    if snapshot.warnings:
        parts += ["", *(f"! {safe_line(warning)}" for warning in snapshot.warnings)]
    return "\n".join(parts)


def _place(redis: RedisInfo, name: str | None) -> str:
    primary = redis.where.primary
    words = [name, f"{redis.address} → {primary}" if primary else redis.address]
    words.append("TLS UNVERIFIED" if redis.unverified else None)
    return "  ".join(safe_line(word) for word in words if word)


def _resource_table(
    definition: ResourceTable[T], rows: Iterable[T], snapshot: Snapshot, empty: str
) -> str:
    columns = definition.columns_on(Surface.TEXT)
    context = DisplayContext.of(snapshot)
    return table(
        [column.heading.upper() for column in columns],
        (
            [column.document_text(row, context) for column in columns]
            for row in definition.document_rows(rows)
        ),
        empty,
        right=frozenset(at for at, column in enumerate(columns) if column.align == "right"),
    )


def task_text(task: Task) -> str:
    """Return one task as text: fields, then error, payload and result."""
    fields = [
        ("task", task.id),
        ("queue", task.queue.name or "unknown"),
        ("state", (task.state or "unknown") + (" (orphaned)" if task.orphaned else "")),
        ("type", task.type),
        ("dialect", task.dialect),
        ("retries", _retries(task)),
        *((name, humanize.moment(at)) for name, at in _times(task) if at is not None),
        ("timeout", None if task.timeout_s is None else f"{task.timeout_s} s"),
        ("group", task.group),
        *((f"header {name}", value) for name, value in task.headers.items()),
        *(("note", note) for note in task.notes),
    ]
    if not task.decodable:
        fields.append(("note", "msg cannot be decoded; see --json for its raw bytes"))
    lines = [
        f"{safe_line(name):<14} {safe_line(value)}" for name, value in fields if value is not None
    ]
    for title, blob in (("error", task.error), ("payload", task.payload), ("result", task.result)):
        if blob is not None:
            lines += ["", *_blob_lines(title, blob)]
    return "\n".join(lines)


def _retries(task: Task) -> str | None:
    if task.retried is None:
        return None
    most = humanize.UNKNOWN if task.max_retry is None else task.max_retry
    return f"{task.retried} of {most}"


def _times(task: Task) -> tuple[tuple[str, float | None], ...]:
    return (
        ("pending since", task.pending_since),
        ("next run", task.next_run_at),
        ("last failed", task.last_failed_at),
        ("completed", task.completed_at),
        ("lease until", task.lease_expires_at),
        ("deadline", task.deadline),
        ("expires", task.expires_at),
    )


def _blob_lines(title: str, blob: Blob) -> list[str]:
    text = json_schema.as_text(blob)
    if text is None:
        shown, body = min(len(blob.data), 256), blob.data[:256].hex(" ")
    else:
        body = safe_block(text[:_PREVIEW_LIMIT])
        shown = len(text[:_PREVIEW_LIMIT].encode("utf-8", "replace"))
    cut = f", first {humanize.size(shown)} shown" if shown < blob.size else ""
    kind = "" if text is not None else ", binary"
    # Indented, so that no line of the value can be mistaken for a field.
    shown_lines = [f"  {line}".rstrip() for line in body.split("\n")]
    return [f"{title} ({humanize.size(blob.size)}{kind}{cut})", *shown_lines]
