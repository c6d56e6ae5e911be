"""Ring buffers of the polls, and the rates and trends computed from them."""

from __future__ import annotations

from runqy_tui.observation.history.poll_history import QUEUE_SERIES, WORKER_SERIES, History
from runqy_tui.observation.history.trends import RATE_WINDOW_S, Point, StateChange, Trend

__all__ = [
    "QUEUE_SERIES",
    "RATE_WINDOW_S",
    "WORKER_SERIES",
    "History",
    "Point",
    "StateChange",
    "Trend",
]
