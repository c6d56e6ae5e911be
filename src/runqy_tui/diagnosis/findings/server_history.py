"""The recent past of the server and of active tasks, as far as findings need it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from runqy_tui.diagnosis.findings.finding import ServerPoint
from runqy_tui.model import QueueKey, Snapshot, TaskState, WindowCheck

SPAN_S = 300.0
_MOST = 600


class ServerHistory:
    """Remembers the polls of the last five minutes, at most 600; see :attr:`Sight.server_past`."""

    def __init__(self, span_s: float = SPAN_S) -> None:
        self._span_s = span_s
        self._points: deque[ServerPoint] = deque(maxlen=_MOST)

    def add(self, snapshot: Snapshot) -> None:
        """Take in one poll."""
        redis, health = snapshot.redis, snapshot.health
        if self._points and snapshot.taken_at < self._points[-1].at:
            self._points.clear()  # Redis's clock went back: what was before means nothing
        self._points.append(
            ServerPoint(
                at=snapshot.taken_at,
                evicted_keys=None if health is None else health.evicted_keys,
                trip_ms=redis.elapsed_ms / redis.round_trips if redis.round_trips else None,
            )
        )
        while self._points[0].at < snapshot.taken_at - self._span_s:
            self._points.popleft()

    @property
    def points(self) -> Sequence[ServerPoint]:
        """The polls, oldest first; the present one is the last."""
        return tuple(self._points)


class ActiveSeen:
    """When tasks at the old end of active lists were first seen; see :attr:`Sight.active_since`.

    Forgets a task as soon as the audits no longer show it: it may come back for another try.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[QueueKey, str], float] = {}

    def take(self, audits: Iterable[WindowCheck]) -> None:
        """Take in the latest audit of each window."""
        since: dict[tuple[QueueKey, str], float] = {}
        for audit in audits:
            window = audit.window
            if window.state is not TaskState.ACTIVE or window.offset:
                continue  # windows further on are looked at too seldom to tell one try from two
            for task in audit.tasks:
                if task.state is TaskState.ACTIVE:
                    key = (window.queue, task.id)
                    first = min(self._since.get(key, audit.taken_at), audit.taken_at)
                    since[key] = max(first, task.last_failed_at or 0.0)
        self._since = since

    @property
    def since(self) -> Mapping[tuple[QueueKey, str], float]:
        """First sight of each task that is still active."""
        return self._since
