"""Readable tables for a terminal or a mail: safe text only, no colour, no terminal library."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeVar

from runqy_tui.diagnosis.assessment import assess
from runqy_tui.model import Blob, RedisInfo, Snapshot, Task
from runqy_tui.model.json_schema import as_text
from runqy_tui.presentation.queue_columns import QUEUE_TABLE, QueueRow
from runqy_tui.presentation.resource import DisplayContext, ResourceTable, Surface
from runqy_tui.presentation.worker_columns import WORKER_TABLE, WorkerRow
from runqy_tui.runtime.cooperative import run_to_end
from runqy_tui.text import humanize
from runqy_tui.text.safe import safe_block, safe_line

T = TypeVar("T")

_CELL_LIMIT = 48
_PREVIEW_LIMIT = 4_000


def snapshot_text(snapshot: Snapshot, name: str | None = None) -> str:
    """The overview as text, the most urgent rows first. ``name`` is what this Redis is called."""
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
    """One task as text: facts, then error, payload and result."""
    facts = [
        ("task", task.id),
        ("queue", task.queue.name or "unknown"),
        ("state", (task.state or "unknown") + (" (orphaned)" if task.orphaned else "")),
        ("type", task.type),
        ("dialect", task.dialect),
        ("tries", _tries(task)),
        *((name, humanize.moment(at)) for name, at in _times(task) if at is not None),
        ("timeout", None if task.timeout_s is None else f"{task.timeout_s} s"),
        ("group", task.group),
        *((f"header {name}", value) for name, value in task.headers.items()),
        *(("note", note) for note in task.notes),
    ]
    if not task.decodable:
        facts.append(("note", "msg cannot be decoded; see --json for its raw bytes"))
    lines = [
        f"{safe_line(name):<14} {safe_line(value)}" for name, value in facts if value is not None
    ]
    for title, blob in (("error", task.error), ("payload", task.payload), ("result", task.result)):
        if blob is not None:
            lines += ["", *_blob_lines(title, blob)]
    return "\n".join(lines)


def _tries(task: Task) -> str | None:
    if task.retried is None:
        return None
    most = humanize.UNKNOWN if task.max_retry is None else task.max_retry
    return f"{task.retried} retried of {most}"


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
    text = as_text(blob)
    if text is None:
        shown, body = min(len(blob.data), 256), blob.data[:256].hex(" ")
    else:
        body = safe_block(text[:_PREVIEW_LIMIT])
        shown = len(text[:_PREVIEW_LIMIT].encode("utf-8", "replace"))
    cut = f", first {humanize.size(shown)} shown" if shown < blob.size else ""
    kind = "" if text is not None else ", binary"
    # Indented, so that no line of the value can pass for one of ours.
    shown_lines = [f"  {line}".rstrip() for line in body.split("\n")]
    return [f"{title} ({humanize.size(blob.size)}{kind}{cut})", *shown_lines]


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    empty: str,
    limit: int = _CELL_LIMIT,
    right: frozenset[int] = frozenset(),
) -> str:
    """Lay out rows under their headings, each cell made safe and at most ``limit`` long.

    ``right`` holds the indexes of right-aligned columns. Returns ``empty`` where there is no row.
    """
    body = [[_cut(safe_line(cell), limit) for cell in row] for row in rows]
    if not body:
        return empty
    widths = [max(_cells(row[i]) for row in (head, *body)) for i in range(len(head))]
    return "\n".join(
        "  ".join(_pad(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip()
        for row in (head, *body)
    )


def _cells(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * max(0, width - _cells(text))
    return space + text if right else text + space
