"""What to say about the whole: the most urgent sentence first. Pure functions of a view."""

from __future__ import annotations

from dataclasses import dataclass

from runqy_tui.humanize import clock
from runqy_tui.severity import Severity
from runqy_tui.store import Link, View
from runqy_tui.tui import text
from runqy_tui.tui.resources.queues import queue_label

_NAME_CELLS = 48
_REASON_CELLS = 200
"""Most that names and reasons take: a long one must not hide what else is wrong."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence about one object or about the connection."""

    severity: Severity
    text: str


def notices(view: View) -> list[Notice]:
    """Everything that is wrong, worst first; empty when all is well."""
    found = list(_link(view))
    if view.snapshot is None:
        return found
    judged = view.assessment
    for worker in view.snapshot.workers:
        trouble = judged.workers[worker.id]
        if trouble.severity >= Severity.WARNING:
            found.append(
                Notice(
                    trouble.severity,
                    f"worker {_short(worker.id)} {worker.state.value}: {_why(trouble.reason)}",
                )
            )
    for queue in view.snapshot.queues:
        trouble = judged.queues[queue.key]
        if trouble.severity >= Severity.WARNING:
            waits = f"{queue.counts.pending:,} pending, " if queue.counts.pending else ""
            found.append(
                Notice(
                    trouble.severity,
                    f"queue {_short(queue_label(queue))}: {waits}{_why(trouble.reason)}",
                )
            )
    found += [Notice(Severity.WARNING, _why(warning)) for warning in view.snapshot.warnings]
    return sorted(found, key=lambda notice: -notice.severity)


def _short(name: str) -> str:
    return text.fit(name, _NAME_CELLS).rstrip()


def _why(reason: str) -> str:
    return text.fit(reason, _REASON_CELLS).rstrip()


def _link(view: View) -> list[Notice]:
    if view.link is not Link.LOST:
        return []
    since = "" if view.snapshot is None else f" Data as of {clock(view.snapshot.taken_at)} UTC."
    return [Notice(Severity.CRITICAL, f"{view.error or 'Redis does not answer.'}{since}")]


def waiting(view: View) -> str:
    """What an empty pane says before there was any answer: why, and what works without Redis."""
    if view.link is not Link.LOST:
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
    return f"All quiet: {_some(workers, 'worker')}, {_some(queues, 'queue')}."


def _some(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")
