"""A connection that is given up holds nobody up, and leaves nothing for the next question."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runqy_tui.access import Access
from runqy_tui.redis.source import open_reader
from tests.support import fleet
from tests.support.certificates import Certificates
from tests.support.servers import RealServer, debian


async def test_a_login_that_was_cancelled_answers_nothing() -> None:
    with RealServer(options={"requirepass": "pw"}) as server:
        with server.client(password="pw") as client:
            fleet.pending(client, "q", "t1", "t2")
        reader = await open_reader(server.url, access=Access(password="pw"))
        server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.overview()
        second = asyncio.create_task(reader.overview())
        await asyncio.sleep(0.1)
        server.thaw()
        snapshot = await second
        assert [queue.counts.pending for queue in snapshot.queues] == [2]
        assert snapshot.redis.version is not None
        await reader.close()


async def test_leaving_a_frozen_server_takes_no_time(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    server = RealServer(debian())
    made.encrypt(server, made.local, clients=False)
    with server:
        url = f"rediss://127.0.0.1:{server.port}"
        reader = await open_reader(url, access=Access(tls_ca=made.ca), timeout=30.0)
        await reader.overview()
        server.freeze()
        async with asyncio.timeout(10):
            await reader.close()
