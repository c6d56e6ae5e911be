"""What a rule is."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from runqy_tui.alerts.name_patterns import EVERYTHING, Globs
from runqy_tui.model.severity import Severity

FAILURE_WINDOW_S = 300.0
"""Failure rates are taken over this many seconds."""


class RuleKind(StrEnum):
    """What a rule looks at: the four of runqy's user guide, and every finding."""

    WORKER_UNHEALTHY = "worker-unhealthy"
    QUEUE_DEPTH = "queue-depth"
    FAILURE_RATE = "failure-rate"
    SLOW_TASKS = "slow-tasks"
    FINDING = "finding"


class RateUnit(StrEnum):
    """How a failure rate is measured: of all that ended, or failures per second."""

    SHARE = "share"
    PER_SECOND = "per-second"


class Rule(NamedTuple):
    """One rule. The alert is about one object (worker, queue, finding) at a time.

    The condition is ``value > threshold``; once firing, it holds until ``value <= clear``.
    ``for_s``: seconds for which it must hold first. ``least``: failures (failure-rate) or
    finished tasks (slow-tasks) below which nothing is said. ``at_least``: least severity of a
    finding. Thresholds are tasks, a share of 0 to 1, failures per second, or seconds.
    """

    name: str
    kind: RuleKind
    severity: Severity = Severity.WARNING
    for_s: float = 0.0
    threshold: float = 0.0
    clear: float = 0.0
    least: int = 0
    unit: RateUnit = RateUnit.SHARE
    at_least: Severity = Severity.WARNING
    queues: Globs = EVERYTHING
    workers: Globs = EVERYTHING
    detectors: Globs = EVERYTHING


SEVERITIES = {"warning": Severity.WARNING, "critical": Severity.CRITICAL}
"""How severities are spelled in a rules file."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SPAN = re.compile(r"(?:(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d))", re.ASCII)
_SPANS = re.compile(rf"(?:{_SPAN.pattern})+", re.ASCII)


def parse_span(text: str) -> float | None:
    """Seconds in ``30s``, ``5m``, ``1h30m``; ``None`` where it is no such thing."""
    if not _SPANS.fullmatch(text):
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _SPAN.findall(text))


def format_span(seconds: float) -> str:
    """The same as Prometheus spells it: ``90s``, ``5m``, ``1500ms``."""
    millis = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if millis and millis % size == 0:
            return f"{millis // size}{unit}"
    return f"{millis}ms" if millis else "0s"
