"""A cursor key held down in the queues, with Redis some way off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from runqy_tui.model import QueueKey
from runqy_tui.tui.tables import coalescing_loader
from tests.app import scenes
from tests.app.driving import app_on, watching
from tests.support.proxy import Proxy
from tests.support.servers import RealServer

QUEUES = [f"held{number}.default" for number in range(5)]


@pytest.fixture
def far() -> Iterator[Proxy]:
    """Five queues, 40 ms away."""
    with RealServer() as server, server.client() as writer, Proxy(server.port) as proxy:
        for queue in QUEUES:
            scenes.many_pending(writer, queue, 3, name=queue + "-{}")
        proxy.up.delay_s = 0.04
        yield proxy


async def test_no_reading_is_broken_off_for_the_next_one(
    far: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coalescing_loader, "STUCK_S", 1_000.0)
    async with watching(app_on(far.url)) as hand:
        await hand.press("2")
        await hand.until(lambda: len(hand.queues.rows) == len(QUEUES), "all queues")
        tasks = hand.main.tasks_pane
        await hand.until(lambda: tasks.shown is not None, "tasks")
        await hand.polls()
        before = far.accepted
        for _ in range(4):
            for key in ("down",) * 4 + ("up",) * 4:
                hand.send(key)
                await asyncio.sleep(0.03)
        hand.send("down")
        await hand.settle()
        wanted = hand.queues.selected
        assert isinstance(wanted, QueueKey)
        await hand.until(lambda: tasks.shown == tasks.target, "the wanted tasks")
        assert tasks.target is not None
        assert tasks.target.queue == wanted
        assert far.accepted == before
