"""The story as any Redis client sees it, and that it can go on for hours."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from redis import Redis

from runqy_tui.demo import fleet_spec
from runqy_tui.demo.demo_run import DemoRun
from runqy_tui.demo.documented_dialect import QUEUE, WORKER
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.sample_data import HOSTILE
from runqy_tui.demo.simulated_fleet import SimulatedFleet

SPEED = 20.0
EXPECTED = {
    fleet_spec.BUSY: ["running"],
    fleet_spec.IDLE: ["running"],
    fleet_spec.CRASHING: ["running", "recovering", "degraded"],
    fleet_spec.RECOVERING: ["recovering", "running"],
    fleet_spec.KILLED: ["running", "lost"],
    fleet_spec.JOINING: ["absent", "bootstrapping", "running"],
    fleet_spec.STOPPING: ["running", "stopped", "absent"],
    fleet_spec.LONG_LOST: ["lost"],
}


def text(value: Any) -> str:
    """A reply as text: redis-py's types allow both."""
    return value.decode() if isinstance(value, bytes) else str(value)


def kind_of(client: Redis, worker_id: str) -> str:
    """What a worker looks like in Redis."""
    key = f"asynq:workers:{worker_id}"
    fields = client.hgetall(key)
    indexed = client.zscore("asynq:workers", worker_id) is not None
    if not fields:
        return "lost" if indexed else "absent"
    if not indexed:
        return text(fields[b"status"])
    recovery = json.loads(fields.get(b"recovery", b"{}"))
    states = {entry["state"] for entry in recovery.values()}
    for state in ("degraded", "recovering"):
        if state in states:
            assert fields[b"healthy"] == b"0"
            assert fields[b"status"] == b"running"
            return state
    return text(fields[b"status"])


def test_every_kind_of_worker_appears_in_two_minutes() -> None:
    seen: dict[str, list[str]] = {worker_id: [] for worker_id in EXPECTED}
    spike = 0
    with DemoRun(speed=SPEED) as demo, Redis.from_url(demo.url) as client:
        assert demo.wait_ready()
        deadline = time.monotonic() + 30
        while seen != EXPECTED and time.monotonic() < deadline:
            for worker_id, kinds in seen.items():
                kind = kind_of(client, worker_id)
                if not kinds or kinds[-1] != kind:
                    kinds.append(kind)
            spike = max(spike, client.llen("asynq:{inference.low}:pending"))
            time.sleep(0.04)
        assert demo.problem() is None
        stuck = client.lrange("asynq:{crashy.default}:active", 0, -1)
        leased = client.zrangebyscore("asynq:{crashy.default}:lease", time.time(), "+inf")
    assert seen == EXPECTED
    assert spike > 250
    assert stuck
    assert stuck[-1] in leased


def test_the_old_dialect_waits_without_braces(
    client: Redis, play: Callable[..., SimulatedFleet]
) -> None:
    play(client, 100)
    waiting = client.lrange(f"asynq:{QUEUE.name}:pending", 0, -1)
    (active,) = client.lrange(f"asynq:{QUEUE.name}:active", 0, -1)
    assert len(waiting) == 2
    assert client.hgetall(f"asynq:workers:{WORKER}")[b"active_task"] == active
    for task_id in [*waiting, active]:
        task = client.hgetall(f"asynq:t:{text(task_id)}")
        assert {b"type", b"payload", b"queue", b"retry", b"max_retry", b"timeout"} <= set(task)
        assert b"msg" not in task
    results = list(client.scan_iter("asynq:result:*"))
    assert len(results) == 2
    assert QUEUE.name.encode() not in client.smembers("asynq:queues")


def test_hostile_data_of_every_kind_is_there(
    client: Redis, play: Callable[..., SimulatedFleet]
) -> None:
    play(client, 0)
    prefix = f"asynq:{{{fleet_spec.ODD_QUEUE}}}:"
    ids = [text(task_id) for task_id, _ in client.zscan_iter(f"{prefix}archived")]
    errors: list[Any] = [client.hget(f"{prefix}t:{task_id}", "error_msg") for task_id in ids]
    assert len(ids) > len(HOSTILE)
    assert any(error is not None and b"\x1b]52;c;" in error for error in errors)
    assert any(error is not None and b"[@click=app.quit]" in error for error in errors)
    assert any(error is not None and b"\xff" in error for error in errors)


def test_it_goes_on_for_long_without_growing(
    client: Redis, play: Callable[..., SimulatedFleet]
) -> None:
    fleet = play(client, 0)
    world = fleet.world
    begin, sizes = world.wall, []
    while world.t < 2400:
        world.t += 1.0
        world.wall = begin + world.t
        fleet.step()
        if world.t % 60 == 0:
            sizes.append(client.dbsize())
    assert max(sizes) < 5000
    late, early = max(sizes[25:]), max(sizes[:25])
    assert late < early * 1.15, sizes
    members = client.zcard("asynq:workers")
    assert members < 14  # restarts leave nobody behind in the index
    assert client.memory_stats()["total.allocated"] < 40_000_000


def test_a_seed_gives_the_same_play(
    server: EmbeddedServer, play: Callable[..., SimulatedFleet], dump: Callable[[Redis], Any]
) -> None:
    at = time.time()
    dumps = []
    for number in (1, 2):
        with Redis.from_url(server.url.replace("db=0", f"db={number}")) as client:
            play(client, 70, at=at)
            dumps.append({key: entry.value for key, entry in dump(client).items()})
    assert dumps[0] == dumps[1]
