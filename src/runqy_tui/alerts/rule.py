"""Name patterns of a rule: shell globs, and ``!`` before those that exclude."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from runqy_tui.model.severity import Severity


class Globs(NamedTuple):
    """Matches a name that some pattern matches and no pattern with a ``!`` does.

    ``*`` is any text, ``?`` one character, ``[ab]`` and ``[!ab]`` one of a set. Where all
    patterns exclude, everything else matches.
    """

    patterns: tuple[str, ...] = ("*",)

    @property
    def all(self) -> bool:
        """Whether every name matches."""
        return self.patterns == ("*",)

    def match(self, name: str) -> bool:
        """Whether the rule is about this name."""
        return self.all or _match(self.patterns, name)

    def regexes(self) -> tuple[str | None, str | None]:
        """What must match and what must not, as anchored by Prometheus (RE2)."""
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        some = None if not wanted or "*" in wanted else "|".join(map(regex, wanted))
        return some, "|".join(map(regex, unwanted)) or None


EVERYTHING = Globs()


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
    some, none = Globs(patterns).regexes()
    return (
        None if some is None else re.compile(some, re.DOTALL),
        None if none is None else re.compile(none, re.DOTALL),
    )


_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]+\]|.", re.DOTALL)
_SPECIAL = frozenset(".^$*+?{}[]|()\\")


def is_valid(pattern: str) -> bool:
    """Whether the pattern means something: a set such as ``[z-a]`` does not."""
    try:
        re.compile(regex(pattern))
    except re.error:
        return False
    return True


def regex(pattern: str) -> str:
    """One glob in the regular expressions that Python and RE2 share."""
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
