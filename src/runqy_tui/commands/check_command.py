"""The verdict of ``check`` as one line and as JSON (schema 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from runqy_tui.alerts.alert_states import GAP_S, Alert, AlertBoard, Alerts, UnknownAlert
from runqy_tui.alerts.rule import Rule, RuleKind, parse_span
from runqy_tui.alerts.rule_file import default_rules, load_rules
from runqy_tui.alerts.rule_values import is_present
from runqy_tui.commands.stdout import emit
from runqy_tui.config import Settings
from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.model import JsonObject, Snapshot, WorkerState
from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError, UsageError
from runqy_tui.model.json_schema import SCHEMA
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.poller import DEADLINE_S
from runqy_tui.text.safe import safe_line

if TYPE_CHECKING:
    from runqy_tui.diagnosis.findings.finding import Subject

SHOWN = 5
"""Alerts named in the line; of the rest it gives the number."""
_LONGEST = 160


def status_line(seen: CheckResult) -> str:
    """One line: status, what fires, and figures behind a bar for graphs."""
    return f"RUNQY {seen.code.name} - {_summary(seen)} | {_figures(seen)}"


def unknown_line(reason: str) -> str:
    """The line where there is no verdict."""
    return f"RUNQY UNKNOWN - {_plain(reason, len(reason))}"


def _summary(seen: CheckResult) -> str:
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


def _figures(seen: CheckResult) -> str:
    counts = _counts(seen.diagnosis.snapshot)
    counts |= {"findings": len(seen.diagnosis.findings), "firing": len(seen.firing)}
    # U: what the plugins' format has for a figure that nobody knows.
    return " ".join(f"{name}={'U' if n is None else n}" for name, n in counts.items())


def _counts(snapshot: Snapshot) -> dict[str, int | None]:
    workers = [worker for worker in snapshot.workers if is_present(worker, snapshot)]

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


def check_object(seen: CheckResult) -> JsonObject:
    """JSON of a verdict."""
    snapshot = seen.diagnosis.snapshot
    counted = set(map(id, seen.firing))
    pending = [alert for alert in seen.board.pending if id(alert) not in counted]
    return {
        "schema": SCHEMA,
        "status": seen.code.name.lower(),
        "exit_code": int(seen.code),
        "summary": status_line(seen),
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


def _unknown(entry: UnknownAlert) -> JsonObject:
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


LONGEST_S = 3_600.0
_MEASURED = frozenset({RuleKind.FAILURE_RATE, RuleKind.SLOW_TASKS})
"""What these kinds look at is measured over the whole watch: its end tells."""

OpenReader = Callable[[Settings], Awaitable[Reader]]


class PluginStatus(IntEnum):
    """Exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """What was seen. ``firing`` are the alerts that count: see :func:`counted_alerts`."""

    diagnosis: Diagnosis
    board: AlertBoard
    firing: tuple[Alert, ...]
    polls: int
    watched_s: float

    @property
    def code(self) -> PluginStatus:
        """The exit code that follows."""
        worst = max((alert.severity for alert in self.firing), default=Severity.FINE)
        return {
            Severity.CRITICAL: PluginStatus.CRITICAL,
            Severity.WARNING: PluginStatus.WARNING,
        }.get(worst, PluginStatus.OK)


async def check(
    load: Callable[[], Settings],
    open_reader: OpenReader,
    rules: Path | None,
    watch: str | None,
    *,
    as_json: bool,
) -> int:
    """Print the verdict; gives the exit code. Whatever prevents one is ``UNKNOWN``, never raised.

    ``watch`` is for how long to look, as in ``30s``: two polls if ``None``.

    Raises:
        OutputError: standard output cannot be written.
    """
    try:
        watch_s = _watch_s(watch)
        chosen = default_rules() if rules is None else load_rules(rules)
        settings = load()
        seen = await _observe(lambda: open_reader(settings), chosen, settings.interval_s, watch_s)
    except RunqyTuiError as error:
        return unknown(str(error), as_json=as_json)
    if as_json:
        emit(check_object(seen))
    else:
        emit(status_line(seen))
    return seen.code


