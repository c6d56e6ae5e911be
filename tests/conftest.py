"""A real server for every test: one per session, emptied before each test that asks for it.

Tests look at it as the read-only user that ``runqy-tui acl`` prints, and a session in which that
user was refused anything fails in the end. Tests of refusals make users of their own.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import settings

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.redis.checkup import acl
from runqy_tui.redis.reader import RedisReader, open_reader
from tests.support import leftovers
from tests.support.captures import CAPTURES, Captures
from tests.support.permissions import login, refusals

settings.register_profile("runqy-tui", deadline=None)  # a busy machine is no failure
settings.load_profile("runqy-tui")


def pytest_configure() -> None:
    """Programs that tests interrupt find SIGINT as a terminal leaves it.

    A shell without job control has what runs in its background ignore SIGINT and SIGQUIT, and who
    is started inherits that.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice as many as there are processors: most tests wait for a server or a terminal."""
    return 2 * (os.cpu_count() or 1)


OpenReader = Callable[..., Awaitable[RedisReader]]


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails the session if a process, temporary file or socket of its tests outlives them."""
    tmp_path_factory.getbasetemp()  # pytest keeps that one: it must not be made in our folder
    with leftovers.nothing_is_left():
        yield
        gc.collect()


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The tests' own server, on a Unix socket in a fresh directory."""
    with EmbeddedServer() as embedded, redis.Redis.from_url(embedded.url) as admin:
        admin.config_set("acllog-max-len", 100_000)  # tests of refusals must not push ours out
        admin.execute_command(acl.set_user())
        admin.acl_setuser(acl.USER, nopass=True, enabled=True)  # a URL without a password
        yield embedded
        assert refusals(admin, acl.USER) == [], "the user of `runqy-tui acl` was refused these"


@pytest.fixture
def writer(server: EmbeddedServer) -> Iterator[redis.Redis]:
    """A client that writes what programs would have written, into an empty server."""
    client = redis.Redis.from_url(server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def redis_url(server: EmbeddedServer, writer: redis.Redis) -> str:
    """URL of the emptied server, for the read-only user."""
    return login(server.url, acl.USER)


@pytest.fixture
def bare_url(server: EmbeddedServer, writer: redis.Redis) -> str:
    """URL of the emptied server without a user, for tests that bring their own."""
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
    """Writes databases of real deployments into the emptied server."""
    return Captures(writer)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what compares with the captures themselves where they do not lie beside the clone."""
    if CAPTURES.is_dir():
        return
    missing = pytest.mark.skip(reason=f"no captures at {CAPTURES}: not part of the repository")
    for item in items:
        if item.get_closest_marker("captures"):
            item.add_marker(missing)
