"""What a full refresh asks for: eleven commands a queue, one a worker, and the two indexes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.kit.sizes import Size

Command = tuple[str, ...]

_SCORED = ("scheduled", "retry", "archived", "completed")
_FIELDS = (
    "worker_id",
    "started_at",
    "last_beat",
    "concurrency",
    "queues",
    "status",
    "healthy",
    "metrics",
    "recovery",
)


def full_refresh(size: Size) -> list[Command]:
    """The commands, in the order in which they are sent."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    found: list[Command] = [
        ("SMEMBERS", "asynq:queues"),
        ("ZRANGE", "asynq:workers", "0", "-1", "WITHSCORES"),
    ]
    for name in size.queue_names:
        found += _of_queue(f"asynq:{{{name}}}:", day)
    found += [("HMGET", f"asynq:workers:{worker}", *_FIELDS) for worker in size.worker_ids]
    return found


def _of_queue(base: str, day: str) -> Iterator[Command]:
    for state in ("pending", "active"):
        yield ("LLEN", base + state)
    for state in _SCORED:
        yield ("ZCARD", base + state)
    yield ("SMEMBERS", base + "groups")
    yield ("GET", base + "paused")
    counters = (f"{base}processed", f"{base}failed")
    yield ("MGET", *counters, *(f"{counter}:{day}" for counter in counters))
    yield ("LINDEX", base + "pending", "-1")
    yield ("ZRANGE", base + "retry", "0", "0", "WITHSCORES")


def wire(command: Command) -> bytes:
    """One command as Redis reads it."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        raw = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)
