"""How long tasks ran, as far as polls can tell: first seen active, then seen to have left.

No dialect stores a task's duration, so every figure here is observed. A task that was active
already when its queue was first looked at counts nowhere: its start is unknown. Tasks shorter
than the poll interval are seen now and then only.
"""

from __future__ import annotations

from runqy_tui.durations.follow import MOST_TRACKED, Durations
from runqy_tui.durations.histogram import BUCKETS_S, RECENT_S, Observed

__all__ = ["BUCKETS_S", "MOST_TRACKED", "RECENT_S", "Durations", "Observed"]
