"""One alert rule: its kind, thresholds and name patterns."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from runqy_tui.model.severity import Severity


class NamePatterns(NamedTuple):
    """Shell globs, and ``!`` before those that exclude.

    A name matches if it matches some including pattern and no excluding one. ``*`` is any text,
    ``?`` one character, ``[ab]`` and ``[!ab]`` one of a set. If all patterns exclude, every other
    name matches.
    """

    patterns: tuple[str, ...] = ("*",)

    @property
    def all(self) -> bool:
        """Whether every name matches."""
        return self.patterns == ("*",)

    def match(self, name: str) -> bool:
        """Whether the patterns select this name."""
        return self.all or _match(self.patterns, name)

    def regexes(self) -> tuple[str | None, str | None]:
        """Return the including and the excluding regular expression, ``None`` for no condition.

        Both are for full matches, as Prometheus (RE2) anchors them.
        """
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        some = None if not wanted or "*" in wanted else "|".join(map(glob_to_regex, wanted))
        return some, "|".join(map(glob_to_regex, unwanted)) or None


EVERYTHING = NamePatterns()


@lru_cache(maxsize=65_536)
def _match(patterns: tuple[str, ...], name: str) -> bool:
    some, none = _compiled(patterns)
    if none is not None and none.fullmatch(name):
        return False
    return some is None or some.fullmatch(name) is not None


@lru_cache(maxsize=1_024)
def _compiled(
    patterns: tuple[str, ...],
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    some, none = NamePatterns(patterns).regexes()
    return (
        None if some is None else re.compile(some, re.DOTALL),
        None if none is None else re.compile(none, re.DOTALL),
    )


_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]+\]|.", re.DOTALL)
_SPECIAL = frozenset(".^$*+?{}[]|()\\")


def is_valid_pattern(pattern: str) -> bool:
    """Whether the pattern is valid; a set such as ``[z-a]`` is not."""
    try:
        re.compile(glob_to_regex(pattern))
    except re.error:
        return False
    return True


def glob_to_regex(pattern: str) -> str:
    """Convert one glob to the regular expression syntax that Python and RE2 share."""
    return "".join(_part(found.group()) for found in _PART.finditer(pattern))


def _part(part: str) -> str:
    if part.startswith("*"):
        return ".*"
    if part == "?":
        return "."
    if part.startswith("[") and part not in ("[", "[!]"):
        excluded = part[1] == "!"
        members = (
            char if char.isalnum() or char in "-_" or not char.isascii() else f"\\{char}"
            for char in part[1 + excluded : -1]
        )
        return f"[{'^' if excluded else ''}{''.join(members)}]"
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in part)


FAILURE_WINDOW_S = 300.0
"""Window of failure rates, in seconds."""


class RuleKind(StrEnum):
    """What a rule evaluates: the four kinds of runqy's user guide, and findings."""

    WORKER_UNHEALTHY = "worker-unhealthy"
    QUEUE_DEPTH = "queue-depth"
    FAILURE_RATE = "failure-rate"
    SLOW_TASKS = "slow-tasks"
    FINDING = "finding"


class RateUnit(StrEnum):
    """Unit of a failure rate: share of all finished tasks, or failures per second."""

    SHARE = "share"
    PER_SECOND = "per-second"


class Rule(NamedTuple):
    """One rule. Each alert concerns one object: a worker, a queue or a finding.

    The condition is ``value > threshold``; once firing, it holds until ``value <= clear``.
    ``for_s``: seconds for which it must hold before the alert fires. ``least``: number of failures
    (failure-rate) or finished tasks (slow-tasks) below which the rule does not apply.
    ``at_least``: minimum severity of a finding. Thresholds are tasks, a share of 0 to 1, failures
    per second, or seconds.
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
    queues: NamePatterns = EVERYTHING
    workers: NamePatterns = EVERYTHING
    detectors: NamePatterns = EVERYTHING


SEVERITIES = {"warning": Severity.WARNING, "critical": Severity.CRITICAL}
"""Spelling of severities in a rules file."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SPAN = re.compile(r"(?:(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d))", re.ASCII)
_SPANS = re.compile(rf"(?:{_SPAN.pattern})+", re.ASCII)


def parse_span(text: str) -> float | None:
    """Parse a duration such as ``30s``, ``5m`` or ``1h30m`` to seconds; ``None`` if invalid."""
    if not _SPANS.fullmatch(text):
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _SPAN.findall(text))


def format_span(seconds: float) -> str:
    """Format seconds as Prometheus does: ``90s``, ``5m``, ``1500ms``."""
    millis = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if millis and millis % size == 0:
            return f"{millis // size}{unit}"
    return f"{millis}ms" if millis else "0s"
