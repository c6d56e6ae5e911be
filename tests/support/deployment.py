"""A primary, a replica and the Sentinels that watch them: real servers, ready when made."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.servers import RealServer

SERVICE = "mymaster"
_DEADLINE_S = 20.0


class Deployment:
    """Started and stopped by ``with``; ``servers`` and ``sentinels`` are its processes."""

    def __init__(
        self,
        server: Path | None = None,
        sentinel: Path | None = None,
        *,
        sentinels: int = 1,
        options: Mapping[str, str] | None = None,
    ) -> None:
        quick = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
        self.servers = [RealServer(server, quick) for _ in range(2)]
        self.servers[1].options["replicaof"] = f"127.0.0.1 {self.servers[0].port}"
        self.sentinels = [
            RealServer(
                sentinel,
                {
                    "sentinel monitor": f"{SERVICE} 127.0.0.1 {self.servers[0].port} 1",
                    "sentinel down-after-milliseconds": f"{SERVICE} 300",
                    "sentinel failover-timeout": f"{SERVICE} 3000",
                    **(options or {}),
                },
                sentinel=True,
            )
            for _ in range(sentinels)
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Deployment:
        with self._stack:
            for server in self.servers:
                self._stack.enter_context(server)
            wait_for(lambda: _online(self.servers[0]))
            for sentinel in self.sentinels:
                self._stack.enter_context(sentinel)
            self.settle()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """For :data:`SERVICE`, with every Sentinel and no credentials."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def of_port(self, port: int) -> RealServer:
        """The server that listens there."""
        return next(server for server in self.servers if server.port == port)

    def ask(self, *command: str, sentinel: int = 0) -> Any:
        """A Sentinel's answer, as text."""
        watching = self.sentinels[sentinel]
        password = watching.options.get("requirepass")
        with watching.client(decode_responses=True, password=password) as client:
            return client.execute_command(*command)

    def primary(self, sentinel: int = 0) -> RealServer:
        """The primary by a Sentinel's word."""
        known = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE, sentinel=sentinel)
        return self.of_port(int(known[1]))

    def settle(self) -> None:
        """Wait until every Sentinel could fail over: it knows a replica, and its fellows."""
        wait_for(lambda: all(self._ready(index) for index in range(len(self.sentinels))))

    def _ready(self, sentinel: int) -> bool:
        fields = _fields(self.ask("SENTINEL", "MASTER", SERVICE, sentinel=sentinel))
        replicas = self.ask("SENTINEL", "REPLICAS", SERVICE, sentinel=sentinel)
        healthy = [_fields(one).get("master-link-status") == "ok" for one in replicas]
        fellows = int(fields["num-other-sentinels"]) == len(self.sentinels) - 1
        return fields["flags"] == "master" and fellows and any(healthy)


def wait_for(condition: Any) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the servers did not come to terms"
        time.sleep(0.02)


def _online(server: RealServer) -> bool:
    with server.client() as client:
        replica = client.info("replication").get("slave0")
    return isinstance(replica, dict) and replica["state"] == "online"


def _fields(reply: Any) -> dict[str, str]:
    if isinstance(reply, dict):
        return {str(name): str(value) for name, value in reply.items()}
    return dict(zip(reply[::2], reply[1::2], strict=True))
