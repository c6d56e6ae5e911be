"""``runqy-tui check``: evaluates the alert rules once, as one line or as JSON (schema 1)."""

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
"""Alerts named in the line; the others are counted."""
_LONGEST = 160


def status_line(result: CheckResult) -> str:
    """Return one line: status, firing alerts, and performance data after a bar."""
    return f"RUNQY {result.code.name} - {_summary(result)} | {_performance_data(result)}"


def unknown_line(reason: str) -> str:
    """Return the line of an UNKNOWN status."""
    return f"RUNQY UNKNOWN - {_plain(reason, len(reason))}"


def _summary(result: CheckResult) -> str:
    if not result.firing:
        waiting = f", {len(result.board.pending)} pending" if result.board.pending else ""
        return f"nothing is firing{waiting}"
    shown = [_plain(alert.sentence.rstrip(".")) for alert in result.firing[:SHOWN]]
    if len(result.firing) > SHOWN:
        shown.append(f"and {len(result.firing) - SHOWN} more")
    return f"{len(result.firing)} firing: {'; '.join(shown)}"


def _plain(text: str, longest: int = _LONGEST) -> str:
    """Return safe text without the bar, which starts the performance data."""
    safe = safe_line(text).replace("|", "¦")
    return safe if len(safe) <= longest else f"{safe[: longest - 1]}…"


def _performance_data(result: CheckResult) -> str:
    counts = _counts(result.diagnosis.snapshot)
    counts |= {"findings": len(result.diagnosis.findings), "firing": len(result.firing)}
    # U: an unknown value in the performance data of monitoring plugins.
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


def check_object(result: CheckResult) -> JsonObject:
    """Return the JSON object of a result."""
    snapshot = result.diagnosis.snapshot
    counted = set(map(id, result.firing))
    pending = [alert for alert in result.board.pending if id(alert) not in counted]
    return {
        "schema": SCHEMA,
        "status": result.code.name.lower(),
        "exit_code": int(result.code),
        "summary": status_line(result),
        "taken_at": float(snapshot.taken_at),
        "redis": snapshot.redis.address,
        "polls": result.polls,
        "watched_s": round(result.watched_s, 3),
        "counts": _counts(snapshot) | {"findings": len(result.diagnosis.findings)},
        "firing": [_alert(alert) for alert in result.firing],
        "pending": [_alert(alert) for alert in pending],
        "unknown": [_unknown(entry) for entry in result.board.unknown],
    }


def unknown_object(reason: str) -> JsonObject:
    """Return the JSON object of an UNKNOWN status."""
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
"""Kinds whose values are measured over the whole observation, so that the last value counts."""

OpenReader = Callable[[Settings], Awaitable[Reader]]


class PluginStatus(IntEnum):
    """Exit codes of monitoring plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """Result of an observation; ``firing`` are the alerts of :func:`counted_alerts`."""

    diagnosis: Diagnosis
    board: AlertBoard
    firing: tuple[Alert, ...]
    polls: int
    watched_s: float

    @property
    def code(self) -> PluginStatus:
        """Exit code of the command."""
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
    """Print the result and return the exit code. Errors result in ``UNKNOWN`` and do not raise.

    ``watch`` is the duration of the observation, as in ``30s``; ``None`` means two polls.

    Raises:
        OutputError: standard output cannot be written.
    """
    try:
        watch_s = _watch_s(watch)
        chosen = default_rules() if rules is None else load_rules(rules)
        settings = load()
        result = await _observe(lambda: open_reader(settings), chosen, settings.interval_s, watch_s)
    except RunqyTuiError as error:
        return unknown(str(error), as_json=as_json)
    if as_json:
        emit(check_object(result))
    else:
        emit(status_line(result))
    return result.code


def unknown(reason: str, *, as_json: bool) -> int:
    """Print why the status is UNKNOWN and return the exit code."""
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
    """Poll for ``watch_s`` seconds, at least twice; a failed poll in between is a gap.

    Raises:
        RunqyTuiError: Redis cannot be reached, or the last poll failed.
    """
    watch_s = interval_s if watch_s is None else watch_s
    polls = max(2, int(watch_s / interval_s) + 1)
    step_s = watch_s / (polls - 1)
    reader = await _with_deadline(open_reader())
    started = monotonic()
    observer = _Observer(reader, Alerts(rules, gap_s=max(GAP_S, 3 * interval_s)))
    try:
        for poll in range(polls):
            late = monotonic() - started - poll * step_s
            if late > step_s and 0 < poll < polls - 1:
                continue  # Redis is slow: do not observe for longer than requested
            await asyncio.sleep(max(0.0, -late))
            await observer.poll()
    finally:
        await reader.close()
    return observer.result(monotonic() - started)


class _Observer:
    """Evaluates the rules on each poll and keeps the time of the first one."""

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
            snapshot = await _with_deadline(self._reader.overview(), self._reader)
        except RunqyTuiError as error:
            self._problem = error
            return
        diagnosis = await self._diagnoser.diagnose(self._reader, snapshot)
        await self._alerts.update(diagnosis, self._diagnoser.history)
        if not self._polls:
            self._first_at = snapshot.taken_at
        self._diagnosis, self._problem = diagnosis, None
        self._polls += 1

    def result(self, watched_s: float) -> CheckResult:
        if self._problem is not None:
            raise self._problem
        if self._diagnosis is None:
            raise ConnectionFailedError("Redis did not answer.")
        board = self._alerts.board
        firing = counted_alerts(board, self._first_at)
        return CheckResult(self._diagnosis, board, firing, self._polls, watched_s)


def counted_alerts(board: AlertBoard, first_at: float) -> tuple[Alert, ...]:
    """Return the alerts that count: firing ones, and those that held during the whole observation.

    An observation is often shorter than a rule's ``for``; then holding throughout it is enough.
    """
    held = (
        alert
        for alert in board.pending
        if alert.held and (alert.since <= first_at or alert.rule.kind in _MEASURED)
    )
    return tuple(sorted((*board.firing, *held), key=lambda alert: (-alert.severity, alert.since)))


Answer = TypeVar("Answer")


async def _with_deadline(answer: Awaitable[Answer], reader: Reader | None = None) -> Answer:
    deadline, address = DEADLINE_S, ""
    if reader is not None:
        deadline, address = max(DEADLINE_S, reader.deadline_s), reader.address
    try:
        async with asyncio.timeout(deadline):
            return await answer
    except TimeoutError:
        raise ConnectionFailedError.late("a poll", address, deadline) from None
