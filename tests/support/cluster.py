"""A real cluster of several servers on 127.0.0.1, formed without redis-cli."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import redis
from redis.cluster import RedisCluster

from runqy_tui.model import Snapshot
from runqy_tui.model.credentials import Credentials
from runqy_tui.redis.connecting.connect import link_to
from runqy_tui.redis.connecting.target import RedisTarget, parse_url
from runqy_tui.redis.reader import RedisReader
from tests.support.captures import Clock
from tests.support.certificates import Certificates
from tests.support.servers import RealServer, free_port

SLOTS = 16384
NODE_TIMEOUT_MS = 5000
QUICK_MS = 1000
"""For those that are to fail over; a busy machine makes a shorter one flap."""

_DEADLINE_S = 30.0
_BUS_OFFSET = 10_000
_T = TypeVar("_T")


class Deployment:
    """Three primaries, and a replica for each place in ``replicas_of``.

    With ``certificates`` readers use TLS, while the test itself does without.
    """

    def __init__(
        self,
        binary: Path | None = None,
        replicas_of: Sequence[int] = (),
        certificates: Certificates | None = None,
        node_timeout_ms: int = NODE_TIMEOUT_MS,
        **options: str,
    ) -> None:
        settings = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(node_timeout_ms),
            "cluster-require-full-coverage": "no",
            "cluster-replica-validity-factor": "0",
            "repl-diskless-sync-delay": "0",
            "maxmemory": "64mb",
        }
        self._settings = settings | options
        self._stack = ExitStack()
        self._binary = binary
        self._certificates = certificates
        self._replicas_of = replicas_of
        self.primaries: list[RealServer] = []
        self.replicas: list[RealServer] = []

    def __enter__(self) -> Deployment:
        self.primaries = [self._server() for _ in range(3)]
        self.replicas = [self._server() for _ in self._replicas_of]
        for place, server in enumerate(self.primaries):
            first, last = self.slots(place)
            command(server, "CLUSTER", "SET-CONFIG-EPOCH", place + 1)
            command(server, "CLUSTER", "ADDSLOTSRANGE", first, last)
        for server in self.servers[1:]:
            command(self.primaries[0], "CLUSTER", "MEET", "127.0.0.1", self.port(server))
        until(lambda: all(_met(server, len(self.servers)) for server in self.servers))
        for replica, place in zip(self.replicas, self._replicas_of, strict=True):
            command(replica, "CLUSTER", "REPLICATE", node_id(self.primaries[place]))
        self.settle()
        for replica in self.replicas:
            until(partial(synchronised, replica))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def servers(self) -> list[RealServer]:
        """All of them."""
        return [*self.primaries, *self.replicas]

    def slots(self, place: int) -> tuple[int, int]:
        """First and last slot of a primary."""
        return place * SLOTS // 3, (place + 1) * SLOTS // 3 - 1

    def settle(self) -> None:
        """Wait until every node knows every other, and calls the cluster whole."""
        until(
            lambda: all(
                (facts := info(server))["cluster_state"] == "ok"
                and int(facts["cluster_known_nodes"]) == len(self.servers)
                for server in self.servers
            )
        )

    def writer(self) -> RedisCluster:
        """A client of the test's own."""
        return RedisCluster(host="127.0.0.1", port=self.primaries[0].port)

    def port(self, server: RealServer) -> int:
        """The port that a reader is to use: the TLS one where there is one."""
        return int(server.options.get("tls-port", server.port))

    def target(self, *servers: RealServer, timeout: float = 3.0) -> RedisTarget:
        """The way in by these servers, or by all."""
        named = ",".join(f"127.0.0.1:{self.port(server)}" for server in servers or self.servers)
        scheme, access = "redis+cluster", Credentials()
        if self._certificates is not None:
            scheme, access = "rediss+cluster", Credentials(tls_ca=self._certificates.ca)
        return parse_url(f"{scheme}://{named}", timeout, access)

    def reader(
        self,
        *servers: RealServer,
        timeout: float = 3.0,
        clock: Clock = lambda now: now,
        budget: int | None = None,
    ) -> RedisReader:
        """A reader by these servers, or by all; the caller closes it."""
        link = link_to(self.target(*servers, timeout=timeout))
        return RedisReader(link, clock, budget=budget)

    def owner(self, key: bytes | str) -> RealServer:
        """The primary that holds a key, by the first layout."""
        slot = redis.crc.key_slot(key if isinstance(key, bytes) else key.encode())
        return next(
            server
            for place, server in enumerate(self.primaries)
            if self.slots(place)[0] <= slot <= self.slots(place)[1]
        )

    def queue_on(self, server: RealServer, but: Sequence[str] = ()) -> str:
        """A queue name whose keys are on a primary."""
        return next(
            name
            for number in range(1000)
            if (name := f"q{number}") not in but and self.owner(f"{{{name}}}") is server
        )

    def _server(self) -> RealServer:
        server = RealServer(self._binary, self._settings)
        server.port = _port()
        if self._certificates is not None:
            chain, key = self._certificates.local
            server.options |= {
                "tls-port": str(_port()),
                "tls-cluster": "yes",  # or else TLS clients are sent to the other port
                "tls-replication": "yes",
                "tls-cert-file": str(chain),
                "tls-key-file": str(key),
                "tls-ca-cert-file": str(self._certificates.ca),
                "tls-auth-clients": "no",
            }
        return self._stack.enter_context(server)


