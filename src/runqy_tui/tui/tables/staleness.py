"""Of when a row is, where a poll left out what it tells of."""

from __future__ import annotations

from runqy_tui.text.humanize import age
from runqy_tui.tui.widgets.row_provider import Cell, Style

OLD_S = 5.0
"""Numbers of a queue older than that are said to be: two polls at the usual interval and a bit."""

BEAT_OLD_S = 10.0
"""The same for a worker, which tells something new every five seconds and is read then."""


def dated(reason: str, style: Style, unread_s: float, limit_s: float) -> Cell:
    """A note, and of when it is where it has been unread for longer than ``limit_s``."""
    if unread_s <= limit_s:
        return Cell(reason, style)
    told = f"as of {age(unread_s)} ago"
    return Cell(f"{reason} ({told})" if reason else told, style or "dim")
