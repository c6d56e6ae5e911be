"""What every screen looks like, pixel by pixel, at two sizes. Update: ``--snapshot-update``."""

from __future__ import annotations

import locale
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from redis import Redis
from textual.pilot import Pilot
from textual.widgets import Input

from runqy_tui.config import Settings
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.tui.app import RunqyApp
from tests.app.driving import Hand
from tests.snapshots import fixed_scene

Way = Callable[[Hand], Awaitable[None]]
Compare = Callable[..., bool]

pytestmark = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time stands still, in UTC, and every terminal can show every sign."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for module in ("monitor.poller", "tui.widgets.header_bar"):
        monkeypatch.setattr(f"runqy_tui.{module}.monotonic", lambda: 1_000.0)
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _=True: "UTF-8")
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def looks(
    snap_compare: Compare, writer: Redis, redis_url: str, size: tuple[int, int]
) -> Callable[[Way], bool]:
    """Go somewhere in a fresh app and compare what is seen there."""
    fixed_scene.write(writer)

    def compare(way: Way) -> bool:
        async def run_before(pilot: Pilot[None]) -> None:
            assert isinstance(pilot.app, RunqyApp)
            hand = Hand(pilot.app, pilot)
            await hand.until(lambda: hand.live.snapshot is not None)
            await hand.until(lambda: len(hand.tasks.rows))
            await way(hand)
            for line in hand.screen.query(Input):
                line.cursor_blink = False
            await hand.settle()

        settings = Settings(url=redis_url, interval_s=3600, name="prod")
        app = RunqyApp(settings, lambda: fixed_scene.open_steady(redis_url))
        return snap_compare(app, terminal_size=size, run_before=run_before)

    return compare


async def _stay(hand: Hand) -> None:
    await hand.sees("upscale.default")


async def _archived(hand: Hand) -> None:
    """Open the latest failure."""
    await hand.press("3")
    hand.tasks_pane.show_queue(QueueKey("upscale.default"))
    hand.tasks_pane.show_state(TaskState.ARCHIVED)
    await hand.until(lambda: hand.tasks.selected == "dead0000-56f2")
    await hand.press("enter")
    await hand.sees("archived", "httpx.HTTPStatusError")


async def _worker(hand: Hand) -> None:
    await hand.press("1", "slash", *"25673", "enter")
    await hand.until(lambda: hand.workers.selected == "gpu-7:25673")
    await hand.press("enter")
    await hand.sees("degraded (heartbeat ok)", "cpu")


async def _queue(hand: Hand) -> None:
    await hand.press("2", "slash", *"low", "enter")
    await hand.until(lambda: hand.queues.selected == QueueKey("inference.low"))
    await hand.press("enter", "l")
    await hand.sees("2026-", "processed")


def test_main(looks: Callable[[Way], bool]) -> None:
    assert looks(_stay)


def test_task_overview(looks: Callable[[Way], bool]) -> None:
    assert looks(_archived)


def test_task_error(looks: Callable[[Way], bool]) -> None:
    async def way(hand: Hand) -> None:
        await _archived(hand)
        await hand.press("l", "l", "l")
        await hand.sees("pipeline.load")

    assert looks(way)


def test_worker(looks: Callable[[Way], bool]) -> None:
    assert looks(_worker)


def test_worker_log(looks: Callable[[Way], bool]) -> None:
    async def way(hand: Hand) -> None:
        await _worker(hand)
        await hand.press("h")
        await hand.sees("step 30 of 30")

    assert looks(way)


def test_queue_history(looks: Callable[[Way], bool]) -> None:
    assert looks(_queue)


def test_help(looks: Callable[[Way], bool]) -> None:
    async def way(hand: Hand) -> None:
        await hand.press("question_mark")
        await hand.sees("Global")

    assert looks(way)


def test_find(looks: Callable[[Way], bool]) -> None:
    async def way(hand: Hand) -> None:
        await hand.press("i", *"nowhere", "enter")
        await hand.sees("No queue has task nowhere.")

    assert looks(way)


def test_notices(looks: Callable[[Way], bool]) -> None:
    async def way(hand: Hand) -> None:
        await hand.press("w")
        await hand.sees("All findings")

    assert looks(way)
