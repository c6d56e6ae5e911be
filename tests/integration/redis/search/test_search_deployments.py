"""The same search on a cluster of several nodes, and behind a Sentinel."""

from __future__ import annotations

from typing import Any

from runqy_tui.model import QueueKey
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.search import lua_script
from tests.integration.redis.search.run_search import fill, found, ids
from tests.support import dialect_writers
from tests.support.cluster import Deployment
from tests.support.deployment import Deployment as Watched
from tests.support.servers import debian


async def test_a_cluster_is_searched_by_scripts_on_every_node() -> None:
    with Deployment(debian()) as cluster, cluster.writer() as client:
        writer: Any = client
        for name in "abcdef":
            dialect_writers.pending(writer, f"{name}.default", f"task-{name}")
        dialect_writers.put(
            writer, "asynq:t:plain-1", {"type": "t", "payload": "task- in plain fields"}
        )
        dialect_writers.put(
            writer, "asynq:t:plain-2", {"type": "t", "payload": "task- of another slot"}
        )
        writer.lpush("asynq:old_default:pending", "plain-1", "plain-2")
        reader = cluster.reader()
        try:
            old = QueueKey("old_default", braced=False)
            queues = tuple(QueueKey(f"{name}.default") for name in "abcdef")
            hits, progress = await found(reader, "task-", queues=(*queues, old))
            assert sorted(ids(hits)) == sorted(
                [*(f"task-{name}" for name in "abcdef"), "plain-1", "plain-2"]
            )
            assert progress.notes == ()
            everywhere, _ = await found(reader, "task-")
            assert len(everywhere) == 6, "lists without braces are known after a poll only"
        finally:
            await reader.close()


async def test_behind_a_sentinel() -> None:
    with Watched(debian(), debian("redis-sentinel")) as watched:
        with watched.servers[0].client() as writer:
            fill(writer, "q.default", 500)
        reader = await open_reader(watched.url)
        try:
            hits, progress = await found(reader, "<4>")
            assert (ids(hits), progress.searched) == (["t-4"], 500)
        finally:
            await reader.close()
    assert lua_script.BUDGET_US < 5_000
