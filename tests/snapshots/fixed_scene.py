"""A fleet at a moment that never changes, and a reader that shows it the same every time."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from redis import Redis

from runqy_tui.model import Snapshot
from runqy_tui.redis.reader import RedisReader, open_reader
from tests.app import scenes
from tests.support import dialect_writers

NOW = 1_795_497_400.0
TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/worker.py", line 88, in run_task
    result = handler(task.payload)
  File "/srv/app/models/upscale.py", line 41, in handler
    image = pipeline.load(payload["image_url"])
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/app/models/pipeline.py", line 19, in load
    response.raise_for_status()
httpx.HTTPStatusError: Server error '503 Service Unavailable' for url 'http://images/7'
"""
PAYLOAD = json.dumps(
    {"prompt": "a red bicycle leaning on a wall", "steps": 30, "seed": None, "upscale": True}
)


class SteadyReader:
    """The real reader; only what differs from run to run is replaced by what never does."""

    def __init__(self, reader: RedisReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    async def overview(self) -> Snapshot:
        """Poll once; address, version and time taken are always the same."""
        found = await self._reader.overview()
        info = replace(found.redis, address="redis.internal:6379", version="7.2.4", round_trips=1)
        return replace(found, redis=replace(info, elapsed_ms=3.2))


async def open_steady(url: str) -> Any:
    """Open a reader whose clock stands still."""
    return SteadyReader(await open_reader(url, clock=lambda _: NOW))


def write(writer: Redis) -> None:
    """Write workers in every state, queues in trouble and at peace, tasks of every kind."""
    _workers(writer)
    _inference(writer)
    _upscale(writer)
    dialect_writers.pending(writer, "orphan.default", "5f0c0001-77aa", since=NOW - 1_234)
    dialect_writers.queue(writer, "reports.default")


def _workers(writer: Redis) -> None:
    both = "map[inference.high:10 inference.low:1]"
    machine = scenes.metrics(cpu=88.0, gpu=97.0)
    dialect_writers.worker(
        writer, "gpu-1:812", NOW - 2, both, metrics=machine, recovery=_recovery("idle")
    )
    dialect_writers.worker(
        writer, "gpu-2:640", NOW - 4, both, metrics=scenes.metrics(cpu=12.5, gpu=3.0)
    )
    dialect_writers.worker(
        *(writer, "gpu-7:25673", NOW - 3, "map[upscale.default:1]"),
        healthy=0,
        recovery=_recovery("degraded", "upscale"),
        started_at=int(NOW) - 86_000,
        metrics=scenes.metrics(cpu=55.2, gpu=0.0),
    )
    dialect_writers.worker(
        *(writer, "gpu-8:31", NOW - 1, "map[inference.low:1]"),
        healthy=0,
        recovery=_recovery("recovering"),
    )
    dialect_writers.worker(writer, "gpu-9:44", NOW - 2, "map[reports:0]", status="bootstrapping")
    dialect_writers.worker(writer, "gpu-4:77", NOW - 5, both, index=False, status="stopped")
    scenes.lost(writer, "gpu-3:4410", NOW - 130)
    lines = [
        dialect_writers.log_line(seq, f"step {seq} of 30", ts=int((NOW - 60 + seq) * 1000))
        for seq in range(1, 31)
    ]
    writer.rpush("asynq:workers:gpu-7:25673:logs", *lines)


def _recovery(state: str, parent: str = "inference") -> str:
    return json.dumps({parent: {"state": state, "consecutive_fails": 3, "total_restarts": 2}})


def _inference(writer: Redis) -> None:
    for name, amount, age in (("inference.high", 3, 4), ("inference.low", 812, 840)):
        ids = [f"{at:08x}-17a3-412f-b5ed-dc5975c14c1e" for at in range(amount)]
        dialect_writers.pending(writer, name, *ids, since=NOW - age)
        _counters(writer, name, 9_120)
    scenes.retry(writer, "inference.high", "7b0e11d4-again", NOW + 95)
    writer.zadd("asynq:{inference.low}:scheduled", {"c0ffee00-later": NOW + 4_000})
    dialect_writers.task(writer, "inference.low", "c0ffee00-later", state="scheduled")


def _upscale(writer: Redis) -> None:
    dialect_writers.pending(writer, "upscale.default", "aa55aa55-waits", since=NOW - 400)
    for at in range(4):
        scenes.archived(writer, "upscale.default", f"dead000{at}-56f2", NOW - 300 * at, TRACEBACK)
    message = dialect_writers.message(
        type="upscale.default",
        id="dead0000-56f2",
        queue="upscale.default",
        payload=PAYLOAD,
        retry=3,
        timeout=90,
        headers=[{"key": b"trace", "value": b"4bf92f3577b34da6"}],
    )
    writer.hset("asynq:{upscale.default}:t:dead0000-56f2", "msg", message)
    _counters(writer, "upscale.default", 480)


def _counters(writer: Redis, name: str, amount: int) -> None:
    key = f"asynq:{{{name}}}:"
    writer.set(key + "processed", amount * 40)
    writer.set(key + "failed", amount)
    for age in range(14):
        day = time.strftime("%Y-%m-%d", time.gmtime(NOW - age * 86_400))
        writer.set(f"{key}processed:{day}", amount + age * 37 % 11 * amount // 9)
        writer.set(f"{key}failed:{day}", age * 7 % 5 * amount // 20)
