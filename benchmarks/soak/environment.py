"""The demo behind a relay, and the faults of both."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.soak.relay import Relay
from runqy_tui.demo.demo_run import DemoRun
from runqy_tui.model.credentials import CLIENT_NAME

_PATIENCE_S = 3.0
_DONE = "asynq:{inference.default}:completed"


class SoakEnvironment:
    """Owns server, fleet and relay; the monitor uses :attr:`url`, which never changes."""

    def __init__(self, speed: float, rng: Random) -> None:
        self.relay = Relay()
        self.rng = rng
        self.restarts = 0
        self._speed = speed
        self._demo: DemoRun | None = None
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "frozen server": self._frozen,
            "connections killed": self._killed,
            "reset": self._reset,
            "cut within a reply": self._cut_within,
            "refused": self._refused,
            "silent link": self._silent,
            "40 ms away": lambda: self._slow(0.020),
            "400 ms away": lambda: self._slow(0.200),
            "password set": self._locked,
            "restarted empty": lambda: self._restarted(0.0),
            "away, then refilled": lambda: self._restarted(5.0),
        }

    @property
    def url(self) -> str:
        """URL of the relay."""
        return f"redis://127.0.0.1:{self.relay.own_port}/0"

    async def open(self) -> None:
        """Start everything; return when the fleet has written its history."""
        await self._start(wait=True)

    async def close(self) -> None:
        """Stop everything."""
        await self.relay.down()
        if self._demo is not None:
            await asyncio.to_thread(self._demo.stop)

    async def restart_fleet(self) -> bool:
        """Restart the fleet if it has ended; return whether it had."""
        if self._demo is not None and self._demo.problem() is None:
            return False
        await self._restarted(0.0)
        return True

    async def known_id(self) -> str:
        """The id of a task that exists or existed a moment ago."""
        return await asyncio.to_thread(self._ask, _first_id, "none")

    def _ask(self, question: Callable[[Redis], str], otherwise: str) -> str:
        try:
            with self._client() as client:
                return question(client)
        except (RedisError, OSError):
            return otherwise

    def _client(self) -> Redis:
        return Redis(port=self.relay.port, socket_timeout=_PATIENCE_S, decode_responses=True)

    async def _start(self, *, wait: bool) -> None:
        demo = DemoRun(speed=self._speed, seed=self.rng.randrange(1_000_000), tcp=True)
        await asyncio.to_thread(demo.start)
        self._demo = demo
        if wait:
            await asyncio.to_thread(demo.wait_ready, 20.0)
        await self.relay.up(urlsplit(demo.url).port)

    # Faults

    async def _frozen(self) -> None:
        assert self._demo is not None
        pid = self._demo.pids[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self.rng.uniform(1.0, 5.0))
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _killed(self) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            await asyncio.to_thread(self._ask, _kill_monitors, "")
            await asyncio.sleep(self.rng.uniform(0.1, 2.0))

    async def _reset(self) -> None:
        for _ in range(self.rng.randrange(1, 6)):
            self.relay.cut()
            await asyncio.sleep(self.rng.uniform(0.05, 1.0))

    async def _cut_within(self) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            self.relay.cut_after = self.rng.randrange(1, 20_000)
            await asyncio.sleep(3.0)
        self.relay.cut_after = None

    async def _refused(self) -> None:
        await self.relay.down()
        await asyncio.sleep(self.rng.uniform(0.5, 10.0))
        await self.relay.up()

    async def _silent(self) -> None:
        self.relay.silence(True)
        await asyncio.sleep(self.rng.uniform(1.0, 12.0))
        self.relay.silence(False)

    async def _slow(self, one_way_s: float) -> None:
        self.relay.delay_s = one_way_s
        await asyncio.sleep(self.rng.uniform(8.0, 15.0))
        self.relay.delay_s = 0.0

    async def _locked(self) -> None:
        client = self._client()
        try:
            await asyncio.to_thread(client.config_set, "requirepass", "soak")
            client.connection_pool.connection_kwargs["password"] = "soak"
            await asyncio.to_thread(_kill_monitors, client)
            await asyncio.sleep(self.rng.uniform(2.0, 6.0))
            await asyncio.to_thread(client.config_set, "requirepass", "")
        except (RedisError, OSError):
            await self._restarted(0.0)  # whether the password is still set is unknown
        finally:
            client.close()

    async def _restarted(self, empty_s: float) -> None:
        self.restarts += 1
        await self.relay.down()
        if self._demo is not None:
            with suppress(ProcessLookupError):
                os.kill(self._demo.pids[0], signal.SIGKILL)
            await asyncio.to_thread(self._demo.stop)
        await asyncio.sleep(self.rng.uniform(0.0, empty_s))
        await self._start(wait=empty_s > 0)


def _first_id(client: Redis) -> str:
    found = client.zrange(_DONE, -1, -1)
    return str(found[0]) if isinstance(found, list) and found else "none"


def _kill_monitors(client: Redis) -> str:
    for one in client.client_list():
        if one["name"] == CLIENT_NAME:
            client.client_kill_filter(_id=one["id"])
    return ""
