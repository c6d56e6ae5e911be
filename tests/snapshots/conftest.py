"""Fixtures of the snapshots: captures in a real server, seen at the moment they were taken."""

from __future__ import annotations

import locale
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from runqy_tui.config import Settings
from runqy_tui.model import Snapshot
from runqy_tui.redis.connect import link_to, parse_url
from runqy_tui.redis.source import RedisReader
from runqy_tui.tui.app import RunqyApp
from runqy_tui.tui.widgets import header
from tests.app.driving import Hand
from tests.support.captures import Captures, frozen_at

Look = Callable[[Hand], Awaitable[None]]
Shoot = Callable[[str, Look, tuple[int, int]], bool]


class StillReader(RedisReader):
    """The real reader, but for what differs from one machine and one poll to the next."""

    async def overview(self) -> Snapshot:
        seen = await super().overview()
        redis = replace(seen.redis, address="redis.internal:6379", version="7.2.4", elapsed_ms=3.0)
        return replace(seen, redis=redis)


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither the machine's locale, its zone nor the time that passes shows."""
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _=True: "UTF-8")
    monkeypatch.setattr(header, "monotonic", lambda: 0.0)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def shoot(
    captures: Captures, redis_url: str, snap_compare: Callable[..., bool]
) -> Callable[[str, Look, tuple[int, int]], bool]:
    """Load a capture, look at something of it, and compare with the picture that was accepted."""

    def compare(name: str, look: Look, size: tuple[int, int]) -> bool:
        clock = frozen_at(captures.load(name))

        async def open_reader() -> StillReader:
            return StillReader(link_to(parse_url(redis_url)), clock)

        async def prepare(pilot: Pilot[None]) -> None:
            hand = Hand(app, pilot)
            await hand.until(lambda: hand.live.snapshot is not None, "the first answer")
            await look(hand)
            await hand.settle()

        # With one poll only, nothing moves between the last key and the picture.
        app = RunqyApp(Settings(url=redis_url, interval_s=3600.0), open_reader)
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare
