"""What a failure looks like in the app: old data with their age, a sentence, and keys that work."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import redis

from runqy_tui.config import Settings
from runqy_tui.monitor import poller as polling
from runqy_tui.redis.reader import open_reader
from runqy_tui.tui.app import RunqyApp
from tests.app import scenes
from tests.app.driving import Hand, watching
from tests.faults.test_fault_clock import HOURS, setting
from tests.faults.test_fault_server import busy
from tests.support import dialect_writers
from tests.support.proxy import Proxy
from tests.support.servers import RealServer

PANES = ("1 Workers", "2 Queues", "3 Tasks", "sick:2", "beta.default")


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "BACKOFF_FIRST_S", 0.05)
    monkeypatch.setattr(polling, "BACKOFF_LIMIT_S", 0.2)


@asynccontextmanager
async def screen(url: str, patience_s: float = 0.5) -> AsyncIterator[Hand]:
    """The app on this URL, with a first answer on screen."""
    settings = Settings(url=url, interval_s=0.2, timeout_s=patience_s)
    app = RunqyApp(settings, lambda: open_reader(url, timeout=patience_s))
    async with watching(app, (120, 60)) as hand:
        await hand.sees(*PANES)
        yield hand


async def seen_lost(hand: Hand, sentence: str) -> None:
    """The failure shows, and so do the last good data."""
    await hand.sees("✖ connection lost · data ", sentence, *PANES)


async def lost(hand: Hand, sentence: str) -> None:
    """The same; the data age, and the keys go on."""
    await seen_lost(hand, sentence)
    await hand.until(lambda: _age(hand) >= 1, "the data age")
    await hand.press("1", "j", "z", "w")
    await hand.sees("All findings", sentence[:40], "Data as of ")
    await hand.press("escape", "z", "2")
    await hand.sees(*PANES)


def _age(hand: Hand) -> int:
    found = re.search(r"connection lost · data (\d+)s old", hand.lines[0])
    return int(found[1]) if found else 0


Harm = Callable[[Proxy], None]


def silence(proxy: Proxy) -> None:
    proxy.swallow(True)


def cuts(proxy: Proxy) -> None:
    proxy.refuse = True
    proxy.cut()


def mend(proxy: Proxy) -> None:
    proxy.swallow(False)
    proxy.refuse = False


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (silence, "does not answer within 0.5 s: it is frozen, overloaded or far away."),
        (cuts, "closed the connection: it restarted, or was cut off."),
    ],
)
async def test_the_network_fails(
    proxy: Proxy, backend: redis.Redis, harm: Harm, sentence: str
) -> None:
    scenes.small_fleet(backend)
    async with screen(proxy.url) as hand:
        harm(proxy)
        await (lost if harm is silence else seen_lost)(hand, sentence)
        mend(proxy)
        await hand.sees("live · data", *PANES)
        await hand.misses("connection lost", sentence)


async def test_a_busy_server(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    backend.config_set("busy-reply-threshold", 20)
    async with screen(shared.url) as hand:
        with busy(shared):
            await seen_lost(hand, "is busy with a script: it answers nothing else until that ends.")
        await hand.sees("live · data", *PANES)


async def test_a_lost_connection_shows_through_a_frozen_screen(
    proxy: Proxy, backend: redis.Redis
) -> None:
    scenes.small_fleet(backend)
    async with screen(proxy.url) as hand:
        await hand.press("p")
        await hand.sees("FROZEN since")
        await hand.misses("connection lost")
        cuts(proxy)
        await hand.sees("✖ connection lost · FROZEN since", "closed the connection", *PANES)
        mend(proxy)
        await hand.sees("FROZEN since")
        await hand.misses("connection lost", "closed the connection")
        cuts(proxy)
        await hand.sees("✖ connection lost · FROZEN since")
        await hand.press("p")
        await hand.sees("✖ connection lost · data ", *PANES)
        mend(proxy)
        await hand.sees("live · data")


async def test_replies_400_ms_late_are_told_by_the_header(
    proxy: Proxy, backend: redis.Redis
) -> None:
    scenes.small_fleet(backend)
    async with screen(proxy.url, patience_s=3.0) as hand:
        proxy.down.delay_s = 0.4
        await hand.until(lambda: re.search(r" [4-9]\d\d ms · 1 trip", hand.lines[0]), "the delay")
        assert "live · data" in hand.lines[0]
        assert "✖ connection" not in hand.text
        await hand.press("1", "j", "2")
        proxy.down.delay_s = 0.0
    assert proxy.most <= 4


async def test_a_forbidden_command_is_named(shared: RealServer, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    dialect_writers.allow(backend, "few", "on >pw ~asynq:* +@all -mget -hstrlen")
    async with screen(shared.url.replace("//", "//few:pw@")) as hand:
        await hand.press("w")
        await hand.sees("does not let this user run MGET (NOPERM)", "Task checks skipped")
        await hand.press("escape", "3")
        await hand.sees("does not let this user run HSTRLEN (NOPERM)", "live · data", *PANES)


async def test_a_clock_that_is_set_is_told(proxy: Proxy, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    async with screen(proxy.url) as hand:
        proxy.down.change = setting(-HOURS)
        await hand.press("w")
        await hand.sees("Redis's clock went back by 3h between two polls")
        assert not re.search(r"-\d+s|\(-", hand.text)
        await hand.press("escape")
        await hand.sees("live · data", *PANES)
        assert not re.search(r" -\d+[smhd]\b", hand.text)
