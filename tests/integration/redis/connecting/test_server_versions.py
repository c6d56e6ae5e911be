"""Valkey and an older Redis alike, in the protocol that every server speaks (RESP2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runqy_tui.model import CheckWindow, QueueKey, TaskState
from runqy_tui.redis.reader import open_reader
from tests.support import dialect_writers
from tests.support.servers import RealServer, debian, embedded


@pytest.mark.parametrize(("binary", "version"), [(embedded, "valkey 9."), (debian, "7.")])
async def test_the_questions_of_a_reader(binary: Callable[[], Path], version: str) -> None:
    queue = QueueKey("q")
    with RealServer(binary()) as server, server.client(decode_responses=True, protocol=2) as client:
        dialect_writers.pending(client, "q", "t1", "t2")
        reader = await open_reader(server.url)
        for _ in range(2):
            snapshot = await reader.overview()
        assert (snapshot.redis.version or "").startswith(version)
        assert snapshot.queues[0].counts.pending == 2
        assert snapshot.warnings == ()
        page = await reader.page(queue, TaskState.PENDING)
        assert {row.id for row in page.rows} == {"t1", "t2"}
        task = await reader.task("t1")
        assert task is not None
        assert task.type == "t"
        assert (await reader.logs("w")).exists is False
        assert len(await reader.daily_counts(queue)) == 14
        (audit,) = await reader.check_tasks([CheckWindow(queue, TaskState.PENDING, 0, 10)])
        assert audit.total == 2
        assert await reader.position(queue, TaskState.RETRY, "t1") is None
        assert await reader.active_tasks("w") == ()
        assert "cmdstat_hello" not in client.info("commandstats")
        own = [one for one in client.client_list() if one["name"] == "runqy-tui"]
        assert {one.get("resp", "2") for one in own} == {"2"}
        await reader.close()
