"""Ring buffers of what the polls saw, and the rates and trends that follow from them.

The interface the detectors rely on; see the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runqy_tui.model import QueueKey, Snapshot


@dataclass(frozen=True, slots=True)
class Trend:
    """How one queue moves, over ``over_s`` seconds of polls; ``None`` where nothing tells.

    Rates are tasks per second. ``net_per_s`` is the change of pending (negative drains);
    ``drains_in_s`` is an estimate, only where the queue drains; ``growing_for_s`` says for how
    long pending has not once been lower than before, within the history.
    """

    over_s: float = 0.0
    done_per_s: float | None = None
    failed_per_s: float | None = None
    enqueued_per_s: float | None = None
    net_per_s: float | None = None
    drains_in_s: float | None = None
    growing_for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of a series; ``value`` is ``None`` where there was a gap or nothing was read."""

    at: float
    value: float | None


class History:
    """Bounded memory of the past."""

    def __init__(self, span_s: float = 3_600.0) -> None:
        self.span_s = span_s

    def add(self, snapshot: Snapshot) -> None:
        """Take in one poll."""
        raise NotImplementedError

    @property
    def started_at(self) -> float | None:
        """Redis's clock at the first poll; ``None`` before it."""
        raise NotImplementedError

    def trend(self, queue: QueueKey, over_s: float = 20.0) -> Trend:
        """How a queue moved over about the last ``over_s`` seconds."""
        raise NotImplementedError

    def series(self, queue: QueueKey, name: str, over_s: float) -> Sequence[Point]:
        """Samples of ``pending``, ``active``, ``done`` or ``failed`` (the last two: counters)."""
        raise NotImplementedError

    def increase(self, queue: QueueKey, name: str, over_s: float) -> float | None:
        """By how much a counter (``done``, ``failed``) rose; a reset counts from zero anew."""
        raise NotImplementedError
