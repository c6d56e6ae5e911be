"""The age of a row that the last polls left out, as part of its note."""

from __future__ import annotations

from runqy_tui.text.humanize import age

QUEUE_STALE_S = 5.0
"""A queue's row older than this shows its age: two polls at the usual interval and a margin."""

WORKER_STALE_S = 10.0
"""The same for a worker, whose heartbeat changes every five seconds and is read then."""


def note_text(reason: str, unread_s: float, limit_s: float) -> str:
    """Return ``reason``, with the row's age where that exceeds ``limit_s`` seconds."""
    if unread_s <= limit_s:
        return reason
    as_of = f"as of {age(unread_s)} ago"
    return f"{reason} ({as_of})" if reason else as_of
