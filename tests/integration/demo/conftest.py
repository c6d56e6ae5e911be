"""Fixtures of the demo's tests: real servers, and what the captures hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.simulated_fleet import SimulatedFleet
from runqy_tui.demo.simulation import World
from tests.support.captures import Database, Entry, databases

Dump = Database


@pytest.fixture(scope="session")
def captures() -> Callable[[str], list[Dump]]:
    """Databases of real programs whose names begin with ``runqy`` or ``asynq``."""
    return databases


@pytest.fixture(scope="session")
def dump() -> Callable[[Redis], Dump]:
    """Read a whole (small) database."""

    def read(client: Redis) -> Dump:
        found: Dump = {}
        readers: dict[str, Callable[[bytes], Any]] = {
            "string": client.get,
            "hash": client.hgetall,
            "list": lambda key: client.lrange(key.decode(), 0, -1),
            "set": lambda key: set(client.smembers(key.decode())),
            "zset": lambda key: dict(client.zscan_iter(key)),
        }
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            kind = kind.decode() if isinstance(kind, bytes) else kind
            if kind in readers:  # a key may expire between the two
                found[key] = Entry(kind, client.pttl(key) > 0, readers[kind](key))
        return found

    return read


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A running embedded server."""
    with EmbeddedServer() as running:
        yield running


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[Redis]:
    """A client of the embedded server."""
    with Redis.from_url(server.url) as connected:
        yield connected


@pytest.fixture(scope="session")
def play() -> Callable[..., SimulatedFleet]:
    """Play the fleet without waiting: simulated seconds pass as fast as they can be written."""

    def run(
        client: Redis, seconds: float, *, step: float = 0.5, at: float | None = None
    ) -> SimulatedFleet:
        world = World(client)
        begin = world.wall = float(int(time.time())) if at is None else at
        fleet = SimulatedFleet(world)
        fleet.write_initial_state()
        while world.t < seconds:
            world.t += step
            world.wall = begin + world.t
            fleet.step()
        return fleet

    return run
