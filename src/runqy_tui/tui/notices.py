"""Texts about the whole deployment and the connection, shown beside the findings."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.text.humanize import amount, clock
from runqy_tui.tui import safe_text

WAITING = "Waiting for the first reply from Redis…"
_WARNING_CELLS = 200
"""Longest warning: a long name in one must not hide the others."""


class Notice(NamedTuple):
    """One sentence about the connection or about what the reader skipped."""

    severity: Severity
    text: str


def notices(view: View) -> list[Notice]:
    """Return what no finding covers: a lost connection and the reader's warnings."""
    found = list(_connection_notices(view))
    if view.snapshot is not None:
        found += [Notice(Severity.WARNING, _cut(warning)) for warning in view.snapshot.warnings]
    if view.unread is not None and view.link is ConnectionState.LIVE:
        found.append(Notice(Severity.WARNING, f"Task checks skipped: {view.unread}"))
    return found


def _cut(warning: str) -> str:
    return safe_text.fit(warning, _WARNING_CELLS).rstrip()


def _connection_notices(view: View) -> list[Notice]:
    if view.link is not ConnectionState.LOST:
        return []
    since = "" if view.snapshot is None else f" Data as of {clock(view.snapshot.taken_at)} UTC."
    return [Notice(Severity.CRITICAL, f"{_error(view)}{since}")]


def _error(view: View) -> str:
    return view.error or "Redis does not answer."


def waiting_text(view: View) -> str:
    """Return the text of an empty pane before the first reply: why, and what works without."""
    if view.link is not ConnectionState.LOST:
        return WAITING
    return f"{_error(view)} Reconnecting… To try runqy-tui without Redis: runqy-tui --demo"


def healthy_text(view: View) -> str:
    """Return the text of the notice line while there are no findings and no notices."""
    if view.snapshot is None:
        return WAITING
    workers, queues = len(view.snapshot.workers), len(view.snapshot.queues)
    if not workers and not queues:
        return "No workers or queues are registered in this database."
    so_far, still = (" so far", "; checking tasks…") if view.checking else ("", ".")
    return f"No problems{so_far}: {amount(workers, 'worker')}, {amount(queues, 'queue')}{still}"
