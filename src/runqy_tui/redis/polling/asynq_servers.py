"""An asynq server's heartbeat as a worker."""

from __future__ import annotations

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis.decoding.codec import ServerInfo

GRACE_S = 5.0
"""A server renews its entry every few seconds: one late renewal is no silence."""

_STATES = {
    "active": WorkerState.RUNNING,
    "new": WorkerState.BOOTSTRAPPING,
    "stopped": WorkerState.STOPPED,
    "closed": WorkerState.STOPPED,
}


def judge(
    worker_id: str,
    info: ServerInfo | None,
    expires_at: float | None,
    active_tasks: tuple[str, ...],
    now: float,
) -> Worker:
    """A server whose key is there. ``info`` is ``None`` where its bytes cannot be decoded.

    ``expires_at`` is the score in ``asynq:servers``. When it beat last is not known: the score
    tells only until when the entry holds.
    """
    state = _STATES.get(info.status if info else "", WorkerState.RUNNING)
    if state is not WorkerState.STOPPED and expires_at is not None and expires_at + GRACE_S < now:
        state = WorkerState.STALE
    if info is None:
        return Worker(worker_id, Dialect.ASYNQ, state, problems=("server",))
    return Worker(
        id=worker_id,
        dialect=Dialect.ASYNQ,
        state=state,
        status=info.status or None,
        started_at=info.started_at,
        concurrency=info.concurrency,
        queues=dict(info.queues),
        active_tasks=active_tasks,
        active_count=info.active_count,
    )


def lost(worker_id: str, seen: ServerInfo | None) -> Worker:
    """An index member whose key is gone; ``seen`` is what the key said while it was there."""
    return Worker(
        id=worker_id,
        dialect=Dialect.ASYNQ,
        state=WorkerState.LOST,
        started_at=seen.started_at if seen else None,
        concurrency=seen.concurrency if seen else None,
        queues=dict(seen.queues) if seen else {},
    )
