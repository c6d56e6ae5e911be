"""Headline and facts of a task, for its window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.content import Content

from runqy_tui.model import Blob, Task, TaskState
from runqy_tui.model.json_schema import as_text
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age, moment, span
from runqy_tui.tui import safe_text
from runqy_tui.tui.screens.value_views import pretty_json
from runqy_tui.tui.widgets.key_value import KeyValue

_PRETTY_LIMIT = 16_384
_LINE_LIMIT = 400


def headline(task: Task) -> tuple[str, str]:
    """Return the task's state with its time, attempt and error in one line, and its style."""
    if task.gone:
        return "no task data: finished without being stored, or expired", "$muted"
    if task.state is None:
        return "unknown state: the task's hash does not record it", "$warning"
    return _HEADLINES[task.state](task)


def attempt_text(task: Task) -> str:
    """Return ``3 of 4``: the present, next or last attempt of all that are allowed.

    ``retried`` counts the retries so far, ``max_retry`` those allowed after the first attempt.
    """
    if task.retried is None and task.max_retry is None:
        return humanize.UNKNOWN
    attempt = humanize.UNKNOWN if task.retried is None else task.retried + 1
    allowed = humanize.UNKNOWN if task.max_retry is None else task.max_retry + 1
    return f"{attempt} of {allowed}"


def _attempt(task: Task) -> str:
    return "" if task.retried is None else f" (attempt {attempt_text(task)})"


def _ago(at: float | None, task: Task) -> str:
    return "" if at is None else f" {span(task.taken_at - at)} ago"


