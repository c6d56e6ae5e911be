"""Real servers to do harm to: one for what leaves it whole, others for what does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from runqy_tui.demo.embedded_server import find_server
from tests.pty.conftest import monitor  # noqa: F401  (a fixture)
from tests.support.proxy import Proxy
from tests.support.servers import RealServer


@pytest.fixture(scope="module")
def shared() -> Iterator[RealServer]:
    """One server for a module: each test leaves it as it was, but for its data."""
    with RealServer(find_server()) as server:
        yield server


@pytest.fixture
def backend(shared: RealServer) -> Iterator[redis.Redis]:
    """A client of the shared server, emptied."""
    with shared.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def mortal() -> Iterator[RealServer]:
    """A server of the test's own that is not running yet."""
    server = RealServer(find_server())
    try:
        yield server
    finally:
        server.__exit__(None, None, None)


@pytest.fixture
def proxy(shared: RealServer) -> Iterator[Proxy]:
    """A network before the shared server that can be made bad."""
    with Proxy(shared.port) as between:
        yield between
