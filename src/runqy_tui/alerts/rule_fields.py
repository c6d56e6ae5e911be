"""Validation of a rule's keys: which a kind has, and the value of each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from runqy_tui.alerts.rule import (
    SEVERITIES,
    NamePatterns,
    RateUnit,
    RuleKind,
    is_valid_pattern,
    parse_span,
)
from runqy_tui.diagnosis.findings import registry
from runqy_tui.model.severity import Severity

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_MAX_PATTERNS = 100
_MAX_FOR_S = 30 * 86_400.0

COMMON = ("name", "kind", "for", "severity")
KEYS: Mapping[RuleKind, tuple[str, ...]] = {
    RuleKind.WORKER_UNHEALTHY: (*COMMON, "workers"),
    RuleKind.QUEUE_DEPTH: (*COMMON, "threshold", "clear", "queues"),
    RuleKind.FAILURE_RATE: (*COMMON, "threshold", "clear", "queues", "least", "unit"),
    RuleKind.SLOW_TASKS: (*COMMON, "threshold", "clear", "queues", "least"),
    RuleKind.FINDING: (*COMMON, "detector", "at_least", "queues", "workers"),
}
"""Keys that each kind accepts."""

REQUIRED: Mapping[RuleKind, tuple[str, ...]] = {
    RuleKind.WORKER_UNHEALTHY: (),
    RuleKind.QUEUE_DEPTH: ("threshold",),
    RuleKind.FAILURE_RATE: ("threshold",),
    RuleKind.SLOW_TASKS: ("threshold",),
    RuleKind.FINDING: ("detector",),
}
ALL_KEYS = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))


class FieldError(Exception):
    """An invalid value; the text completes "<key> = <value> …"."""


def name(value: Any) -> str:
    """Validate the name of a rule, which is also the alert's name in Prometheus.

    Raises FieldError where the value is invalid, as do all validators of this module.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise FieldError(
            "must be 1 to 64 letters, digits, spaces, dots, dashes or underscores, beginning "
            'with a letter or digit, as in name = "queue-depth"'
        )
    return value


def kind(value: Any) -> RuleKind:
    """Validate the kind of a rule. Raises FieldError."""
    return RuleKind(_one_of(value, [kind.value for kind in RuleKind]))


def severity(value: Any) -> Severity:
    """Validate the severity of an alert or the minimum severity of a finding. Raises FieldError."""
    return SEVERITIES[_one_of(value, list(SEVERITIES))]


def unit(value: Any) -> RateUnit:
    """Validate the unit of a failure rate. Raises FieldError."""
    return RateUnit(_one_of(value, [unit.value for unit in RateUnit]))


def span(value: Any) -> float:
    """Parse a duration such as ``5m`` to seconds. Raises FieldError."""
    seconds = parse_span(value) if isinstance(value, str) else None
    if seconds is None or seconds > _MAX_FOR_S:
        raise FieldError('must be a time of at most 30 days in quotes, as in for = "30s" or "5m"')
    return seconds


def least(value: Any) -> int:
    """Validate a number of tasks. Raises FieldError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise FieldError("must be a whole number from 1 to 1000000, as in least = 5")
    return value


def name_patterns(value: Any) -> NamePatterns:
    """Validate one pattern or a list of patterns. Raises FieldError."""
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list) or not 0 < len(patterns) <= _MAX_PATTERNS:
        raise FieldError('must be a list of patterns, as in ["inference.*", "!*.low"]')
    for pattern in patterns:
        if not isinstance(pattern, str) or pattern in ("", "!"):
            raise FieldError(
                'must contain only patterns in quotes, as in ["inference.*", "!*.low"]'
            )
        if not is_valid_pattern(pattern):
            raise FieldError(f"has a reversed character range in {pattern[:40]!r}")
    return NamePatterns(tuple(patterns))


def detectors(value: Any) -> NamePatterns:
    """Validate patterns of detector names; one without a wildcard must exist. Raises FieldError."""
    found = name_patterns(value)
    known = [detector.id for detector in registry.detectors()]
    for pattern in found.patterns:
        name = pattern.removeprefix("!")
        if not set(name) & set("*?[") and name not in known:
            near = near_miss(name, known) or f"; known are {', '.join(known)}"
            raise FieldError(f"names {name[:40]!r}, which is not a detector{near}")
    return found


def threshold(value: Any, kind: RuleKind, unit: RateUnit) -> float:
    """Validate a threshold in the unit of the rule's kind. Raises FieldError."""
    what, example, top = _bounds(kind, unit)
    number = math.nan if isinstance(value, bool) or not isinstance(value, (int, float)) else value
    if not 0 <= number <= top or not math.isfinite(number):
        raise FieldError(f"must be {what}, as in {example}")
    return float(number)


def _bounds(kind: RuleKind, unit: RateUnit) -> tuple[str, str, float]:
    if kind is RuleKind.QUEUE_DEPTH:
        return "a number of tasks, 0 or more", "1000", 1e15
    if kind is RuleKind.SLOW_TASKS:
        return "a number of seconds, 0 or more", "300", 1e9
    if unit is RateUnit.PER_SECOND:
        return "a number of failures per second, 0 or more", "0.5", 1e9
    return "a share from 0 to 1", "0.2 for 20 %", 1.0


def _one_of(value: Any, known: list[str]) -> str:
    if not isinstance(value, str) or value not in known:
        near = near_miss(value, known)
        raise FieldError(f"must be one of {', '.join(known)}{near}")
    return value


def near_miss(value: Any, known: list[str] | tuple[str, ...]) -> str:
    """Return a hint where the value resembles a known word, else an empty string."""
    import difflib

    close = difflib.get_close_matches(str(value)[:64].lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "name": name,
    "kind": kind,
    "for": span,
    "severity": severity,
    "unit": unit,
    "least": least,
    "at_least": severity,
    "queues": name_patterns,
    "workers": name_patterns,
    "detector": detectors,
}
"""Keys whose value can be validated alone."""
