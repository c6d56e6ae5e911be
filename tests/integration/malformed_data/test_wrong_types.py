"""Every expected key with every type it should not have: unknown and named, and all else right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from runqy_tui.model import CheckWindow, Queue, QueueKey, Snapshot, Task, TaskState, WorkerState
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers

Q = QueueKey("bad")
DAY = "DAY"
WRITERS: dict[str, Callable[[Any, str], Any]] = {
    "string": lambda client, key: client.set(key, "x"),
    "list": lambda client, key: client.rpush(key, "x"),
    "set": lambda client, key: client.sadd(key, "x"),
    "zset": lambda client, key: client.zadd(key, {"x": 1}),
    "hash": lambda client, key: client.hset(key, "x", "y"),
    "stream": lambda client, key: client.xadd(key, {"x": "y"}),
}
QUEUE_KEYS = {
    "pending": "list",
    "active": "list",
    "lease": "zset",
    "scheduled": "zset",
    "retry": "zset",
    "archived": "zset",
    "completed": "zset",
    "groups": "set",
    "g:group": "zset",
    "paused": "string",
    "processed": "string",
    "failed": "string",
    f"processed:{DAY}": "string",
    f"failed:{DAY}": "string",
    "t:task": "hash",
}
OTHER_KEYS = {
    "asynq:queues": "set",
    "asynq:servers": "zset",
    "asynq:workers:w:1": "hash",
    "asynq:workers:w:1:logs": "list",
    "asynq:servers:{h:1:u}": "string",
    "asynq:workers:{h:1:u}": "hash",
    "asynq:t:task": "hash",
    "asynq:result:task": "string",
    "asynq:plain:pending": "list",
    "asynq:plain:active": "list",
}
KEYS = {f"asynq:{{bad}}:{suffix}": kind for suffix, kind in QUEUE_KEYS.items()} | OTHER_KEYS


def populate(client: Any, day: str, now: float) -> None:
    """A queue in every state, a good one beside it, and a worker of each dialect."""
    pipe = client.pipeline(transaction=False)
    dialect_writers.pending(pipe, "bad", "task")
    dialect_writers.pending(pipe, "good", "one", "two", since=now - 60)
    pipe.lpush("asynq:{bad}:active", "task")
    for state in ("lease", "scheduled", "retry", "archived", "completed", "g:group"):
        pipe.zadd(f"asynq:{{bad}}:{state}", {"task": now + 60})
    pipe.sadd("asynq:{bad}:groups", "group")
    dialect_writers.task(pipe, "bad", "task", state="active")
    for queue in ("bad", "good"):
        for counter in ("processed", "failed", f"processed:{day}", f"failed:{day}"):
            pipe.set(f"asynq:{{{queue}}}:{counter}", 7)
    pipe.set("asynq:{bad}:paused", int(now))
    pipe.hset("asynq:t:task", "queue", "bad")
    pipe.set("asynq:result:task", "r")
    dialect_writers.worker(pipe, "w:1", now, "map[bad:1 good:1]")
    dialect_writers.worker(pipe, "w:2", now, "map[bad:1 good:1]")
    pipe.rpush("asynq:workers:w:1:logs", dialect_writers.log_line(1))
    dialect_writers.server(pipe, "h:1:u", now, {"bad": 1}, active_worker_count=1)
    pipe.hset("asynq:workers:{h:1:u}", "task", b"\x22\x04task")
    pipe.hset("asynq:workers:old:1", mapping={"started": "1795484100", "queue": "plain"})
    pipe.zadd("asynq:workers", {"old:1": now + 1800})
    pipe.lpush("asynq:plain:pending", "p")
    pipe.lpush("asynq:plain:active", "p")
    pipe.execute()


async def look(reader: RedisReader, now: float) -> tuple[Snapshot, Task | None]:
    """Two polls, and between them everything else that can be asked."""
    await reader.overview()
    pages = {state: await reader.page(Q, state) for state in TaskState}
    good = await reader.page(QueueKey("good"), TaskState.PENDING)
    assert [row.id for row in good.rows] == ["two", "one"]
    assert good.problem is None
    await reader.check_tasks([CheckWindow(Q, state, 0, 10) for state in TaskState])
    task = await reader.task("task", Q)
    await reader.task("task")
    await reader.active_tasks("h:1:u")
    await reader.read_outcomes([(Q, "task")])
    for state in TaskState:
        await reader.position(Q, state, "task")
    snapshot = await reader.overview()
    bad = snapshot.queue(Q)
    for state, page in pages.items():
        broken = bad is not None and bad.counts.of(state) is None
        if state is not TaskState.AGGREGATING:
            assert (page.problem is not None) == broken, state
    return snapshot, task


@pytest.mark.parametrize("spelled", KEYS)
async def test_wrong_type(writer: redis.Redis, reader_of: OpenReader, spelled: str) -> None:
    now = dialect_writers.now_of(writer)
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    key = spelled.replace(DAY, day)
    for kind in WRITERS.keys() - {KEYS[spelled]}:
        writer.flushall()
        populate(writer, day, now)
        writer.delete(key)
        WRITERS[kind](writer, key)
        reader = await reader_of()
        snapshot, task = await look(reader, now)
        logs = [await reader.logs(worker) for worker in ("w:1", "w:2")]
        daily = await reader.daily_counts(Q, 3)

        named = [text for text in snapshot.warnings if text.startswith(f"{key} ")]
        messages = [*named, *(task.notes if task else ())]
        if key.endswith(":logs"):
            messages = [logs[0].problem or ""]
        assert [text for text in messages if key in text and "type" in text], (
            kind,
            snapshot.warnings,
        )
        assert len(named) <= 1
        check_others(snapshot, key)
        bad = snapshot.queue(Q)
        assert bad is not None
        check_bad(bad, key)
        today = daily[-1]
        assert today.processed == (None if f":processed:{day}" in key else 7)
        assert today.failed == (None if f":failed:{day}" in key else 7)


def check_others(snapshot: Snapshot, key: str) -> None:
    good = snapshot.queue(QueueKey("good"))
    assert good is not None
    assert (good.counts.pending, good.counts.archived, good.paused) == (2, 0, False)
    assert (good.processed_total, good.failed_today) == (7, 7)
    states = {worker.id: worker.state for worker in snapshot.workers}
    expected = {"w:1", "w:2", "old:1", "h:1:u"} - {
        key.removeprefix("asynq:workers:"),
        key.removeprefix("asynq:servers:").strip("{}"),
    }
    if key == "asynq:servers":
        assert expected - {"h:1:u"} <= states.keys()
    else:
        assert states.keys() == expected
    assert set(states.values()) == {WorkerState.RUNNING}


def check_bad(queue: Queue, key: str) -> None:
    counts = {state: queue.counts.of(state) for state in TaskState}
    lost = key.removeprefix("asynq:{bad}:")
    if lost in ("groups", "g:group"):
        lost = "aggregating"
    for state, count in counts.items():
        assert count == (None if state.value == lost else 1), state
    assert queue.paused is (None if lost == "paused" else True)
    assert (queue.paused_at is None) == (lost == "paused")
    for suffix in ("processed", "failed"):
        assert getattr(queue, f"{suffix}_total") == (None if lost == suffix else 7)
        unknown = lost.startswith(f"{suffix}:")
        assert getattr(queue, f"{suffix}_today") == (None if unknown else 7)


@pytest.mark.parametrize("kind", sorted(WRITERS.keys() - {"zset", "set"}))
async def test_wrong_type_of_the_workers_index(
    writer: redis.Redis, reader_of: OpenReader, kind: str
) -> None:
    now = dialect_writers.now_of(writer)
    populate(writer, "2026-11-24", now)
    writer.delete("asynq:workers")
    WRITERS[kind](writer, "asynq:workers")
    snapshot = await (await reader_of()).overview()
    assert "asynq:workers has another type than it should: left out" in snapshot.warnings
    assert {worker.id for worker in snapshot.workers} == {"w:1", "w:2", "old:1", "h:1:u"}


async def test_a_type_that_changes_while_we_look(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    """In the poll that sees it first nobody can tell which key it is: all absent ones are doubted.

    No poll takes a round trip more, and the next one names the key.
    """
    dialect_writers.queue(writer, "bad")
    writer.set("asynq:{bad}:processed", 3)
    reader = await reader_of()
    seen = [await reader.overview(), await reader.overview()]
    writer.lpush("asynq:{bad}:paused", "x")
    seen += [await reader.overview(), await reader.overview()]
    writer.delete("asynq:{bad}:paused")
    seen += [await reader.overview()]
    queues = [snapshot.queues[0] for snapshot in seen]
    assert [queue.paused for queue in queues] == [False, False, None, None, False]
    assert [queue.failed_total for queue in queues] == [0, 0, None, 0, 0]
    assert [queue.processed_total for queue in queues] == [3] * 5
    vague, exact = seen[2].warnings[-1], seen[3].warnings[-1]
    assert vague.startswith("asynq:{bad}:paused or a counter of this queue has another type")
    assert exact == "asynq:{bad}:paused has another type than it should: left out"
    assert seen[4].warnings == ()
    assert [snapshot.redis.round_trips for snapshot in seen[1:]] == [1, 1, 1, 1]
