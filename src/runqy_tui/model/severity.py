"""How urgent something is: one scale for rows, findings, alerts and exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

SeverityStyle = Literal["dim", "fine", "busy", "warning", "critical"]


class Severity(IntEnum):
    """Ordered: the larger, the more urgent."""

    __hash__ = int.__hash__  # in C: an enum's own takes a call, thousands of times per poll

    IDLE = 0
    FINE = 1
    BUSY = 2
    WARNING = 3
    CRITICAL = 4

    @property
    def style(self) -> SeverityStyle:
        """Name of the table style that shows this severity."""
        return _STYLES[self]

    @property
    def sign(self) -> str:
        """One character that shows this severity without colour."""
        return _SIGNS[self]

    @property
    def rank(self) -> int:
        """The severity for sorting rows: fine and busy are equal, so that rows seldom move."""
        return _RANKS[self]


_STYLES: Mapping[Severity, SeverityStyle] = {
    Severity.IDLE: "dim",
    Severity.FINE: "fine",
    Severity.BUSY: "busy",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "critical",
}

_SIGNS: Mapping[Severity, str] = {
    Severity.IDLE: "○",
    Severity.FINE: "●",
    Severity.BUSY: "●",
    Severity.WARNING: "!",
    Severity.CRITICAL: "✖",
}

_RANKS = tuple(int(Severity.FINE if one is Severity.BUSY else one) for one in Severity)
"""Plain numbers: a large fleet is sorted at every poll."""
