"""What the polls have learned and the other reads use, and what those report to the next poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic

from runqy_tui.model import Dialect, QueueKey
from runqy_tui.redis.polling.queue_state import CachedQueue
from runqy_tui.redis.wire.replies import Reply

_DAY_S = 86_400


@dataclass(slots=True)
class PollMemory:
    """``queues`` are all that the polls have met.

    ``pending_errors`` maps a key to the error that a read met there: the next poll warns of it.
    ``to_moment`` maps Redis's clock to the moment by which ages are computed.
    """

    to_moment: Callable[[float], float]
    queues: dict[QueueKey, CachedQueue] = field(default_factory=dict)
    pending_errors: dict[bytes, Reply] = field(default_factory=dict)
    _time_at: tuple[float, float] | None = None

    @property
    def last_poll_at(self) -> float | None:
        """Redis's clock at the last poll, ``None`` before the first."""
        return None if self._time_at is None else self._time_at[0]

    def set_time(self, redis_s: float) -> None:
        """Remember Redis's clock as of now."""
        self._time_at = redis_s, monotonic()

    def now(self) -> float | None:
        """Redis's clock by the last poll and the time since; ``None`` before the first."""
        if self._time_at is None:
            return None
        redis_s, at = self._time_at
        return redis_s + monotonic() - at

    def today(self) -> str | None:
        """The UTC day by Redis's clock, ``None`` before the first poll."""
        now = self.now()
        return None if now is None else day_of(self.to_moment(now))

    def dialect(self, queue: QueueKey) -> Dialect | None:
        """Who consumes a queue, as the polls saw it; ``None`` where that is not known."""
        if not queue.braced:
            return Dialect.DOCUMENTED
        known = self.queues.get(queue)
        return known.dialect if known else None


def day_of(now: float) -> str:
    """The UTC day of a moment, as the counters' keys spell it."""
    return _spelled(int(now // _DAY_S))


@lru_cache(maxsize=4)
def _spelled(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_S, UTC).strftime("%Y-%m-%d")
