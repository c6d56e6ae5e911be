"""Failures as the user meets them: the program in a terminal, over a network that fails."""

from __future__ import annotations

import redis

from tests.app import scenes
from tests.pty.conftest import Monitor
from tests.support.proxy import Proxy


def test_half_open_then_mended_then_left(
    monitor: Monitor, proxy: Proxy, backend: redis.Redis
) -> None:
    scenes.small_fleet(backend)
    seen = monitor.watch(proxy.url, "--interval", "0.5", "--timeout", "0.5")
    seen.sees("sick:2", "beta-1")
    proxy.swallow(True)
    seen.sees("✖ connection lost · data ", "does not answer within 0.5 s: it is frozen, overloaded")
    seen.sees("sick:2", "beta-1")
    seen.press("p")
    seen.sees("✖ connection lost · FROZEN since")
    seen.press("p")
    proxy.swallow(False)
    seen.sees("live · data")
    proxy.down.delay_s = 5.0
    seen.sees("✖ connection lost · data ")
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()
    assert b"Traceback" not in seen.raw
