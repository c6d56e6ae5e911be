"""What the front ends show: the latest good snapshot, how old it is, and short-term rates."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from runqy_tui.model import QueueKey, Snapshot
from runqy_tui.poller import PollResult
from runqy_tui.trouble import Assessment, assess

RATE_WINDOW_S = 20.0
"""Rates are means over about this many seconds, so that they do not flicker."""


class Link(StrEnum):
    """State of the connection to Redis."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Rates:
    """Tasks per second of one queue; ``None`` where the counters do not tell."""

    done_per_s: float | None = None
    failed_per_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One consistent picture for the screen.

    ``received_at`` is :func:`time.monotonic` of the snapshot's arrival. ``frozen_at`` (Redis's
    clock) is set while the screen is frozen; polling goes on behind it.
    """

    snapshot: Snapshot | None = None
    assessment: Assessment = field(default_factory=lambda: Assessment({}, {}))
    rates: Mapping[QueueKey, Rates] = field(default_factory=dict)
    received_at: float = 0.0
    link: Link = Link.CONNECTING
    error: str | None = None
    failures: int = 0
    retry_at: float | None = None
    frozen_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Sample:
    taken_at: float
    counters: Mapping[QueueKey, tuple[int | None, int | None]]


class Store:
    """Takes poll results in, gives :class:`View` out. Memory: a window of counters per queue."""

    def __init__(self) -> None:
        self.live = View()
        self._frozen: View | None = None
        self._samples: deque[_Sample] = deque(maxlen=64)

    @property
    def view(self) -> View:
        """What to show: the frozen picture, or the live one."""
        return self._frozen or self.live

    @property
    def frozen(self) -> bool:
        """Whether the screen stands still."""
        return self._frozen is not None

    def apply(self, result: PollResult) -> None:
        """Take in one poll; a failed one keeps the last good data."""
        if result.snapshot is None:
            self._lose(result)
            return
        self._remember(result.snapshot)
        self.live = View(
            snapshot=result.snapshot,
            assessment=assess(result.snapshot),
            rates=self._rates(),
            received_at=result.at,
            link=Link.LIVE,
        )

    def freeze(self) -> None:
        """Hold the present picture until :meth:`thaw`."""
        if self.live.snapshot is not None:
            self._frozen = replace(self.live, frozen_at=self.live.snapshot.taken_at)

    def thaw(self) -> None:
        """Show live data again."""
        self._frozen = None

    def _lose(self, result: PollResult) -> None:
        retry_at = None if result.retry_in_s is None else result.at + result.retry_in_s
        self.live = replace(
            self.live,
            link=Link.LOST,
            error=result.error,
            failures=result.failures,
            retry_at=retry_at,
        )

    def _remember(self, snapshot: Snapshot) -> None:
        counters = {q.key: (q.succeeded_total, q.failed_total) for q in snapshot.queues}
        if self._samples and snapshot.taken_at <= self._samples[-1].taken_at:
            self._samples.clear()  # Redis's clock went back: older samples mean nothing
        self._samples.append(_Sample(snapshot.taken_at, counters))
        while len(self._samples) > 2 and (
            snapshot.taken_at - self._samples[1].taken_at >= RATE_WINDOW_S
        ):
            self._samples.popleft()

    def _rates(self) -> dict[QueueKey, Rates]:
        if len(self._samples) < 2:
            return {}
        first, last = self._samples[0], self._samples[-1]
        elapsed = last.taken_at - first.taken_at
        rates = {}
        for key, (done, failed) in last.counters.items():
            before = first.counters.get(key)
            if before is not None:
                rates[key] = Rates(
                    _per_second(before[0], done, elapsed), _per_second(before[1], failed, elapsed)
                )
        return rates


def _per_second(before: int | None, after: int | None, elapsed: float) -> float | None:
    """Rate of a counter. One that fell was reset: the rate is unknown, never negative."""
    if before is None or after is None or after < before:
        return None
    return (after - before) / elapsed
