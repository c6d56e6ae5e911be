"""Looking changes nothing, and asks nothing that could hurt a busy server."""

from __future__ import annotations

import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.model import CheckWindow, QueueKey, TaskState
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.wire import command_encoding as commands
from tests.support import dialect_writers

ELSEWHERE = {"ASKING", "CLUSTER SLOTS", "SENTINEL GET-MASTER-ADDR-BY-NAME"}
ALLOWED = {name.lower().replace(" ", "|") for name in commands.ALLOWED - ELSEWHERE}
OWN = {"auth", "config|resetstat", "select"}
"""What the client library sends, and this test itself while the statistics run."""


def dump(writer: redis.Redis) -> dict[bytes | str, bytes | None]:
    return {key: writer.dump(key) for key in writer.keys("*")}


def populate(writer: redis.Redis) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.pending(writer, "a.b", "t1", "t2", "t3", since=now)
    dialect_writers.task(
        writer, "a.b", "big", msg=dialect_writers.message(type="t", payload=b"p" * 500_000, retry=1)
    )
    writer.hset("asynq:t:big", "queue", "a.b")
    dialect_writers.task(writer, "a.b", "odd", mystery="x")
    writer.lpush("asynq:{a.b}:pending", "big")
    writer.lpush("asynq:{a.b}:active", "t1")
    writer.sadd("asynq:{a.b}:groups", "g")
    writer.zadd("asynq:{a.b}:g:g", {"t1": 1})
    for state in ("retry", "scheduled", "archived", "completed"):
        writer.zadd(f"asynq:{{a.b}}:{state}", {"t1": now})
    dialect_writers.worker(writer, "w:1", now, "map[a.b:1]")
    writer.rpush("asynq:workers:w:1:logs", dialect_writers.log_line(1))
    dialect_writers.server(writer, "h:1:u", now, {"a.b": 1})
    writer.hset("asynq:workers:{h:1:u}", "t1", b"\x22\x02t1")
    writer.lpush("asynq:plain:pending", "p1")
    writer.hset("asynq:t:p1", mapping={"payload": "x", "queue": "plain"})
    writer.set("asynq:result:p1", "r")


async def test_every_question_only_reads(writer: redis.Redis, redis_url: str) -> None:
    populate(writer)
    before = dump(writer)
    writer.config_resetstat()
    reader = await open_reader(redis_url)
    queue, plain = QueueKey("a.b"), QueueKey("plain", braced=False)
    for _ in range(3):
        snapshot = await reader.overview()
        assert len(snapshot.queues) == 2
    for state in TaskState:
        for newest_first in (True, False):
            await reader.page(queue, state, newest_first=newest_first)
            await reader.page(plain, state, newest_first=newest_first)
        await reader.position(queue, state, "t1")
    for task_id in ("t1", "big", "odd", "p1", "nothing"):
        await reader.task(task_id)
        await reader.task(task_id, queue)
        await reader.task(task_id, plain)
    windows = [CheckWindow(key, state, 0, 50) for key in (queue, plain) for state in TaskState]
    assert any(audit.tasks for audit in await reader.check_tasks(windows))
    assert await reader.read_outcomes([(queue, "t1"), (plain, "p1")])
    await reader.logs("w:1")
    await reader.active_tasks("h:1:u")
    await reader.daily_counts(queue)
    await reader.close()
    statistics = writer.info("commandstats")
    seen = {name.removeprefix("cmdstat_") for name in statistics}
    # Valkey lists what a script calls as well; the script's only call is HGET.
    assert seen - ALLOWED - OWN == set()
    assert ALLOWED - seen == set()
    assert dump(writer) == before


async def test_it_works_with_a_rule_by_categories(
    server: EmbeddedServer, writer: redis.Redis
) -> None:
    """Wider than what `runqy-tui acl` prints, and yet without scripts."""
    populate(writer)
    dialect_writers.allow(
        writer, "mon", "on >secret %R~asynq:* +@read +@connection -@dangerous +info +time"
    )
    reader = await open_reader(server.url.replace("unix://", "unix://mon:secret@"))
    now = dialect_writers.now_of(writer)
    for _ in range(3):
        snapshot = await reader.overview()
        assert abs(snapshot.taken_at - now) < 5
        assert [worker.id for worker in snapshot.workers] == ["h:1:u", "w:1"]
        assert [queue.name for queue in snapshot.queues] == ["a.b", "plain"]
        assert not [text for text in snapshot.warnings if "NOPERM" in text]
    for state in TaskState:
        await reader.page(QueueKey("a.b"), state)
    assert await reader.task("t1") is not None
    assert (await reader.logs("w:1")).exists
    await reader.close()
    dialect_writers.forbid(writer, "mon")


async def test_it_shows_in_the_client_list_by_name(writer: redis.Redis, redis_url: str) -> None:
    reader = await open_reader(redis_url)
    await reader.overview()
    names = {client["name"] for client in writer.client_list()}
    assert "runqy-tui" in names
    await reader.close()
