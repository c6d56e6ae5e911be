"""The server fails: what the poller says of it, what it keeps, and how it comes back."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.monitor.store import ConnectionState
from tests.app import scenes
from tests.faults.poll_watcher import Seen, watching, well_said
from tests.support import dialect_writers
from tests.support.servers import RealServer

KEY = QueueKey("alpha.low")
LOADS_SLOWLY = {"loading-process-events-interval-bytes": "1024"}
"""Beside ``key-load-delay`` in microseconds: LOADING lasts, and is answered meanwhile."""


def fill(server: RealServer, processed: int = 1_000) -> None:
    """A small fleet with a counter."""
    with server.client() as client:
        scenes.small_fleet(client)
        client.set("asynq:{alpha.low}:processed", processed)


async def killed(seen: Seen, server: RealServer) -> None:
    """Kill the server, and see that this is said and the data stay."""
    held = seen.snapshot
    server.kill()
    well_said(await seen.lost("refuses the connection: nothing listens there"), server)
    assert seen.store.live.link is ConnectionState.LOST
    assert seen.snapshot.queues == held.queues or seen.snapshot.taken_at > held.taken_at
    assert seen.store.live.retry_at is not None


async def test_killed_and_restarted_empty(mortal: RealServer) -> None:
    mortal.start()
    fill(mortal)
    async with watching(mortal.url) as seen:
        await seen.live()
        await killed(seen, mortal)
        assert len(seen.snapshot.workers) == 3, "the last good data stay"
        mortal.start()
        await seen.live()
        assert not seen.snapshot.queues
        assert not seen.snapshot.workers
        assert seen.findings == set()


async def test_killed_and_restarted_with_its_data(mortal: RealServer) -> None:
    """Counters fall back to what was saved: no rate below zero, no finding that was not there."""
    mortal.start()
    fill(mortal, processed=1_000)
    with mortal.client() as client:
        client.save()
        async with watching(mortal.url) as seen:
            await seen.live()
            client.set("asynq:{alpha.low}:processed", 1_200)
            await seen.live()
            await seen.live()
            before = seen.findings
            await killed(seen, mortal)
            mortal.start()
            for _ in range(4):
                await seen.live()
                rates = seen.store.live.rates[KEY]
                assert (rates.done_per_s or 0) >= 0
                assert (rates.failed_per_s or 0) >= 0
                assert (rates.enqueued_per_s or 0) >= 0
            found = seen.snapshot.queue(KEY)
            assert found is not None
            assert found.processed_total == 1_000
            assert seen.findings == before


async def test_refused_at_start_and_started_later(mortal: RealServer) -> None:
    async with watching(mortal.url) as seen:
        sentence = await seen.lost("refuses the connection: nothing listens there")
        well_said(sentence, mortal)
        assert sentence.endswith("Start Redis, or set --url or RUNQY_REDIS_URL.")
        mortal.start()
        await seen.live()


async def test_a_name_that_does_not_resolve() -> None:
    async with watching("redis://no-such-host.invalid") as seen:
        sentence = await seen.lost("cannot be found: the name 'no-such-host.invalid'")
        well_said(sentence, "no-such-host.invalid:6379")


async def test_frozen_and_thawed(mortal: RealServer) -> None:
    mortal.start()
    fill(mortal)
    async with watching(mortal.url, timeout=0.3) as seen:
        await seen.live()
        mortal.freeze()
        sentence = await seen.lost("does not answer within 0.3 s: it is frozen")
        well_said(sentence, mortal)
        assert "raise --timeout" in sentence
        assert "TLS" not in sentence, "it has answered before: TLS is not the matter"
        assert len(seen.snapshot.workers) == 3
        await seen.polls(3)
        mortal.thaw()
        await seen.live()
        with mortal.client() as client:
            mine = [one for one in client.client_list() if one["name"] == "runqy-tui"]
        assert 1 <= len(mine) <= 4


async def test_loading(mortal: RealServer) -> None:
    """A real one: each key takes the server ten milliseconds to load."""
    mortal.start()
    fill(mortal)
    with mortal.client() as client:
        client.mset({f"filler:{number}": "x" * 2_000 for number in range(40)})
        client.save()
    async with watching(mortal.url) as seen:
        await seen.live()
        mortal.kill()
        mortal.options |= LOADS_SLOWLY | {"key-load-delay": "10000"}
        mortal.start()
        well_said(await seen.lost("is still loading its data: it has just started"), mortal)
        assert len(seen.snapshot.workers) == 3
        await seen.live()
        assert len(seen.snapshot.workers) == 3


@contextmanager
def busy(server: RealServer) -> Iterator[None]:
    """A script that never ends, until SCRIPT KILL."""
    once = Retry(NoBackoff(), 0)  # sent again after a timeout, it would begin anew

    def run() -> None:
        with suppress(redis.RedisError), server.client(socket_timeout=60, retry=once) as client:
            client.eval("while true do end", 0)

    script = threading.Thread(target=run)
    script.start()
    try:
        yield
    finally:
        with server.client() as client:
            while script.is_alive():
                with suppress(redis.ResponseError):
                    client.script_kill()
                script.join(0.05)


async def test_busy_with_a_script(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    backend.config_set("busy-reply-threshold", 20)
    async with watching(shared.url) as seen:
        await seen.live()
        with busy(shared):
            sentence = await seen.lost(
                "is busy with a script: it answers nothing else until that ends"
            )
            well_said(sentence, shared)
            assert sentence.endswith("Wait, or run SCRIPT KILL there.")
            assert len(seen.snapshot.queues) == 4, "an error is no empty Redis"
        await seen.live()
        assert len(seen.snapshot.queues) == 4
    backend.config_set("busy-reply-threshold", 5_000)


async def test_a_full_memory_refuses_writes(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    dialect_writers.task(backend, "alpha.high", "large", error_msg="x" * 400_000, state="pending")
    async with watching(shared.url) as seen:
        await seen.live()
        backend.config_set("maxmemory", 1)
        try:
            name = f"redis-writes-blocked:{shared.url[8:-2]}"
            await seen.until(lambda: name in seen.findings, name)
            (found,) = [one for one in seen.store.live.findings if one.id == name]
            assert found.sentence.startswith("Redis refuses writes: out of memory (maxmemory ")
            assert found.next_step.startswith("free memory")
            reader = seen.poller.reader
            assert reader is not None
            page = await reader.page(QueueKey("alpha.high"), TaskState.PENDING)
            assert page.total == 2
            task = await reader.task("large", QueueKey("alpha.high"))
            assert task is not None
            assert task.error is not None
        finally:
            backend.config_set("maxmemory", 0)
        await seen.until(lambda: name not in seen.findings, "writes again")
        assert all(result.error is None for result in seen.results)


async def test_no_client_more_is_let_in(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    most = backend.config_get("maxclients")["maxclients"]
    crowd: list[socket.socket] = []
    try:
        backend.config_set("maxclients", 8)
        while len(backend.client_list()) < 8:
            crowd.append(socket.create_connection(("127.0.0.1", shared.port)))
        async with watching(shared.url) as seen:
            sentence = await seen.lost("has reached its limit of clients (maxclients)")
            well_said(sentence, shared)
            while crowd:
                crowd.pop().close()
            await seen.live()
            assert len(seen.snapshot.queues) == 4
    finally:
        for one in crowd:
            one.close()
        backend.config_set("maxclients", int(most or 0))


async def test_demoted_cut_off_and_promoted_behind_one_address(mortal: RealServer) -> None:
    """The server becomes a replica, loses its primary, and becomes a primary again."""
    mortal.start()
    fill(mortal)
    primary = RealServer(mortal.binary, {"repl-diskless-sync-delay": "0"})
    with primary, mortal.client() as client:
        with primary.client() as other:
            dialect_writers.pending(other, "from-the-primary", "t1")
        async with watching(mortal.url) as seen:
            await seen.live()
            follow(client, "127.0.0.1", str(primary.port))
            name = f"redis-read-only:127.0.0.1:{mortal.port}"
            await seen.until(lambda: name in seen.findings, "a replica")
            await seen.until(lambda: queues(seen) == ["from-the-primary"], "the primary's data")
            primary.kill()
            await seen.until(lambda: "link" in finding_text(seen, name), "cut off")
            client.config_set("replica-serve-stale-data", "no")
            sentence = await seen.lost("is a replica that lost its primary: it is set to serve")
            well_said(sentence, mortal)
            assert queues(seen) == ["from-the-primary"]
            follow(client, "NO", "ONE")
            await seen.live()
            await seen.until(lambda: name not in seen.findings, "promoted")


def follow(client: Any, host: str, port: str) -> None:
    """REPLICAOF, which redis-py leaves untyped."""
    client.replicaof(host, port)


def queues(seen: Seen) -> list[str]:
    """Names of the queues that are shown."""
    return [queue.name for queue in seen.snapshot.queues]


def finding_text(seen: Seen, name: str) -> str:
    """The sentence of a finding, empty where it is none."""
    return next((one.sentence for one in seen.store.live.findings if one.id == name), "")


async def test_two_monitors_at_once(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    async with watching(shared.url) as first, watching(shared.url) as second:
        await asyncio.gather(first.polls(5), second.polls(5))
        for seen in (first, second):
            assert all(result.error is None for result in seen.results)
            assert len(seen.snapshot.workers) == 3
        backend.client_kill_filter(_type="normal", skipme=True)
        await asyncio.gather(first.live(), second.live())
