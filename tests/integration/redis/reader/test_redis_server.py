"""What the server says of itself: memory, role, and why it refuses writes. Real servers only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.model import ServerHealth, Snapshot
from runqy_tui.redis.polling.redis_server import EVERY_POLLS, OUT_OF_MEMORY, SAVE_FAILED
from runqy_tui.redis.reader import RedisReader, open_reader
from tests.conftest import OpenReader
from tests.support import dialect_writers

READ_ONLY = "on nopass %R~asynq:* +@read +@connection -@dangerous"


@pytest.fixture
def own() -> Iterator[EmbeddedServer]:
    """A server whose settings a test may spoil."""
    with EmbeddedServer() as embedded:
        yield embedded


@pytest.fixture
def admin(own: EmbeddedServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own.url) as client:
        yield client


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[RedisReader]:
    reader = await open_reader(url)
    try:
        yield reader
    finally:
        await reader.close()


async def health_at(url: str) -> ServerHealth:
    async with reading(url) as reader:
        health = (await reader.overview()).health
    assert health is not None
    return health


async def until(url: str, holds: Callable[[ServerHealth], bool]) -> ServerHealth:
    """Replication takes its time: look again until it holds."""
    for _ in range(200):
        health = await health_at(url)
        if holds(health):
            return health
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came about: {health}")


def test_the_words() -> None:
    assert SAVE_FAILED == "the last background save failed"
    assert OUT_OF_MEMORY == "out of memory (maxmemory reached, noeviction)"


async def test_a_healthy_master(own: EmbeddedServer, admin: redis.Redis) -> None:
    health = await health_at(own.url)
    assert health == ServerHealth(
        role="master",
        master_link_up=None,
        used_memory_bytes=health.used_memory_bytes,
        maxmemory_bytes=0,
        maxmemory_policy="noeviction",
        evicted_keys=0,
        writes_blocked=None,
    )
    used = int(admin.info("memory")["used_memory"])
    assert health.used_memory_bytes == pytest.approx(used, rel=0.2)


async def test_out_of_memory(own: EmbeddedServer, admin: redis.Redis) -> None:
    admin.config_set("maxmemory", "100mb")
    health = await health_at(own.url)
    assert (health.maxmemory_bytes, health.writes_blocked) == (104_857_600, None)
    admin.config_set("maxmemory", "100kb")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        admin.set("asynq:x", "y")
    health = await health_at(own.url)
    assert (health.maxmemory_bytes, health.writes_blocked) == (102_400, OUT_OF_MEMORY)
    admin.config_set("maxmemory", "0")
    admin.set("asynq:x", "y")
    assert (await health_at(own.url)).writes_blocked is None


async def test_evictions(own: EmbeddedServer, admin: redis.Redis) -> None:
    for number in range(50):
        admin.set(f"asynq:{number}", "x" * 100)
    admin.config_set("maxmemory-policy", "allkeys-lru")
    admin.config_set("maxmemory", "100kb")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        admin.set("asynq:x", "y")
    health = await health_at(own.url)
    evicted = int(admin.info("stats")["evicted_keys"])
    assert health.maxmemory_policy == "allkeys-lru"
    assert health.evicted_keys == evicted == 50
    assert health.writes_blocked is None  # it goes by the policy: INFO tells no more


async def test_failed_save(own: EmbeddedServer, admin: redis.Redis) -> None:
    admin.config_set("save", "3600 1000000")
    (own.directory / "dump.rdb").mkdir()
    admin.set("asynq:x", "y")
    admin.bgsave()
    health = await until(own.url, lambda health: health.writes_blocked is not None)
    assert health.writes_blocked == SAVE_FAILED
    with pytest.raises(redis.exceptions.ResponseError, match="MISCONF"):
        admin.set("asynq:x", "z")
    (own.directory / "dump.rdb").rmdir()
    admin.bgsave()
    await until(own.url, lambda health: health.writes_blocked is None)
    admin.set("asynq:x", "z")


async def test_replica(own: EmbeddedServer, admin: redis.Redis) -> None:
    with EmbeddedServer(tcp=True) as master:
        port = int(master.url.rpartition(":")[2].removesuffix("/0"))
        admin.config_set("maxmemory", "100kb")
        admin.slaveof("127.0.0.1", port)
        health = await until(own.url, lambda health: health.master_link_up is True)
        assert (health.role, health.writes_blocked) == ("slave", None)
        with pytest.raises(redis.exceptions.ReadOnlyError):
            admin.set("asynq:x", "y")
        assert (await health_at(master.url)).role == "master"
    health = await until(own.url, lambda health: health.master_link_up is False)
    assert (health.role, health.writes_blocked) == ("slave", None)


def calls(writer: redis.Redis) -> int:
    """How often INFO was asked, this question left out."""
    statistics: Any = writer.info("commandstats")
    writer.config_resetstat()
    return int(statistics["cmdstat_info"]["calls"]) if "cmdstat_info" in statistics else 0


async def test_every_fifth_poll(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await reader_of()
    writer.config_resetstat()
    asked: list[int] = []
    seen: list[Snapshot] = []
    for _ in range(2 * EVERY_POLLS + 1):
        seen.append(await reader.overview())
        asked.append(calls(writer))
    assert asked == [5, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4]  # at first one more: the version
    assert [snapshot.redis.round_trips for snapshot in seen] == [2, *[1] * 10]
    assert all(snapshot.health is seen[0].health for snapshot in seen[:5])
    assert seen[5].health is not seen[0].health


async def test_a_change_shows_within_five_polls(own: EmbeddedServer, admin: redis.Redis) -> None:
    async with reading(own.url) as reader:
        await reader.overview()
        admin.config_set("maxmemory", "100mb")
        found = [(await reader.overview()).health for _ in range(5)]
    assert [health and health.maxmemory_bytes for health in found] == [0, 0, 0, 0, 104_857_600]


async def test_a_new_connection_asks_afresh(own: EmbeddedServer, admin: redis.Redis) -> None:
    async with reading(own.url) as reader:
        await reader.overview()
        admin.config_set("maxmemory", "100mb")
        for client in admin.client_list():
            if client["name"] == "runqy-tui":
                admin.client_kill_filter(_id=client["id"])
        await asyncio.sleep(0.05)
        await reader.overview()  # on the new connection, of which it learns here
        health = (await reader.overview()).health
    assert health is not None
    assert health.maxmemory_bytes == 104_857_600


@pytest.mark.parametrize(("rule", "known"), [("+time", False), ("+time +info", True)])
async def test_acl(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str, rule: str, known: bool
) -> None:
    dialect_writers.allow(writer, "mon", f"{READ_ONLY} {rule}")
    dialect_writers.pending(writer, "q", "t1")
    reader = await reader_of(bare_url.replace("unix://", "unix://mon:x@"))
    for _ in range(EVERY_POLLS + 2):
        snapshot = await reader.overview()
        assert snapshot.warnings == ()
        assert (snapshot.health is not None) is known
        assert [queue.counts.pending for queue in snapshot.queues] == [1]
    if known:
        assert snapshot.health is not None
        assert (snapshot.health.role, snapshot.health.evicted_keys) == ("master", 0)
    dialect_writers.forbid(writer, "mon")


async def test_a_right_that_is_taken_away(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str
) -> None:
    dialect_writers.allow(writer, "mon", f"{READ_ONLY} +time +info")
    reader = await reader_of(bare_url.replace("unix://", "unix://mon:x@"))
    assert (await reader.overview()).health is not None
    writer.acl_setuser("mon", commands=["-info"])
    known = [(await reader.overview()).health is not None for _ in range(5)]
    assert known == [True, True, True, True, False]
    dialect_writers.forbid(writer, "mon")
