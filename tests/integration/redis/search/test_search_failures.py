"""A search whose server goes in the midst of it: what was found stays, and the cause is told."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError
from runqy_tui.model.search_query import SearchHit, SearchQuery
from runqy_tui.redis.reader import RedisReader, open_reader
from tests.integration.redis.search.run_search import fill, found, ids
from tests.support.cluster import QUICK_MS
from tests.support.cluster import Deployment as Cluster
from tests.support.deployment import SERVICE, Deployment
from tests.support.servers import debian

TASKS = 3_000


async def hits_until(
    reader: RedisReader, wanted: SearchQuery, looked: int, then: Any
) -> tuple[list[SearchHit], tuple[str, ...]]:
    """All hits and the last notes; ``then`` is done once ``looked`` tasks were looked at."""
    hits: list[SearchHit] = []
    notes: tuple[str, ...] = ()
    done = False
    async with aclosing(reader.search(wanted)) as steps:
        async for step in steps:
            hits += step.hits
            notes = step.progress.notes
            if step.progress.searched >= looked and not done:
                then()
                done = True
    assert done
    return hits, notes


@pytest.mark.parametrize("how", ["killed", "handed over"])
async def test_the_primary_changes_in_the_midst_of_a_search(how: str) -> None:
    with Deployment(debian(), debian("redis-sentinel")) as watched:
        with watched.primary().client() as writer:
            fill(writer, "q.default", TASKS)
            writer.wait(1, 5_000)
        reader = await open_reader(watched.url, timeout=1.0)
        await reader.overview()

        def go() -> None:
            if how == "killed":
                watched.primary().kill()
            else:
                watched.ask("SENTINEL", "FAILOVER", SERVICE)

        try:
            if how == "killed":
                with pytest.raises(ConnectionFailedError) as failure:
                    await hits_until(reader, SearchQuery("<4>"), 500, go)
                assert str(failure.value).endswith("."), failure.value
            else:  # the old primary answers on until Sentinel demotes it, seconds later
                hits, _ = await hits_until(reader, SearchQuery("<4>"), 500, go)
                assert ids(hits) == ["t-4"]
            again, progress = await until_searched(reader, "<4>")
            assert (ids(again), progress.searched) == (["t-4"], TASKS)
        finally:
            await reader.close()


async def until_searched(reader: RedisReader, text: str) -> Any:
    """Search until it comes to its end, with a poll before each try as in the monitor."""
    for _ in range(200):
        try:
            await reader.overview()
            return await found(reader, text)
        except RunqyTuiError:
            await asyncio.sleep(0.2)
    raise AssertionError("no search after the failover")


async def test_a_node_that_dies_in_the_midst_costs_only_its_own_lists() -> None:
    with Cluster(debian(), node_timeout_ms=QUICK_MS) as cluster:
        lost, kept = cluster.primaries[2], cluster.primaries[0]
        names = cluster.queue_on(kept), cluster.queue_on(lost)
        with cluster.writer() as client:
            writer: Any = client
            for name in names:
                fill(writer, name, TASKS // 2)
        reader = cluster.reader()
        try:
            hits, notes = await hits_until(reader, SearchQuery("<4>"), 200, lost.kill)
            assert [hit.queue.name for hit in hits] == [names[0]]
            assert any(names[1] in note for note in notes), notes
        finally:
            await reader.close()
