"""When alerts fire: inactive, pending, firing, resolved, as Prometheus has it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from runqy_tui.alerts.rule import Rule
from runqy_tui.alerts.rule_values import Increases, RuleValue, readings
from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import yield_to_loop

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis

LOG_LENGTH = 1_000
GAP_S = 30.0


class AlertState(StrEnum):
    """States of an alert that is not inactive."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(NamedTuple):
    """One rule about one object. Times are unix seconds by Redis's clock.

    ``since``: the condition was first seen. ``value`` is the latest known. ``sentence`` and
    ``next_step`` hold untrusted names. ``held``: the condition was known to hold at this poll.
    """

    rule: Rule
    subject: Subject
    state: AlertState
    since: float
    value: float
    sentence: str
    next_step: str = ""
    fired_at: float | None = None
    resolved_at: float | None = None
    held: bool = True

    @property
    def severity(self) -> Severity:
        """How urgent it is: the rule says."""
        return self.rule.severity


class Unknown(NamedTuple):
    """An object whose value nobody knows, and why."""

    rule: Rule
    subject: Subject
    sentence: str


class LogEntry(NamedTuple):
    """An alert that began to fire or was resolved."""

    at: float
    alert: Alert


@dataclass(frozen=True, slots=True, eq=False)
class AlertBoard:
    """All alerts after one poll, the most urgent first; the log has the oldest entry first."""

    at: float | None = None
    firing: tuple[Alert, ...] = ()
    pending: tuple[Alert, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    log: tuple[LogEntry, ...] = ()

    @property
    def worst(self) -> Severity:
        """Severity of the most urgent firing alert, ``FINE`` without one."""
        return max((alert.severity for alert in self.firing), default=Severity.FINE)


@dataclass(slots=True)
class _Course:
    """An alert and for how long its condition was watched to hold, in seconds."""

    alert: Alert
    held_s: float = 0.0


class Alerts:
    """Evaluates rules poll by poll.

    A pause of more than ``gap_s`` between two polls is a gap: it counts towards no ``for``, fires
    nothing and resolves nothing. Memory: the alerts that are not inactive, and the log.
    """

    def __init__(self, rules: Sequence[Rule], *, gap_s: float = GAP_S) -> None:
        self.rules = tuple(rules)
        self.gap_s = gap_s
        self.board = AlertBoard()
        self._courses: dict[tuple[str, str], _Course] = {}
        self._log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)

    async def update(
        self, diagnosis: Diagnosis, history: Increases, now: float | None = None
    ) -> AlertBoard:
        """Evaluate all rules on one poll and return the new board.

        ``now`` is Redis's clock, that of the snapshot if ``None``. Until this returns,
        :attr:`board` is that of the poll before.
        """
        at = diagnosis.snapshot.taken_at if now is None else now
        elapsed = 0.0 if self.board.at is None else at - self.board.at
        watched = elapsed if 0.0 <= elapsed <= self.gap_s else 0.0
        if jump := diagnosis.snapshot.clock_jump_s:
            self._follow_clock(jump)
        seen: set[tuple[str, str]] = set()
        unknown: list[Unknown] = []
        for rule in self.rules:
            for reading in readings(rule, diagnosis, history):
                seen.add((rule.name, reading.key))
                if reading.value is None:
                    unknown.append(Unknown(rule, reading.subject, reading.sentence))
                self._step(rule, reading, at, watched)
                await yield_to_loop()
            await yield_to_loop()
        for key in [key for key in self._courses if key not in seen]:
            self._end(key, at)
        self.board = self._board(at, unknown)
        return self.board

    def _follow_clock(self, jump_s: float) -> None:
        """Redis's clock was set: since when an alert lasts moves with it."""
        for course in self._courses.values():
            alert = course.alert
            fired_at = None if alert.fired_at is None else alert.fired_at + jump_s
            course.alert = alert._replace(since=alert.since + jump_s, fired_at=fired_at)

    def _step(self, rule: Rule, reading: RuleValue, at: float, watched: float) -> None:
        key = (rule.name, reading.key)
        course = self._courses.get(key)
        if reading.value is None:
            if course is not None:
                course.alert = course.alert._replace(held=False)
            return
        if not _holds(rule, reading, course):
            if course is not None:
                self._end(key, at, reading)
            return
        if course is None:
            course = _Course(_new(rule, reading, at))
            self._courses[key] = course
        elif course.alert.held:  # after an unknown value the time since counts for nothing
            course.held_s += watched
        course.alert = course.alert._replace(
            value=reading.value,
            sentence=reading.sentence,
            next_step=reading.next_step,
            held=True,
        )
        if course.alert.state is AlertState.PENDING and course.held_s >= rule.for_s:
            course.alert = course.alert._replace(state=AlertState.FIRING, fired_at=at)
            self._log.append(LogEntry(at, course.alert))

    def _end(self, key: tuple[str, str], at: float, reading: RuleValue | None = None) -> None:
        alert = self._courses.pop(key).alert
        if alert.state is not AlertState.FIRING:
            return
        if reading is not None and reading.value is not None:
            alert = alert._replace(value=reading.value, sentence=reading.sentence)
        resolved = alert._replace(state=AlertState.RESOLVED, resolved_at=at, held=False)
        self._log.append(LogEntry(at, resolved))

    def _board(self, at: float, unknown: list[Unknown]) -> AlertBoard:
        alerts = sorted((course.alert for course in self._courses.values()), key=_urgency)
        return AlertBoard(
            at=at,
            firing=tuple(a for a in alerts if a.state is AlertState.FIRING),
            pending=tuple(a for a in alerts if a.state is AlertState.PENDING),
            unknown=tuple(unknown),
            log=tuple(self._log),
        )


def _new(rule: Rule, reading: RuleValue, at: float) -> Alert:
    value = 0.0 if reading.value is None else reading.value
    return Alert(rule, reading.subject, AlertState.PENDING, at, value, reading.sentence)


def _holds(rule: Rule, reading: RuleValue, course: _Course | None) -> bool:
    if reading.value is None:
        return False
    firing = course is not None and course.alert.state is AlertState.FIRING
    return reading.value > (rule.clear if firing else rule.threshold)


def _urgency(alert: Alert) -> tuple[int, float, str, str]:
    return -alert.severity, alert.since, alert.rule.name, alert.subject.name
