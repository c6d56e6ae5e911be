"""What ``runqy-worker`` writes about itself: heartbeat, stop, metrics and log lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from redis import Redis
from redis.typing import EncodableT, FieldT

from runqy_tui.demo.fleet_spec import WorkerSpec
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

BEAT_TTL = 30.0
INDEX_TTL = 1800.0
LOG_LINES = 500


@dataclass(frozen=True, slots=True)
class RecoveryEntry:
    """One entry of a worker's ``recovery`` field."""

    state: str = "idle"
    consecutive_fails: int = 0
    total_restarts: int = 0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker writes every 5 seconds. ``metrics`` and ``recovery`` may be missing."""

    worker_id: str
    started_at: float
    concurrency: int
    queues: Mapping[str, int]
    status: str = "running"
    healthy: bool = True
    metrics: Mapping[str, object] | None = None
    recovery: Mapping[str, RecoveryEntry] = field(default_factory=dict)

    def fields(self, now: float) -> dict[FieldT, EncodableT]:
        """The fields of the hash, formatted as Go does."""
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


def write_heartbeat(client: Redis, beat: Heartbeat, now: float, ttl: float = BEAT_TTL) -> None:
    """Write a worker's hash and its entry in the index; ``ttl`` in seconds."""
    key = keys.worker(beat.worker_id)
    client.hset(key, mapping=beat.fields(now))
    client.pexpire(key, int(ttl * 1000))
    client.zadd(keys.WORKERS, {encode(beat.worker_id): int(now + INDEX_TTL)})


def write_stop(client: Redis, worker_id: str) -> None:
    """Stop cleanly: leave the index; the hash keeps its expiry."""
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


def append_log(
    client: Redis, worker_id: str, lines: Sequence[LogText], ttl: float = BEAT_TTL
) -> None:
    """Append log lines; the list keeps the last 500 and expires ``ttl`` seconds after the last."""
    key = keys.worker_logs(worker_id)
    client.rpush(key, *[line.encode() for line in lines])
    client.ltrim(key, -LOG_LINES, -1)
    client.pexpire(key, int(ttl * 1000))


def go_map(queues: Mapping[str, int]) -> str:
    """Go's ``fmt`` of a map: ``map[a:1 b:2]``, sorted by key."""
    return "map[" + " ".join(f"{name}:{queues[name]}" for name in sorted(queues)) + "]"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_GIB = 1 << 30


def machine_metrics(rng: Random, spec: WorkerSpec, load: float, now: float) -> dict[str, object]:
    """The ``metrics`` field for a load between 0 and 1, with its keys in the worker's order."""
    total = spec.memory_gib * _GIB
    metrics: dict[str, object] = {
        "cpu_percent": _near(rng, 6 + 70 * load, 6),
        "memory_used_bytes": int(total * min(0.97, 0.22 + 0.4 * load + rng.uniform(0, 0.02))),
        "memory_total_bytes": total,
    }
    if spec.gpu is not None:  # without a GPU the key is missing
        metrics["gpus"] = [_gpu(rng, spec, index, load) for index in range(spec.gpus)]
    metrics["collected_at"] = int(now)
    return metrics


def _gpu(rng: Random, spec: WorkerSpec, index: int, load: float) -> dict[str, object]:
    busy = min(1.0, load * (1.0 - 0.08 * index))
    used = spec.gpu_memory_mb * (0.31 + 0.58 * busy)  # the model remains loaded
    return {
        "index": index,
        "name": spec.gpu,
        "utilization_percent": _near(rng, 98 * busy, 3 if busy else 0),
        "memory_used_mb": int(used + rng.uniform(0, 300)),
        "memory_total_mb": spec.gpu_memory_mb,
        "temperature_c": int(36 + 40 * busy + rng.uniform(0, 3)),
    }


def _near(rng: Random, value: float, spread: float) -> float:
    """A percentage with uniform noise, between 0 and 100."""
    return round(min(100.0, max(0.0, value + rng.uniform(-spread, spread))), 2)


def started_line(rng: Random, queue: str, task_id: str) -> str:
    """A log line at the start of a task; some contain ANSI colours and tabs, as real ones do."""
    if rng.random() < 0.3:
        return (
            f"\x1b[32mDEBUG\x1b[0m {queue} step {rng.randint(1, 900)} "
            f"loss={rng.uniform(0.005, 2):.4f} é中🚀\ttab"
        )
    return f"INFO {queue} start task={task_id[:8]} batch={rng.randint(1, 16)}"


def finished_line(queue: str, task_id: str, seconds: float, error: str | None) -> str:
    """A log line at the end of a task; ``error`` if it failed."""
    if error is None:
        return f"INFO {queue} done task={task_id[:8]} in {seconds * 1000:.0f} ms"
    return f"\x1b[31mERROR\x1b[0m {queue} task={task_id[:8]}: {error}"


def flood_lines(rng: Random, count: int) -> list[str]:
    """Progress lines of a model download."""
    return [
        f"\rmodel-{rng.randint(1, 9):05d}.safetensors: {index * 100 // count:3d}%|"
        f"{'█' * (index * 20 // count):<20}| {rng.uniform(80, 400):.1f}MB/s"
        for index in range(count)
    ]
