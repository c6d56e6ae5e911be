"""A cluster answers every question as a single server does, and sees only what a monitor sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import redis

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.redis.connecting.connect import link_to
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.polling.redis_server import OUT_OF_MEMORY
from runqy_tui.redis.reader import RedisReader, open_reader
from runqy_tui.redis.wire.command_encoding import ALLOWED
from tests.conftest import OpenReader
from tests.integration.redis.cluster.every_question import NOW, everything, populate
from tests.integration.redis.polling import large_fleet
from tests.support import dialect_writers
from tests.support.captures import Captures, frozen_at
from tests.support.cluster import Deployment, command, counts, node_id
from tests.support.servers import RealServer, free_port


@pytest.fixture(scope="module")
def whole() -> Iterator[Deployment]:
    with Deployment() as deployment:
        yield deployment


@pytest.fixture
def cluster(whole: Deployment) -> Deployment:
    """The cluster, emptied."""
    for server in whole.primaries:
        command(server, "FLUSHALL")
    return whole


@pytest.fixture
def scattered(cluster: Deployment) -> Iterator[redis.Redis]:
    """A client that writes into the emptied cluster."""
    client = cluster.writer()
    yield cast("redis.Redis", client)
    client.close()


@asynccontextmanager
async def closing(reader: RedisReader) -> AsyncIterator[RedisReader]:
    try:
        yield reader
    finally:
        await reader.close()


async def compare(single: RedisReader, cluster: RedisReader) -> dict[str, Any]:
    expected, found = await everything(single), await everything(cluster)
    assert found.keys() == expected.keys()
    for question, answer in expected.items():
        assert found[question] == answer, question
    return found


async def test_all_dialects_and_states(
    cluster: Deployment, scattered: redis.Redis, writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    populate(scattered)
    single = await reader_of(clock=frozen_at(NOW))
    for server in cluster.primaries:
        command(server, "CONFIG", "RESETSTAT")
    async with closing(cluster.reader(clock=frozen_at(NOW))) as reader:
        found = await compare(single, reader)
        for server in cluster.primaries:
            only_what_is_allowed(server)
    assert {queue.name for queue in found["queues"]} >= {"", "}x", "hidden", "plain0", "p2.q5"}
    odd = [queue for queue in found["queues"] if queue.name in ("", "}x")]
    assert [(queue.paused, queue.processed_total) for queue in odd] == [(True, 7)] * 2
    assert len(found["workers"]) == 8


def only_what_is_allowed(server: RealServer) -> None:
    allowed = {name.lower().replace(" ", "|") for name in ALLOWED}
    seen = {name.removeprefix("cmdstat_") for name in command(server, "INFO", "commandstats")}
    assert seen - allowed - {"config|resetstat"} == set()
    assert {"llen", "scan", "client|setname"} <= seen
    assert "runqy-tui" in {client["name"] for client in command(server, "CLIENT LIST")}


@pytest.mark.parametrize("name", ["runqy-07", "asynq-01"])
async def test_captures(
    name: str,
    cluster: Deployment,
    scattered: redis.Redis,
    captures: Captures,
    reader_of: OpenReader,
) -> None:
    moment = captures.load(name)
    Captures(scattered).load(name)
    single = await reader_of(clock=frozen_at(moment))
    async with closing(cluster.reader(clock=frozen_at(moment))) as reader:
        found = await compare(single, reader)
    assert found["queues"]


async def test_round_trips_and_nodes(cluster: Deployment, scattered: redis.Redis) -> None:
    populate(scattered)
    async with closing(cluster.reader(cluster.primaries[1])) as reader:
        snapshots = [await reader.overview() for _ in range(4)]
    # One queue has a retry of the wrong type and others leave the hash tag empty: no trip more.
    assert [snapshot.redis.round_trips for snapshot in snapshots] == [3, 1, 1, 1]
    assert snapshots[0].redis.mode == "cluster"
    assert snapshots[0].redis.version is not None
    nodes = snapshots[0].redis.where.nodes
    assert {node.address for node in nodes} == {f"127.0.0.1:{s.port}" for s in cluster.primaries}
    assert [node.problem for node in nodes] == [None] * 3


async def test_a_budget_leaves_nobody_out_for_ever(
    cluster: Deployment, scattered: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_fleet.tick_by_the_second(monkeypatch)
    large_fleet.populate(scattered, float(command(cluster.primaries[0], "TIME")[0]))
    async with closing(cluster.reader(budget=large_fleet.BUDGET)) as reader:
        await large_fleet.settled(reader)
        for name in large_fleet.NAMES:
            scattered.lpush(f"asynq:{{{name}}}:pending", "t")
        left = set(large_fleet.NAMES)
        for _ in range(8):
            snapshot = await reader.overview()
            assert snapshot.redis.round_trips == 1
            assert snapshot.redis.commands <= large_fleet.BUDGET * 1.2
            assert large_fleet.unread(snapshot)
            left &= large_fleet.unread(snapshot)
        assert not left
        assert set(counts(snapshot).values()) == {1}
        assert len(snapshot.workers) == large_fleet.WORKERS


async def test_worst_node_is_the_health(cluster: Deployment, scattered: redis.Redis) -> None:
    full = cluster.primaries[2]
    command(full, "CONFIG", "SET", "maxmemory", "100kb")
    try:
        async with closing(cluster.reader()) as reader:
            health = (await reader.overview()).health
    finally:
        command(full, "CONFIG", "SET", "maxmemory", "64mb")
    assert health is not None
    assert (health.role, health.maxmemory_bytes) == ("master", 102_400)
    assert health.writes_blocked == f"{OUT_OF_MEMORY} on 1 of 3 nodes"


async def test_the_walk_meets_every_key_on_every_node(
    cluster: Deployment, scattered: redis.Redis
) -> None:
    pipeline = cast("Any", scattered).pipeline()
    for number in range(9_000):
        pipeline.set(f"other:{number}", "x")
    for number in range(30):
        pipeline.lpush(f"asynq:plain{number}:pending", "t")
    pipeline.execute()
    async with closing(cluster.reader()) as reader:
        first = await reader.overview()
        assert "Scanned 8,000 of 9,030 keys so far" in first.warnings[0]
        for _ in range(6):
            snapshot = await reader.overview()
    assert counts(snapshot) == {f"plain{number}": 1 for number in range(30)}
    assert not [text for text in snapshot.warnings if text.startswith("Scanned ")]


async def test_a_slot_that_moves_while_it_is_polled(
    cluster: Deployment, scattered: redis.Redis
) -> None:
    """ASK for the keys that went, TRYAGAIN for several at once, MOVED when all is done."""
    source, target = cluster.primaries[0], cluster.primaries[1]
    name = cluster.queue_on(source)
    dialect_writers.pending(scattered, name, "a", "b", since=NOW)
    dialect_writers.pending(scattered, "stays", "c")
    prefix = f"asynq:{{{name}}}:"
    scattered.set(f"{prefix}processed", 5)
    scattered.set(f"{prefix}failed", 2)
    slot = redis.crc.key_slot(prefix.encode())
    async with closing(cluster.reader(clock=frozen_at(NOW))) as reader:
        before = await reader.overview()
        await reader.overview()

        async def same() -> None:
            for _ in range(2):
                snapshot = await reader.overview()
                assert snapshot.queues == before.queues
                assert snapshot.warnings == ()
            page = await reader.page(QueueKey(name), TaskState.PENDING)
            assert [row.id for row in page.rows] == ["b", "a"]

        begin(source, target, slot)
        move(source, target, f"{prefix}pending", f"{prefix}processed")
        for server in (source, target):
            command(server, "CONFIG", "RESETSTAT")
        await same()
        assert "cmdstat_asking" in command(target, "INFO", "commandstats")
        errors = command(source, "INFO", "errorstats")
        assert {"errorstat_ASK", "errorstat_TRYAGAIN"} <= set(errors)
        finish(cluster, source, target, slot)
        command(source, "CONFIG", "RESETSTAT")
        await same()
        assert command(source, "INFO", "errorstats").keys() == {"errorstat_MOVED"}
        command(source, "CONFIG", "RESETSTAT")
        await same()
        assert not command(source, "INFO", "errorstats")
        begin(target, source, slot)
        finish(cluster, target, source, slot)
        await same()


def begin(source: RealServer, target: RealServer, slot: int) -> None:
    command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))


def move(source: RealServer, target: RealServer, *keys: str | bytes) -> None:
    for key in keys:
        command(source, "MIGRATE", "127.0.0.1", target.port, key, 0, 5000)


def finish(cluster: Deployment, source: RealServer, target: RealServer, slot: int) -> None:
    move(source, target, *command(source, "CLUSTER", "GETKEYSINSLOT", slot, 1000))
    for server in (target, source, *cluster.primaries):
        command(server, "CLUSTER", "SETSLOT", slot, "NODE", node_id(target))


async def test_one_node_alone_names_the_mend(cluster: Deployment, scattered: redis.Redis) -> None:
    populate(scattered)
    server = cluster.owner("asynq:queues")
    async with closing(await open_reader(server.url)) as reader:
        snapshot = await reader.overview()
    assert (
        "This is one node of a cluster: what other nodes hold is not read. "
        "Use redis+cluster:// in the URL"
    ) in snapshot.warnings


async def test_a_dead_seed_is_no_matter(cluster: Deployment, scattered: redis.Redis) -> None:
    dialect_writers.pending(scattered, "q", "a")
    target = cluster.target(cluster.primaries[0])
    dead = replace(target, seeds=(("127.0.0.1", free_port()), *target.seeds))
    async with closing(reader_at(dead)) as reader:
        assert counts(await reader.overview()) == {"q": 1}


async def test_nodes_that_do_not_say_how_to_reach_them(
    cluster: Deployment, scattered: redis.Redis
) -> None:
    """They announce no host, or a loopback address: the host that was asked for leads there."""
    for number in range(9):
        dialect_writers.pending(scattered, f"q{number}", "a")
    target = cluster.target(cluster.primaries[0])
    named = replace(target, seeds=(("localhost", cluster.primaries[0].port),))
    kinds = ("ip", "unknown-endpoint")
    try:
        for kind in kinds:
            for server in cluster.primaries:
                command(server, "CONFIG", "SET", "cluster-preferred-endpoint-type", kind)
            async with closing(reader_at(named)) as reader:
                snapshot = await reader.overview()
                assert counts(snapshot) == {f"q{number}": 1 for number in range(9)}
                assert {node.address for node in snapshot.redis.where.nodes} == {
                    f"localhost:{server.port}" for server in cluster.primaries
                }
    finally:
        for server in cluster.primaries:
            command(server, "CONFIG", "SET", "cluster-preferred-endpoint-type", kinds[0])


async def test_nobody_answers() -> None:
    ports = free_port(), free_port()
    seeds = tuple(("127.0.0.1", port) for port in ports)
    async with closing(reader_at(RedisTarget("redis+cluster", "cluster@x", seeds=seeds))) as reader:
        with pytest.raises(ConnectionFailedError) as caught:
            await reader.overview()
    text = str(caught.value)
    assert f"asked at 127.0.0.1:{ports[0]}, 127.0.0.1:{ports[1]}" in text
    assert "refuses the connection" in text


async def test_what_is_no_cluster() -> None:
    with RealServer() as server:
        target = RedisTarget("redis+cluster", "cluster@x", seeds=(("127.0.0.1", server.port),))
        async with closing(reader_at(target)) as reader:
            with pytest.raises(ConnectionFailedError, match="is a single server and no cluster"):
                await reader.overview()


async def test_rights(cluster: Deployment, scattered: redis.Redis) -> None:
    """What the read-only user of a cluster needs beyond that of a single server."""
    populate(scattered)
    rule = "on >secret %R~asynq:* +@read +@connection -@dangerous +info +time"
    target = replace(cluster.target(), username="mon", password="secret")
    for server in cluster.primaries:
        with server.client() as client:
            dialect_writers.allow(client, "mon", rule)
    try:
        async with closing(reader_at(target)) as reader:
            with pytest.raises(AccessDeniedError, match="CLUSTER SLOTS"):
                await reader.overview()
        for server in cluster.primaries:
            command(server, "ACL", "SETUSER", "mon", "+cluster|slots", "+asking")
        async with closing(reader_at(target)) as reader:
            snapshot = await reader.overview()
            assert not [text for text in snapshot.warnings if "NOPERM" in text]
            assert len(snapshot.workers) == 8
        async with closing(reader_at(replace(target, password="wrong"))) as reader:
            with pytest.raises(AccessDeniedError, match="refuses the password"):
                await reader.overview()
    finally:
        for server in cluster.primaries:
            command(server, "ACL", "DELUSER", "mon")


async def test_a_poller_of_a_cluster_ends_wherever_it_is_cancelled(
    cluster: Deployment, scattered: redis.Redis
) -> None:
    dialect_writers.pending(scattered, "q", "a")

    async def opened() -> RedisReader:
        return cluster.reader()

    async def unheard(_result: PollResult) -> None:
        """Nobody listens."""

    for turns in range(0, 60, 2):
        poller = Poller(opened, unheard, 60)
        task = asyncio.ensure_future(poller.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done, f"still running when cancelled after {turns} turns of the loop"
        assert task.cancelled()
    for server in cluster.primaries:
        for _ in range(200):
            clients = command(server, "CLIENT LIST")
            if not [client for client in clients if client["name"] == "runqy-tui"]:
                break
            await asyncio.sleep(0.02)
        assert not [client for client in clients if client["name"] == "runqy-tui"]


def reader_at(target: RedisTarget) -> RedisReader:
    return RedisReader(link_to(target), lambda now: now)
