"""What becomes of a cluster's picture when its servers die, freeze, come back or are replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.model import CheckWindow, QueueKey, TaskState, WorkerState
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.reader import RedisReader
from tests.support import dialect_writers
from tests.support.certificates import Certificates
from tests.support.cluster import (
    QUICK_MS,
    Deployment,
    accepted,
    command,
    counts,
    info,
    poll_until,
    role,
    synchronised,
    until,
)
from tests.support.servers import RealServer, debian

REFUSED = "refuses the connection: nothing listens there"
QUEUES, WORKERS, SERVERS = range(3)
"""Places of the primaries by the index that each of them holds."""

KEPT = "The contents of its queues are unknown, its workers are shown as last seen."


@pytest.fixture(scope="module")
def whole() -> Iterator[Deployment]:
    """One primary has a replica, the others have none; data outlives the process."""
    with Deployment(
        replicas_of=(WORKERS,), node_timeout_ms=QUICK_MS, appendonly="yes"
    ) as deployment:
        yield deployment


@pytest.fixture
def filled(whole: Deployment) -> Deployment:
    """A queue and a worker on each primary, and an asynq server."""
    indexes = ("asynq:queues", "asynq:workers", "asynq:servers")
    assert [whole.owner(key) for key in indexes] == whole.primaries
    fill(whole)
    return whole


def fill(cluster: Deployment) -> None:
    for server in cluster.primaries:
        command(server, "FLUSHALL")
    client = cluster.writer()
    writer = cast("redis.Redis", client)
    for server in cluster.primaries:
        dialect_writers.pending(writer, cluster.queue_on(server), "a", "b")
        dialect_writers.worker(
            writer, worker_on(cluster, server), clock(cluster), queues_of(cluster)
        )
    dialect_writers.server(
        writer, "host:7:uuid", clock(cluster) + 600, {cluster.queue_on(server): 1}
    )
    client.close()


def clock(cluster: Deployment) -> float:
    seconds, micros = command(cluster.primaries[0], "TIME")
    return float(seconds) + float(micros) / 1e6


def queues_of(cluster: Deployment) -> str:
    return f"map[{' '.join(f'{cluster.queue_on(server)}:1' for server in cluster.primaries)}]"


def worker_on(cluster: Deployment, server: RealServer) -> str:
    return next(
        name
        for number in range(1000)
        if cluster.owner(f"asynq:workers:{(name := f'w:{number}')}") is server
    )


@asynccontextmanager
async def warm(cluster: Deployment, **settings: Any) -> AsyncIterator[RedisReader]:
    """A reader that has polled."""
    reader = cluster.reader(**settings)
    try:
        for _ in range(2):
            snapshot = await reader.overview()
        assert snapshot.warnings == ()
        assert set(counts(snapshot).values()) == {2}
        yield reader
    finally:
        await reader.close()


async def test_a_primary_without_a_replica_dies_and_comes_back(filled: Deployment) -> None:
    dead = filled.primaries[SERVERS]
    lost, kept = filled.queue_on(dead), filled.queue_on(filled.primaries[QUEUES])
    async with warm(filled) as reader:
        dead.kill()
        for _ in range(3):
            snapshot = await reader.overview()
            assert counts(snapshot)[lost] is None
            assert [n for name, n in counts(snapshot).items() if name != lost] == [2, 2]
            expected = f"Node 127.0.0.1:{dead.port} of the cluster {REFUSED}. {KEPT} "
            assert snapshot.warnings == (f"{expected}Start it again, or promote a replica",)
            assert {node.address: node.problem for node in snapshot.redis.where.nodes} == {
                f"127.0.0.1:{server.port}": REFUSED if server is dead else None
                for server in filled.primaries
            }
            assert {worker.state for worker in snapshot.workers} == {WorkerState.RUNNING}
            assert len(snapshot.workers) == 4
            consumers = {queue.name: len(queue.consumers) for queue in snapshot.queues}
            assert sorted(consumers.values()) == [3, 3, 4]
        await ask_around(reader, lost, kept)
        await ask_where_a_part_is_not_enough(
            reader, dead, [server for server in filled.servers if server is not dead]
        )
        await ask_afresh(filled, filled.queue_on(filled.primaries[QUEUES]))
        dead.start()
        _, took = await poll_until(reader.overview, lambda snapshot: not snapshot.warnings)
        assert counts(await reader.overview())[lost] == 2
    print(f"back on screen {took:.1f} s after the server came back")
    await asyncio.to_thread(filled.settle)


async def ask_around(reader: RedisReader, lost: str, kept: str) -> None:
    """Questions that the dead node alone could answer say so; the others are answered."""
    with pytest.raises(ConnectionFailedError, match=REFUSED):
        await reader.page(QueueKey(lost), TaskState.PENDING)
    with pytest.raises(ConnectionFailedError, match=REFUSED):
        await reader.task("a", QueueKey(lost))
    with pytest.raises(ConnectionFailedError, match=REFUSED):
        await reader.task("no-such-task")  # it may be on the dead node
    assert len((await reader.page(QueueKey(kept), TaskState.PENDING)).rows) == 2
    found = await reader.task("a")
    assert found is not None
    assert found.queue.name != lost
    windows = [CheckWindow(QueueKey(name), TaskState.PENDING, 0, 9) for name in (lost, kept)]
    audits = await reader.check_tasks(windows)
    assert [len(audit.tasks) for audit in audits] == [0, 2]
    fates = await reader.read_outcomes([(QueueKey(name), "a") for name in (lost, kept)])
    assert [(fate.missing, fate.state) for fate in fates] == [
        (False, None),
        (False, TaskState.PENDING),
    ]


async def ask_afresh(cluster: Deployment, kept: str) -> None:
    """Who comes while a node is down cannot know all workers, and calls no queue unserved."""
    client = cluster.writer()
    only = cluster.queue_on(cluster.primaries[QUEUES], but=[kept])
    dialect_writers.pending(cast("redis.Redis", client), only, "a", "b")
    reader = cluster.reader()
    snapshot = await reader.overview()
    assert {queue.name: queue.consumers for queue in snapshot.queues}[only] == ()
    diagnosis = await Diagnoser().diagnose(reader, snapshot)
    await reader.close()
    client.srem("asynq:queues", only)
    client.delete(f"asynq:{{{only}}}:pending")
    client.close()
    assert not snapshot.workers_whole
    assert "queue-no-consumer" not in {finding.detector for finding in diagnosis.findings}


async def ask_where_a_part_is_not_enough(
    reader: RedisReader, dead: RealServer, alive: Sequence[RealServer]
) -> None:
    """With cluster-require-full-coverage, the default, a dead node ends all service."""
    for server in alive:
        command(server, "CONFIG", "SET", "cluster-require-full-coverage", "yes")
    await asyncio.to_thread(
        until, lambda: all(info(server)["cluster_state"] == "fail" for server in alive)
    )
    with pytest.raises(ConnectionFailedError) as caught:
        await reader.overview()
    assert "reports CLUSTERDOWN" in str(caught.value)
    assert f"127.0.0.1:{dead.port} does not answer" in str(caught.value)
    waits = []
    for _ in range(3):
        before = time.monotonic()
        with pytest.raises(ConnectionFailedError, match="CLUSTERDOWN"):
            await reader.overview()
        waits.append(time.monotonic() - before)
    assert min(waits) < 2.0  # it waits for a failover once, and then no more
    for server in alive:
        command(server, "CONFIG", "SET", "cluster-require-full-coverage", "no")
    await poll_again(reader)


async def poll_again(reader: RedisReader) -> None:
    async def ask() -> bool:
        try:
            await reader.overview()
        except ConnectionFailedError:
            return False
        return True

    await poll_until(ask, bool)


async def test_a_frozen_node_costs_one_poll_a_short_wait(filled: Deployment) -> None:
    frozen = filled.primaries[QUEUES]
    lost = filled.queue_on(frozen)
    async with warm(filled, timeout=1.0) as reader:
        frozen.freeze()
        try:
            snapshot = await reader.overview()
            assert snapshot.redis.elapsed_ms >= 500
            # The index is on that node: what it said before stays.
            assert counts(snapshot) == {
                filled.queue_on(server): None if server is frozen else 2
                for server in filled.primaries
            }
            later = [await reader.overview() for _ in range(3)]
            assert min(snapshot.redis.elapsed_ms for snapshot in later) < 500
            snapshot = later[-1]
            assert snapshot.warnings[0].startswith(
                f"Node 127.0.0.1:{frozen.port} of the cluster does not answer within 0.5 s"
            )
            assert len(snapshot.warnings) == 1
            fresh = filled.reader(timeout=1.0)
            with pytest.raises(ConnectionFailedError) as caught:
                await fresh.overview()
            await fresh.close()
            assert "cannot list the queues (asynq:queues)" in str(caught.value)
            assert f"127.0.0.1:{frozen.port}" in str(caught.value)
        finally:
            frozen.thaw()
        snapshot, _ = await poll_until(reader.overview, lambda snapshot: not snapshot.warnings)
        assert counts(snapshot)[lost] == 2
    await asyncio.to_thread(filled.settle)


FAILOVER_S = 6.0
"""After 5 s a node gives up a planned failover that has not come about."""


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_a_replica_is_promoted_and_then_all_die(
    kind: str, request: Any, tmp_path: Path
) -> None:
    """Redis under TLS, Valkey without."""
    if kind == "valkey":
        cluster: Deployment = request.getfixturevalue("filled")
        await fail_over(cluster)
        return
    certificates = Certificates(tmp_path)
    with Deployment(debian(), (WORKERS,), certificates, QUICK_MS) as cluster:
        await asyncio.to_thread(fill, cluster)
        await fail_over(cluster)


async def fail_over(cluster: Deployment) -> None:
    old, new = cluster.primaries[WORKERS], cluster.replicas[0]
    name = cluster.queue_on(old)
    async with warm(cluster) as reader:
        epoch = cast("Any", reader.link).epoch
        started = time.monotonic()
        old.kill()
        seen, took = await poll_until(
            reader.overview, lambda snapshot: counts(snapshot)[name] is not None
        )
        promoted = time.monotonic() - started
        assert role(new) == "master"
        assert counts(seen) == {cluster.queue_on(server): 2 for server in cluster.primaries}
        assert f"127.0.0.1:{cluster.port(new)}" in {node.address for node in seen.redis.where.nodes}
        assert seen.warnings == ()
        assert cast("Any", reader.link).epoch != epoch
        old.start()
        await asyncio.to_thread(until, lambda: role(old) == "slave")
        await switch_back(reader, old, new)
        for server in cluster.primaries:
            server.kill()
        with pytest.raises(ConnectionFailedError, match="has no primary that answers"):
            await reader.overview()
        new.kill()
        with pytest.raises(ConnectionFailedError) as caught:
            await reader.overview()
        for server in cluster.servers:
            assert f"127.0.0.1:{cluster.port(server)}" in str(caught.value)
    print(f"followed {took:.1f} s after the primary died ({promoted:.1f} s)")


async def switch_back(reader: RedisReader, old: RealServer, new: RealServer) -> None:
    """A planned failover in mid-poll: nothing is missing in any poll."""
    await asyncio.to_thread(until, lambda: synchronised(old))
    await asyncio.to_thread(until, lambda: accepted(old, "CLUSTER", "FAILOVER"))
    after, given_up_at = 0, time.monotonic() + FAILOVER_S
    while after < 3:
        after += role(new) == "slave"
        if not after and time.monotonic() > given_up_at:
            accepted(old, "CLUSTER", "FAILOVER")  # on a busy machine a node gives one up
            given_up_at += FAILOVER_S
        snapshot = await reader.overview()
        assert set(counts(snapshot).values()) == {2}
        assert snapshot.warnings == ()
