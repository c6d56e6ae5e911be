"""Workers of the runqy dialect as ``runqy-worker`` writes them: heartbeat, stop and log lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis import Redis
from redis.typing import EncodableT, FieldT

from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

BEAT_TTL = 30.0
INDEX_TTL = 1800.0
LOG_LINES = 500


@dataclass(frozen=True, slots=True)
class Recovery:
    """One entry of a worker's ``recovery`` field."""

    state: str = "idle"
    consecutive_fails: int = 0
    total_restarts: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker writes each 5 seconds. ``metrics`` and ``recovery`` may be absent."""

    worker_id: str
    started_at: float
    concurrency: int
    queues: Mapping[str, int]
    status: str = "running"
    healthy: bool = True
    metrics: Mapping[str, object] | None = None
    recovery: Mapping[str, Recovery] = field(default_factory=dict)

    def fields(self, now: float) -> dict[FieldT, EncodableT]:
        """The hash's fields, in Go's spelling."""
        fields: dict[FieldT, EncodableT] = {
            "worker_id": self.worker_id,
            "started_at": str(int(self.started_at)),
            "last_beat": str(int(now)),
            "concurrency": str(self.concurrency),
            "queues": go_map(self.queues),
            "status": self.status,
            "healthy": "1" if self.healthy else "0",
        }
        if self.metrics is not None:
            fields["metrics"] = _compact(self.metrics)
        if self.recovery:
            fields["recovery"] = _compact(
                {
                    parent: {
                        "consecutive_fails": entry.consecutive_fails,
                        "state": entry.state,
                        "total_restarts": entry.total_restarts,
                    }
                    for parent, entry in sorted(self.recovery.items())
                }
            )
        return fields


def heartbeat(client: Redis, beat: Beat, now: float, ttl: float = BEAT_TTL) -> None:
    """Say that a worker is alive."""
    key = keys.worker(beat.worker_id)
    client.hset(key, mapping=beat.fields(now))
    client.pexpire(key, int(ttl * 1000))
    client.zadd(keys.WORKERS, {encode(beat.worker_id): int(now + INDEX_TTL)})


def stop(client: Redis, worker_id: str) -> None:
    """A clean stop: out of the index; the hash keeps its expiry."""
    client.zrem(keys.WORKERS, encode(worker_id))
    client.hset(keys.worker(worker_id), "status", "stopped")


@dataclass(frozen=True, slots=True)
class LogText:
    """One line of a worker's Python process."""

    at: float
    seq: int
    text: str
    source: str = "stderr"

    def encode(self) -> str:
        """The JSON line in the list."""
        return _compact(
            {"ts": int(self.at * 1000), "src": self.source, "text": self.text, "seq": self.seq}
        )


def log(client: Redis, worker_id: str, lines: Sequence[LogText], ttl: float = BEAT_TTL) -> None:
    """Append log lines; the list keeps the last 500 and lives 30 s from the last line."""
    key = keys.worker_logs(worker_id)
    client.rpush(key, *[line.encode() for line in lines])
    client.ltrim(key, -LOG_LINES, -1)
    client.pexpire(key, int(ttl * 1000))


def go_map(queues: Mapping[str, int]) -> str:
    """Go's ``fmt`` of a map: ``map[a:1 b:2]``, sorted by key."""
    return "map[" + " ".join(f"{name}:{queues[name]}" for name in sorted(queues)) + "]"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
