"""Readable tables for a terminal or a mail: safe text only, no colour, no terminal library."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from runqy_tui.diagnosis.assessment import Assessment, Trouble, assess
from runqy_tui.model import Blob, Queue, RedisInfo, Snapshot, Task, TaskState, Worker
from runqy_tui.model.json_schema import as_text
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age, count
from runqy_tui.text.safe import safe_block, safe_line

_SIGNS = {
    Severity.IDLE: "○",
    Severity.FINE: "●",
    Severity.BUSY: "●",
    Severity.WARNING: "!",
    Severity.CRITICAL: "✖",
}
_ASCII = str.maketrans(
    {"✖": "X", "●": "*", "○": "o", "–": "-", "·": ".", "…": "~", "±": "~", "→": ">"}
)
_CELL_LIMIT = 48
_PREVIEW_LIMIT = 4_000


def snapshot_text(snapshot: Snapshot, name: str | None = None) -> str:
    """The overview as text, the most urgent rows first. ``name`` is what this Redis is called."""
    judged = run_to_end(assess(snapshot))
    redis = snapshot.redis
    parts = [
        f"{_place(redis, name)}  {safe_line(redis.version or 'version unknown')}  "
        f"{safe_line(redis.mode or 'mode unknown')}  {humanize.moment(snapshot.taken_at)}  "
        f"{redis.round_trips} round trips, {redis.elapsed_ms:.0f} ms",
        "",
        table(_WORKER_HEAD, _worker_rows(snapshot, judged), "No workers."),
        "",
        table(_QUEUE_HEAD, _queue_rows(snapshot, judged), "No queues."),
    ]
    if snapshot.warnings:
        parts += ["", *(f"! {safe_line(warning)}" for warning in snapshot.warnings)]
    return "\n".join(parts)


def _place(redis: RedisInfo, name: str | None) -> str:
    primary = redis.where.primary
    words = [name, f"{redis.address} → {primary}" if primary else redis.address]
    words.append("TLS UNVERIFIED" if redis.unverified else None)
    return "  ".join(safe_line(word) for word in words if word)


_WORKER_HEAD = ("", "WORKER", "STATE", "BEAT", "DIALECT", "QUEUES", "ACTIVE", "WHY")
_QUEUE_HEAD = (
    "",
    "QUEUE",
    *(state.value.upper() for state in TaskState),
    "OLDEST",
    "TODAY",
    "FAILED",
    "CONSUMERS",
    "WHY",
)
_QUEUE_RIGHT = frozenset(range(2, 13))


def _worker_rows(snapshot: Snapshot, judged: Assessment) -> Iterable[Sequence[str]]:
    def order(worker: Worker) -> tuple[int, str]:
        return -judged.workers[worker.id].severity, worker.id

    for worker in sorted(snapshot.workers, key=order):
        trouble = judged.workers[worker.id]
        yield (
            _SIGNS[trouble.severity],
            worker.id,
            worker.state,
            age(snapshot.last_beat_age_s(worker)),
            worker.dialect,
            " ".join(worker.queues),
            _slots(worker),
            trouble.reason,
        )


def _slots(worker: Worker) -> str:
    active = humanize.UNKNOWN if worker.active_count is None else str(worker.active_count)
    return f"{active}/{humanize.UNKNOWN if worker.concurrency is None else worker.concurrency}"


def _queue_rows(snapshot: Snapshot, judged: Assessment) -> Iterable[Sequence[str]]:
    def order(queue: Queue) -> tuple[int, int, str]:
        return -judged.queues[queue.key].severity, -(queue.counts.pending or 0), queue.name

    for queue in sorted(snapshot.queues, key=order):
        trouble: Trouble = judged.queues[queue.key]
        yield (
            _SIGNS[trouble.severity],
            queue.name if queue.key.braced else f"{queue.name} (no braces)",
            *(count(queue.counts.of(state)) for state in TaskState),
            age(snapshot.oldest_pending_age_s(queue)),
            count(queue.succeeded_today),
            count(queue.failed_today),
            str(len(queue.consumers)),
            trouble.reason,
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
    head: Sequence[str], rows: Iterable[Sequence[str]], empty: str, limit: int = _CELL_LIMIT
) -> str:
    """Lay out rows under their heads, each cell made safe and at most ``limit`` long."""
    right = _QUEUE_RIGHT if head is _QUEUE_HEAD else frozenset()
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


def for_encoding(text: str, encoding: str | None) -> str:
    """Text that the given stream encoding can write: signs become ASCII, the rest ``?``."""
    name = encoding or "ascii"
    try:
        text.encode(name)
    except (UnicodeEncodeError, LookupError):
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return text
