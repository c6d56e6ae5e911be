"""Alert states as in Prometheus: inactive, pending, firing, resolved."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from runqy_tui.alerts.rule import Rule
from runqy_tui.alerts.rule_values import Increases, RuleValue, evaluate_rule
from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import yield_to_loop

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis

LOG_LENGTH = 1_000
"""Transitions kept in the log."""

GAP_S = 30.0
"""A longer pause between two polls counts towards no rule's ``for``, in seconds."""


class AlertState(StrEnum):
    """States of an alert that is not inactive."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(NamedTuple):
    """One rule applied to one object. Times are unix seconds by Redis's clock.

    ``since`` is when the condition was first observed, ``value`` the latest known value.
    ``sentence`` and ``next_step`` contain untrusted names. ``held``: the condition was known to
    hold at this poll.
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
        """Severity of the rule."""
        return self.rule.severity


class UnknownAlert(NamedTuple):
    """An object without a known value; ``sentence`` states the reason."""

    rule: Rule
    subject: Subject
    sentence: str


class AlertLogEntry(NamedTuple):
    """An alert that started firing or was resolved at ``at`` (unix s, Redis's clock)."""

    at: float
    alert: Alert


@dataclass(frozen=True, slots=True, eq=False)
class AlertBoard:
    """All alerts after one poll, the most urgent first; the log has the oldest entry first."""

    at: float | None = None
    firing: tuple[Alert, ...] = ()
    pending: tuple[Alert, ...] = ()
    unknown: tuple[UnknownAlert, ...] = ()
    log: tuple[AlertLogEntry, ...] = ()

    @property
    def worst(self) -> Severity:
        """Severity of the most urgent firing alert; ``FINE`` without one."""
        return max((alert.severity for alert in self.firing), default=Severity.FINE)


@dataclass(slots=True)
class _TrackedAlert:
    """An alert, and for how many seconds its condition was observed to hold."""

    alert: Alert
    held_s: float = 0.0


class Alerts:
    """Evaluates rules poll by poll.

    A pause of more than ``gap_s`` between two polls is a gap: it counts towards no ``for``, fires
    nothing and resolves nothing. State: the alerts that are not inactive, and the log.
    """

    def __init__(self, rules: Sequence[Rule], *, gap_s: float = GAP_S) -> None:
        self.rules = tuple(rules)
        self.gap_s = gap_s
        self.board = AlertBoard()
        self._tracked: dict[tuple[str, str], _TrackedAlert] = {}
        self._log: deque[AlertLogEntry] = deque(maxlen=LOG_LENGTH)

    async def update(
        self, diagnosis: Diagnosis, history: Increases, now: float | None = None
    ) -> AlertBoard:
        """Evaluate all rules on one poll and return the new board.

        ``now`` is Redis's clock in unix seconds; ``None`` means the snapshot's. Until this
        returns, :attr:`board` is that of the previous poll.
        """
        at = diagnosis.snapshot.taken_at if now is None else now
        elapsed = 0.0 if self.board.at is None else at - self.board.at
        watched = elapsed if 0.0 <= elapsed <= self.gap_s else 0.0
        if jump := diagnosis.snapshot.clock_jump_s:
            self._follow_clock(jump)
        seen: set[tuple[str, str]] = set()
        unknown: list[UnknownAlert] = []
        for rule in self.rules:
            for reading in evaluate_rule(rule, diagnosis, history):
                seen.add((rule.name, reading.key))
                if reading.value is None:
                    unknown.append(UnknownAlert(rule, reading.subject, reading.sentence))
                self._update_alert(rule, reading, at, watched)
                await yield_to_loop()
            await yield_to_loop()
        for key in [key for key in self._tracked if key not in seen]:
            self._remove(key, at)
        self.board = self._build_board(at, unknown)
        return self.board

    def _follow_clock(self, jump_s: float) -> None:
        """Shift all start times by a jump of Redis's clock."""
        for course in self._tracked.values():
            alert = course.alert
            fired_at = None if alert.fired_at is None else alert.fired_at + jump_s
            course.alert = alert._replace(since=alert.since + jump_s, fired_at=fired_at)

    def _update_alert(self, rule: Rule, reading: RuleValue, at: float, watched: float) -> None:
        key = (rule.name, reading.key)
        course = self._tracked.get(key)
        if reading.value is None:
            if course is not None:
                course.alert = course.alert._replace(held=False)
            return
        if not _condition_holds(rule, reading, course):
            if course is not None:
                self._remove(key, at, reading)
            return
        if course is None:
            course = _TrackedAlert(_new_alert(rule, reading, at))
            self._tracked[key] = course
        elif course.alert.held:  # the time since an unknown value does not count
            course.held_s += watched
        course.alert = course.alert._replace(
            value=reading.value,
            sentence=reading.sentence,
            next_step=reading.next_step,
            held=True,
        )
        if course.alert.state is AlertState.PENDING and course.held_s >= rule.for_s:
            course.alert = course.alert._replace(state=AlertState.FIRING, fired_at=at)
            self._log.append(AlertLogEntry(at, course.alert))

    def _remove(self, key: tuple[str, str], at: float, reading: RuleValue | None = None) -> None:
        alert = self._tracked.pop(key).alert
        if alert.state is not AlertState.FIRING:
            return
        if reading is not None and reading.value is not None:
            alert = alert._replace(value=reading.value, sentence=reading.sentence)
        resolved = alert._replace(state=AlertState.RESOLVED, resolved_at=at, held=False)
        self._log.append(AlertLogEntry(at, resolved))

    def _build_board(self, at: float, unknown: list[UnknownAlert]) -> AlertBoard:
        alerts = sorted((course.alert for course in self._tracked.values()), key=_urgency)
        return AlertBoard(
            at=at,
            firing=tuple(a for a in alerts if a.state is AlertState.FIRING),
            pending=tuple(a for a in alerts if a.state is AlertState.PENDING),
            unknown=tuple(unknown),
            log=tuple(self._log),
        )


def _new_alert(rule: Rule, reading: RuleValue, at: float) -> Alert:
    value = 0.0 if reading.value is None else reading.value
    return Alert(rule, reading.subject, AlertState.PENDING, at, value, reading.sentence)


def _condition_holds(rule: Rule, reading: RuleValue, course: _TrackedAlert | None) -> bool:
    if reading.value is None:
        return False
    firing = course is not None and course.alert.state is AlertState.FIRING
    return reading.value > (rule.clear if firing else rule.threshold)


def _urgency(alert: Alert) -> tuple[int, float, str, str]:
    return -alert.severity, alert.since, alert.rule.name, alert.subject.name
