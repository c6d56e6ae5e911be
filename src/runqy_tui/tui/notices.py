"""What to say about the whole beside the findings. Pure functions of a view."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.text.humanize import amount, clock
from runqy_tui.tui import safe_text

_WARNING_CELLS = 200
"""Most that a warning takes: a long name in it must not hide what else is wrong."""


class Notice(NamedTuple):
    """One sentence about one object or about the connection."""

    severity: Severity
    text: str


def notices(view: View) -> list[Notice]:
    """What no finding says: that the link is lost, and what the reader noticed in passing."""
    found = list(_link(view))
    if view.snapshot is not None:
        found += [Notice(Severity.WARNING, _cut(warning)) for warning in view.snapshot.warnings]
    if view.unread is not None and view.link is ConnectionState.LIVE:
        found.append(Notice(Severity.WARNING, f"Single tasks are not looked at: {view.unread}"))
    return found


def _cut(warning: str) -> str:
    return safe_text.fit(warning, _WARNING_CELLS).rstrip()


def _link(view: View) -> list[Notice]:
    if view.link is not ConnectionState.LOST:
        return []
    since = "" if view.snapshot is None else f" Data as of {clock(view.snapshot.taken_at)} UTC."
    return [Notice(Severity.CRITICAL, f"{view.error or 'Redis does not answer.'}{since}")]


def waiting(view: View) -> str:
    """What an empty pane says before there was any answer: why, and what works without Redis."""
    if view.link is not ConnectionState.LOST:
        return "Waiting for the first answer from Redis…"
    return (
        f"{view.error or 'Redis does not answer.'} It is tried again and again. "
        "To look around without a Redis: runqy-tui --demo"
    )


def calm(view: View) -> str:
    """What the line says when nothing is wrong."""
    if view.snapshot is None:
        return "Waiting for the first answer from Redis…"
    workers, queues = len(view.snapshot.workers), len(view.snapshot.queues)
    if not workers and not queues:
        return "Nothing here yet: no worker and no queue is registered in this database."
    so_far, still = (" so far", "; looking at single tasks…") if view.checking else ("", ".")
    return f"All quiet{so_far}: {amount(workers, 'worker')}, {amount(queues, 'queue')}{still}"
