"""A connection that is given up holds nobody up, and leaves nothing for the next question."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio.connection import BlockingConnectionPool

from runqy_tui.model.credentials import Credentials
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.wire.transport import NodeLink
from tests.support import dialect_writers
from tests.support.certificates import Certificates
from tests.support.servers import RealServer, debian


async def test_a_login_that_was_cancelled_answers_nothing() -> None:
    with RealServer(options={"requirepass": "pw"}) as server:
        with server.client(password="pw") as client:
            dialect_writers.pending(client, "q", "t1", "t2")
        reader = await open_reader(server.url, access=Credentials(password="pw"))
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
        reader = await open_reader(url, access=Credentials(tls_ca=made.ca), timeout=30.0)
        await reader.overview()
        server.freeze()
        async with asyncio.timeout(10):
            await reader.close()


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_all_is_closed_though_whoever_closes_it_is_cancelled(turns: int) -> None:
    with RealServer() as server:
        reader = await open_reader(server.url)
        await reader.overview()
        assert isinstance(reader.link, NodeLink)
        pool = reader.link._pool
        assert isinstance(pool, BlockingConnectionPool)
        (connection,) = pool._available_connections
        closing = asyncio.create_task(reader.close())
        for _ in range(turns):  # at two it has asked each connection to go, and none has begun to
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        async with asyncio.timeout(5):
            while connection.is_connected:  # noqa: ASYNC110 -- nobody tells it
                await asyncio.sleep(0.01)
