"""A real server for every test: one per session, emptied before each test that asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import settings

from runqy_tui.demo.server import EmbeddedServer
from runqy_tui.redis.source import RedisReader, open_reader
from tests.support.captures import CAPTURES, Captures

settings.register_profile("runqy-tui", deadline=None)  # a busy machine is no failure
settings.load_profile("runqy-tui")

OpenReader = Callable[..., Awaitable[RedisReader]]


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The tests' own server, on a Unix socket in a fresh directory."""
    with EmbeddedServer() as embedded:
        yield embedded


@pytest.fixture
def writer(server: EmbeddedServer) -> Iterator[redis.Redis]:
    """A client that writes what programs would have written, into an empty server."""
    client = redis.Redis.from_url(server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def redis_url(server: EmbeddedServer, writer: redis.Redis) -> str:
    """URL of the emptied server."""
    return server.url


@pytest.fixture
async def reader_of(redis_url: str) -> AsyncIterator[OpenReader]:
    """Opens readers on the emptied server; all are closed in the end."""
    opened: list[RedisReader] = []

    async def make(url: str = redis_url, **settings: Any) -> RedisReader:
        reader = await open_reader(url, **settings)
        opened.append(reader)
        return reader

    yield make
    for reader in opened:
        await reader.close()


@pytest.fixture
async def reader(reader_of: OpenReader) -> RedisReader:
    """A reader with Redis's own clock."""
    return await reader_of()


@pytest.fixture
def captures(writer: redis.Redis) -> Captures:
    """The captures beside the repository; without them such a test is skipped."""
    if not CAPTURES.is_dir():
        pytest.skip(f"no captures at {CAPTURES}: they are not part of the repository")
    return Captures(CAPTURES, writer)