def unknown(reason: str, *, as_json: bool) -> int:
    """Print why there is no verdict; gives the exit code."""
    emit(unknown_object(reason) if as_json else unknown_line(reason))
    return PluginStatus.UNKNOWN


def _watch_s(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = parse_span(text)
    if seconds is None or seconds > LONGEST_S:
        raise UsageError(f"--for {text[:40]!r} must be a time up to 1h, as in 30s or 5m.")
    return seconds


async def _observe(
    open_reader: Callable[[], Awaitable[Reader]],
    rules: tuple[Rule, ...],
    interval_s: float,
    watch_s: float | None,
) -> CheckResult:
    """Poll for as long as asked, at least twice; a poll that fails in between is a gap.

    Raises:
        RunqyTuiError: Redis cannot be reached, or the last poll failed.
    """
    watch_s = interval_s if watch_s is None else watch_s
    turns = max(2, int(watch_s / interval_s) + 1)
    step_s = watch_s / (turns - 1)
    reader = await _timely(open_reader())
    started = monotonic()
    observer = _Observer(reader, Alerts(rules, gap_s=max(GAP_S, 3 * interval_s)))
    try:
        for turn in range(turns):
            late = monotonic() - started - turn * step_s
            if late > step_s and 0 < turn < turns - 1:
                continue  # Redis is slow: do not watch for longer than asked
            await asyncio.sleep(max(0.0, -late))
            await observer.poll()
    finally:
        await reader.close()
    return observer.verdict(monotonic() - started)


class _Observer:
    """Feeds polls to the rules and remembers when the first one was."""

    def __init__(self, reader: Reader, alerts: Alerts) -> None:
        self._reader = reader
        self._alerts = alerts
        self._diagnoser = Diagnoser()
        self._diagnosis: Diagnosis | None = None
        self._problem: RunqyTuiError | None = None
        self._first_at = 0.0
        self._polls = 0

    async def poll(self) -> None:
        try:
            snapshot = await _timely(self._reader.overview(), self._reader)
        except RunqyTuiError as error:
            self._problem = error
            return
        diagnosis = await self._diagnoser.diagnose(self._reader, snapshot)
        await self._alerts.update(diagnosis, self._diagnoser.history)
        if not self._polls:
            self._first_at = snapshot.taken_at
        self._diagnosis, self._problem = diagnosis, None
        self._polls += 1

    def verdict(self, watched_s: float) -> CheckResult:
        if self._problem is not None:
            raise self._problem
        if self._diagnosis is None:
            raise ConnectionFailedError("Redis gave no answer.")
        board = self._alerts.board
        firing = counted_alerts(board, self._first_at)
        return CheckResult(self._diagnosis, board, firing, self._polls, watched_s)


def counted_alerts(board: AlertBoard, first_at: float) -> tuple[Alert, ...]:
    """The alerts that count for a verdict: what fires, and what held for all of the watch.

    A watch is often shorter than a rule's ``for``, and then it is all that there is to judge by.
    """
    held = (
        alert
        for alert in board.pending
        if alert.held and (alert.since <= first_at or alert.rule.kind in _MEASURED)
    )
    return tuple(sorted((*board.firing, *held), key=lambda alert: (-alert.severity, alert.since)))


Answer = TypeVar("Answer")


async def _timely(answer: Awaitable[Answer], reader: Reader | None = None) -> Answer:
    deadline, address = DEADLINE_S, ""
    if reader is not None:
        deadline, address = max(DEADLINE_S, reader.deadline_s), reader.address
    try:
        async with asyncio.timeout(deadline):
            return await answer
    except TimeoutError:
        raise ConnectionFailedError.late("a poll", address, deadline) from None
