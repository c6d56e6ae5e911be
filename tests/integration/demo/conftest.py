"""Fixtures of the demo's tests: real servers, and what the captures hold."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.simulated_fleet import SimulatedFleet
from runqy_tui.demo.simulation import World

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "captures"


@dataclass(frozen=True)
class Entry:
    """One key of a database: value as plain bytes, in lists, pairs or dicts."""

    kind: str
    expires: bool
    value: Any


Dump = dict[bytes, Entry]


def _raw(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"b64"}:
        return base64.b64decode(value["b64"])
    return value.encode() if isinstance(value, str) else value


def _value(kind: str, value: Any) -> Any:
    if kind == "string":
        return _raw(value)
    if kind == "hash":
        pairs = value.items() if isinstance(value, dict) else value
        return {_raw(name): _raw(item) for name, item in pairs}
    if kind == "zset":
        return {_raw(member): float(score) for member, score in value}
    return [_raw(item) for item in value]


def _load(path: Path) -> Dump:
    dump = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        value = _value(entry["type"], entry["value"])
        dump[_raw(entry["key"])] = Entry(entry["type"], entry["ttl_ms"] > 0, value)
    return dump


@pytest.fixture(scope="session")
def captures() -> Callable[[str], list[Dump]]:
    """Captures of real programs whose names begin with ``runqy`` or ``asynq``."""
    if not CAPTURES.is_dir():
        pytest.skip(f"no captures of real programs at {CAPTURES}")
    return lambda prefix: [_load(path) for path in sorted(CAPTURES.glob(f"{prefix}*.ndjson"))]


@pytest.fixture(scope="session")
def dump() -> Callable[[Redis], Dump]:
    """Read a whole (small) database."""

    def read(client: Redis) -> Dump:
        found: Dump = {}
        readers: dict[str, Callable[[bytes], Any]] = {
            "string": client.get,
            "hash": client.hgetall,
            "list": lambda key: client.lrange(key.decode(), 0, -1),
            "set": lambda key: sorted(client.smembers(key.decode())),
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
        fleet.begin()
        while world.t < seconds:
            world.t += step
            world.wall = begin + world.t
            fleet.step()
        return fleet

    return run