def last_line(error: Blob | None) -> str:
    """Return an error's first line, or the exception at the end of a traceback."""
    if error is None:
        return ""
    lines = [line.strip() for line in error.data.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return ""
    whole = not error.truncated
    return lines[-1] if whole and "Traceback (most recent" in lines[0] else lines[0]


def _pending(task: Task) -> tuple[str, str]:
    if task.pending_since is None:
        return "pending since an unknown time", "bold"
    return f"pending for {span(task.taken_at - task.pending_since)}", "bold"


def _active(task: Task) -> tuple[str, str]:
    if task.orphaned:
        if task.lease_expires_at is None:
            return "orphaned: active without a lease, its worker is lost", "bold $error"
        expired = span(task.taken_at - task.lease_expires_at)
        return f"orphaned: active, lease expired {expired} ago, its worker is lost", "bold $error"
    if task.lease_expires_at is None:
        return "active", "bold"
    ahead = task.lease_expires_at - task.taken_at
    if ahead > 0:
        return f"active; lease expires in {span(ahead)} unless renewed", "bold"
    return f"active; lease expired {span(-ahead)} ago", "bold"


def _delayed(task: Task, verb: str) -> tuple[str, str]:
    reason = last_line(task.error)
    why = f": {reason}" if reason else ""
    if task.next_run_at is None:
        return f"{task.state}{why}", "bold"
    ahead = task.next_run_at - task.taken_at
    if ahead >= -5:
        return f"{verb} in {span(max(0.0, ahead))}{_attempt(task)}{why}", "bold"
    return f"overdue by {span(-ahead)}: no worker has forwarded it{why}", "bold $warning"


def _archived(task: Task) -> tuple[str, str]:
    reason = last_line(task.error)
    why = f": {reason}" if reason else "; no error text stored"
    return f"archived{_ago(task.last_failed_at, task)}{_attempt(task)}{why}", "bold $error"


def _completed(task: Task) -> tuple[str, str]:
    return f"completed{_ago(task.completed_at, task)}{_attempt(task)}", "bold"


_HEADLINES: Mapping[TaskState, Callable[[Task], tuple[str, str]]] = {
    TaskState.PENDING: _pending,
    TaskState.ACTIVE: _active,
    TaskState.SCHEDULED: lambda task: _delayed(task, "runs"),
    TaskState.RETRY: lambda task: _delayed(task, "retries"),
    TaskState.ARCHIVED: _archived,
    TaskState.COMPLETED: _completed,
    TaskState.AGGREGATING: lambda task: (f"aggregating in group {task.group or '?'}", "bold"),
}


def facts(task: Task) -> list[KeyValue]:
    """Return everything known of a task except its payload, result and error text."""
    rows = [
        KeyValue("id", task.id, "bold", wide=True),
        KeyValue(
            "queue", task.queue.name if task.queue.braced else f"{task.queue.name} (no braces)"
        ),
        KeyValue("type", task.type or humanize.UNKNOWN),
        KeyValue("state", task.state.value if task.state else humanize.UNKNOWN),
        KeyValue("dialect", task.dialect.value if task.dialect else humanize.UNKNOWN),
        KeyValue("attempt", attempt_text(task)),
        KeyValue("timeout", _seconds(task.timeout_s)),
        KeyValue("payload", size_text(task.payload)),
        KeyValue("result", size_text(task.result)),
        *_times(task),
        *_optional(task),
    ]
    rows += [
        KeyValue("header", f"{name}: {value}", wide=True) for name, value in task.headers.items()
    ]
    rows += [KeyValue("note", note, "$warning", wide=True) for note in task.notes]
    if not task.decodable:
        rows.append(
            KeyValue(
                "note", "msg cannot be decoded; tab Raw shows its bytes", "$warning", wide=True
            )
        )
    return rows


def excerpts(task: Task, lines: int = 8) -> Content:
    """Return the first ``lines`` of payload and result and the last of the error."""
    parts = []
    for title, blob, tail in (
        ("error", task.error, True),
        ("payload", task.payload, False),
        ("result", task.result, False),
    ):
        shown = _excerpt(blob, lines, tail=tail)
        if shown:
            parts.append(Content.assemble((f"{title}\n", "$muted"), safe_text.content_block(shown)))
    return Content("\n\n").join(parts)


def _excerpt(blob: Blob | None, lines: int, *, tail: bool) -> str:
    value = None if blob is None else as_text(blob)
    if blob is None or value is None:
        return ""
    if not tail and not blob.truncated and len(value) < _PRETTY_LIMIT:
        value = pretty_json(value) or value
    found = [line[:_LINE_LIMIT] for line in value.strip().splitlines()]
    if len(found) <= lines:
        return "\n".join(found)
    return "\n".join(["…", *found[-lines:]] if tail else [*found[:lines], "…"])


def size_text(blob: Blob | None) -> str:
    """Return ``1.2 KiB``, and how much of it was read if it was truncated."""
    if blob is None:
        return humanize.UNKNOWN
    if not blob.truncated:
        return humanize.size(blob.size)
    return f"{humanize.size(blob.size)} (first {humanize.size(len(blob.data))} read)"


def _seconds(value: float | None) -> str:
    return humanize.UNKNOWN if value is None else span(value)


def _times(task: Task) -> list[KeyValue]:
    named = (
        ("pending since", task.pending_since),
        ("next run", task.next_run_at),
        ("last failed", task.last_failed_at),
        ("completed", task.completed_at),
        ("deadline", task.deadline),
        ("lease expires", task.lease_expires_at),
        ("expires", task.expires_at),
    )
    return [
        KeyValue(name, f"{moment(at)}, {_relative(at - task.taken_at)}", wide=True)
        for name, at in named
        if at is not None
    ]


def _relative(ahead: float) -> str:
    return f"in {age(ahead)}" if ahead >= 0 else f"{age(-ahead)} ago"


def _optional(task: Task) -> list[KeyValue]:
    rows = []
    if task.group is not None:
        rows.append(KeyValue("group", task.group))
    if task.unique_key is not None:
        rows.append(KeyValue("unique key", task.unique_key, wide=True))
    if task.retention_s is not None:
        rows.append(KeyValue("retention", span(task.retention_s)))
    if task.ttl_s is not None:
        rows.append(KeyValue("hash expires", f"in {span(task.ttl_s)}"))
    if task.orphaned:
        rows.append(KeyValue("orphaned", "yes", "$error"))
    return rows
