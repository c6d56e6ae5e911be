"""The verdict of ``check`` as one line and as JSON (schema 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runqy_tui.model import JsonObject, Snapshot, WorkerState
from runqy_tui.model.json_schema import SCHEMA
from runqy_tui.rules.alerts import Alert, Unknown
from runqy_tui.rules.health import is_present
from runqy_tui.text.safe import safe_line

if TYPE_CHECKING:
    from runqy_tui.diagnosis.findings.finding import Subject
    from runqy_tui.oneshot.check import Watched

SHOWN = 5
"""Alerts named in the line; of the rest it gives the number."""
_LONGEST = 160


def line(seen: Watched) -> str:
    """One line: status, what fires, and figures behind a bar for graphs."""
    return f"RUNQY {seen.code.name} - {_said(seen)} | {_figures(seen)}"


def unknown_line(reason: str) -> str:
    """The line where there is no verdict."""
    return f"RUNQY UNKNOWN - {_plain(reason, len(reason))}"


def _said(seen: Watched) -> str:
    if not seen.firing:
        waiting = f", {len(seen.board.pending)} pending" if seen.board.pending else ""
        return f"nothing is firing{waiting}"
    shown = [_plain(alert.sentence.rstrip(".")) for alert in seen.firing[:SHOWN]]
    if len(seen.firing) > SHOWN:
        shown.append(f"and {len(seen.firing) - SHOWN} more")
    return f"{len(seen.firing)} firing: {'; '.join(shown)}"


def _plain(text: str, longest: int = _LONGEST) -> str:
    """Safe text without the bar, which would begin the figures."""
    safe = safe_line(text).replace("|", "¦")
    return safe if len(safe) <= longest else f"{safe[: longest - 1]}…"


def _figures(seen: Watched) -> str:
    counts = _counts(seen.diagnosis.snapshot)
    counts |= {"findings": len(seen.diagnosis.findings), "firing": len(seen.firing)}
    # U: what the plugins' format has for a figure that nobody knows.
    return " ".join(f"{name}={'U' if n is None else n}" for name, n in counts.items())


def _counts(snapshot: Snapshot) -> dict[str, int | None]:
    workers = [worker for worker in snapshot.workers if is_present(worker)]

    def in_state(state: WorkerState) -> int:
        return sum(worker.state is state for worker in workers)

    pending = [queue.counts.pending for queue in snapshot.queues]
    known = [number for number in pending if number is not None]
    return {
        "workers": len(workers) - in_state(WorkerState.LOST),
        "degraded": in_state(WorkerState.DEGRADED),
        "lost": in_state(WorkerState.LOST),
        "queues": len(snapshot.queues),
        "pending": sum(known) if known or not pending else None,
    }


def check_object(seen: Watched) -> JsonObject:
    """JSON of a verdict."""
    snapshot = seen.diagnosis.snapshot
    counted = set(map(id, seen.firing))
    pending = [alert for alert in seen.board.pending if id(alert) not in counted]
    return {
        "schema": SCHEMA,
        "status": seen.code.name.lower(),
        "exit_code": int(seen.code),
        "summary": line(seen),
        "taken_at": float(snapshot.taken_at),
        "redis": snapshot.redis.address,
        "polls": seen.polls,
        "watched_s": round(seen.watched_s, 3),
        "counts": _counts(snapshot) | {"findings": len(seen.diagnosis.findings)},
        "firing": [_alert(alert) for alert in seen.firing],
        "pending": [_alert(alert) for alert in pending],
        "unknown": [_unknown(entry) for entry in seen.board.unknown],
    }


def unknown_object(reason: str) -> JsonObject:
    """JSON where there is no verdict."""
    return {
        "schema": SCHEMA,
        "status": "unknown",
        "exit_code": 3,
        "summary": unknown_line(reason),
        "error": reason,
    }


def _alert(alert: Alert) -> JsonObject:
    return {
        "rule": alert.rule.name,
        "kind": alert.rule.kind,
        "severity": alert.severity.name.lower(),
        "object": _object(alert.subject),
        "value": alert.value,
        "threshold": alert.rule.threshold,
        "since": alert.since,
        "sentence": alert.sentence,
        "next_step": alert.next_step or None,
    }


def _unknown(entry: Unknown) -> JsonObject:
    return {
        "rule": entry.rule.name,
        "object": _object(entry.subject),
        "sentence": entry.sentence,
    }


def _object(subject: Subject) -> JsonObject:
    queue = subject.queue
    return {
        "kind": subject.kind,
        "name": subject.name,
        "queue": None if queue is None else queue.name,
        "braced": None if queue is None else queue.braced,
    }