def _port() -> int:
    """A free port that leaves room for that of the cluster bus."""
    while (port := free_port()) + _BUS_OFFSET > 65_535:
        pass
    return port


def command(server: RealServer, *args: Any) -> Any:
    """Ask one server, not following any redirection."""
    # Nothing but the command itself may show in what the server counts.
    with server.client(protocol=2, driver_info=None) as client:
        return client.execute_command(*args)


def accepted(server: RealServer, *args: Any) -> bool:
    """Whether a server takes a command at present."""
    try:
        command(server, *args)
    except redis.ResponseError:
        return False
    return True


def info(server: RealServer) -> dict[str, str]:
    """CLUSTER INFO of one server."""
    found: dict[str, str] = command(server, "CLUSTER INFO")
    return found


def node_id(server: RealServer) -> str:
    """How a node is called in its cluster."""
    found = command(server, "CLUSTER", "MYID")
    return found.decode() if isinstance(found, bytes) else str(found)


def _met(server: RealServer, others: int) -> bool:
    nodes: dict[str, dict[str, str]] = command(server, "CLUSTER NODES")
    flags = [node["flags"] for node in nodes.values()]
    return len(flags) == others and not any("handshake" in flag for flag in flags)


def role(server: RealServer) -> str:
    """``master`` or ``slave``."""
    return str(command(server, "INFO", "replication")["role"])


def until(holds: Callable[[], Any]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + _DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "never came about"
        time.sleep(0.02)


async def poll_until(
    ask: Callable[[], Awaitable[_T]], holds: Callable[[_T], bool], pause: float = 0.05
) -> tuple[_T, float]:
    """Ask until it holds; what was found, and how many seconds that took."""
    started = time.monotonic()
    while time.monotonic() - started < _DEADLINE_S:
        found = await ask()
        if holds(found):
            return found, time.monotonic() - started
        await asyncio.sleep(pause)
    raise AssertionError(f"never came about: {found}")


def counts(snapshot: Snapshot) -> dict[str, int | None]:
    """Pending tasks per queue."""
    return {queue.name: queue.counts.pending for queue in snapshot.queues}


def synchronised(replica: RealServer) -> bool:
    """Whether a replica has the data of its primary and follows it."""
    facts = command(replica, "INFO", "replication")
    return bool(facts.get("role") == "slave" and facts.get("master_link_status") == "up")
