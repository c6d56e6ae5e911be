"""Keys that come together, as over a link that stutters: each finds what the last one has done."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from textual.events import Paste

from runqy_tui.model import QueueKey
from runqy_tui.tui.input import key_queue
from runqy_tui.tui.input.key_queue import KeyBarrier, KeyQueue
from runqy_tui.tui.screens.alerts_modal import AlertsModal
from runqy_tui.tui.screens.task_modal import TaskModal
from tests.app.driving import Hand, app_on, keys_of, watching


def send(hand: Hand, *keys: str) -> None:
    for key in keys:
        hand.send(key)


async def test_what_is_typed_behind_a_slash_is_the_filter(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        send(hand, "slash", *"alph")
        await hand.until(lambda: hand.front.needle == "alph")
        assert keys_of(hand.queues) == [QueueKey("alpha.high"), QueueKey("alpha.low")]
        assert hand.screen is hand.main
        send(hand, "enter", "j", "3", "j", "a")
        await hand.until(lambda: isinstance(hand.screen, AlertsModal))
        assert hand.queues.selected == QueueKey("alpha.low")
        assert hand.front is hand.tasks_pane


async def test_what_is_typed_behind_find_is_the_id(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        send(hand, "i", *("minus" if char == "-" else char for char in "beta-1"), "enter")
        await hand.until(lambda: isinstance(hand.screen, TaskModal))
        await hand.sees("beta-1")
        send(hand, "escape", "1", "escape", "slash", "q")
        await hand.until(lambda: hand.front.needle == "q")
        assert hand.app.is_running


async def test_what_is_pasted_stays_in_its_place(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        driver = hand.app._driver
        assert driver is not None
        send(hand, "slash", "a")
        driver.send_message(Paste("lpha.l"))
        send(hand, "o", "w")
        await hand.until(lambda: hand.front.needle == "alpha.low")


async def test_many_at_once_lose_none(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        send(hand, "3", *["j"] * 25, *["k"] * 4, "slash")
        await hand.until(lambda: hand.tasks_pane.filtering)
        assert hand.tasks.selected == "low-21"


async def test_a_window_that_closes_itself_keeps_no_key(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        for _ in range(5):
            send(hand, "a", "escape", "e", "escape", "question_mark", "escape", "ctrl+p", "escape")
        send(hand, "1")
        await hand.until(lambda: hand.front is hand.main.workers_pane)
        assert hand.screen is hand.main


async def test_what_is_never_through_holds_up_nobody_for_long(
    scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the widget that had the focus is taken away with the key in its queue."""

    def lost(_self: KeyQueue, _mark: KeyBarrier) -> None:
        """Nobody hears of it."""

    monkeypatch.setattr(KeyQueue, "passed", lost)
    async with watching(app_on(scene_url)) as hand:
        began = monotonic()
        send(hand, "1", "3", "2")
        await asyncio.sleep(0.05)
        assert hand.front is hand.main.workers_pane
        await hand.until(lambda: hand.front is hand.tasks_pane)
        await hand.until(lambda: hand.front is hand.main.queues_pane)
        assert monotonic() - began >= 2 * key_queue.TIMEOUT_S * 0.9
