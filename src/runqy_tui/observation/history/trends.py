"""What the history returns: trends, points of a series, changes of state."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model import WorkerState

RATE_WINDOW_S = 20.0
"""Rates are means over about this many seconds, so that they do not flicker."""


class Trend(NamedTuple):
    """How one queue moves, over ``over_s`` seconds of polls; ``None`` if unknown.

    Rates are tasks per second. ``enqueued_per_s`` is derived: the change of the backlog plus what
    was done or failed. ``net_per_s`` is the change of pending (negative drains);
    ``drains_in_s`` is an estimate, only where the queue drains. ``growing_for_s`` is for how
    long pending grew, within the history: from the poll before its first rise to its latest
    rise, without a fall below the lowest value of the minute before.
    """

    over_s: float = 0.0
    done_per_s: float | None = None
    failed_per_s: float | None = None
    enqueued_per_s: float | None = None
    net_per_s: float | None = None
    drains_in_s: float | None = None
    growing_for_s: float | None = None


class Point(NamedTuple):
    """One sample of a series; ``value`` is ``None`` where there was a gap or nothing was read."""

    at: float
    value: float | None


class StateChange(NamedTuple):
    """From ``at`` (Redis's clock at the poll that saw it first) on, a worker was in ``state``."""

    at: float
    state: WorkerState
