"""Hostile text in every place that Redis has: nothing crashes, nothing reaches the terminal."""

from __future__ import annotations

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from tests.app.driving import SMALL, Hand, app_on, running, watching
from tests.support import hostile


@pytest.fixture
def hostile_url(writer: Redis, redis_url: str) -> str:
    """The hostile database."""
    hostile.fill(writer)
    return redis_url


def _tame(hand: Hand) -> None:
    assert hand.app.fault is None
    for line in hand.lines:
        assert line.isprintable(), repr(line)
    for notification in hand.notifications:
        assert notification.isprintable(), repr(notification)


async def _walk(hand: Hand, modal: str, tabs: int) -> None:
    """Look at every tab of every object of the list behind."""
    await hand.press("enter")
    await hand.opens(modal)
    objects = len(hand.front.table.rows)
    for tab in range(tabs):
        for _ in range(objects):
            await hand.until(lambda: hand.screen._loading.is_finished)  # type: ignore[attr-defined]
            _tame(hand)
            await hand.press("n" if tab % 2 == 0 else "N")
        await hand.press("y", "l")
        _tame(hand)
    await hand.press("escape")
    await hand.opens("MainScreen")


@pytest.mark.parametrize(
    ("pane", "modal", "tabs"), [("1", "WorkerModal", 4), ("2", "QueueModal", 3)]
)
async def test_every_name_in_panes_and_modals(
    hostile_url: str, pane: str, modal: str, tabs: int
) -> None:
    async with watching(app_on(hostile_url, interval=1)) as hand:
        await hand.press(pane)
        assert len(hand.front.table.rows) == len(hostile.NAMES) + (pane == "2")
        _tame(hand)
        await _walk(hand, modal, tabs)


async def test_every_task(hostile_url: str) -> None:
    async with watching(app_on(hostile_url, interval=1)) as hand:
        hand.tasks_pane.show_queue(QueueKey("all.default"))
        await hand.press("3")
        await hand.until(lambda: len(hand.tasks.rows) == len(hostile.NAMES))
        _tame(hand)
        await _walk(hand, "TaskModal", 5)
        await hand.press(*["l"] * 4)
        await hand.until(lambda: str(hand.tasks.selected).startswith("dead"))
        _tame(hand)


async def test_small_screen_filter_sort_and_notices(hostile_url: str) -> None:
    async with watching(app_on(hostile_url, interval=1), SMALL) as hand:
        for pane in ("1", "2", "3"):
            await hand.press(pane)
            _tame(hand)
            await hand.press("s", "s", "S", "slash", "x", "enter")
            _tame(hand)
            await hand.press("escape")
        await hand.press("w")
        await hand.opens("FindingsModal")
        await hand.sees("is not draining", "evidence")
        _tame(hand)


async def test_objects_that_vanish_are_named_tamely(writer: Redis, hostile_url: str) -> None:
    async with watching(app_on(hostile_url)) as hand:
        await hand.press("1")
        name = hand.workers.selected
        assert isinstance(name, str)
        raw = name.encode("utf-8", "surrogateescape")
        writer.zrem("asynq:workers", raw)
        writer.delete(b"asynq:workers:" + raw)
        await hand.sees(" was removed")
        _tame(hand)
        await hand.press("3")
        await hand.until(lambda: hand.tasks.selected is not None)
        shown = hand.tasks_pane.target
        assert shown is not None
        key = b"asynq:{" + shown.queue.name.encode("utf-8", "surrogateescape") + b"}:"
        writer.delete(key + b"pending")
        await hand.until(lambda: hand.tasks.gone is not None)
        await hand.sees("elsewhere in this list")
        _tame(hand)


async def test_what_is_typed_and_pasted_is_shown_tamely(hostile_url: str) -> None:
    from textual import events

    async with watching(app_on(hostile_url, interval=1)) as hand:
        for opener in ("slash", "i"):
            await hand.press(opener)
            hand.app.post_message(events.Paste("\x1b]52;c;eA==\x07[/x]\u202e\ud800\x9b"))
            await hand.until(lambda: "]52;c" in hand.text, "pasted")
            _tame(hand)
            await hand.press("enter")
            await hand.settle()
            _tame(hand)
            await hand.press("escape")
        assert hand.app.fault is None


async def test_an_error_of_the_server_is_shown_tamely(redis_url: str) -> None:
    url = "unix:///tmp/%1B%5D52%3Bc%3BeA%3D%3D%07%5B%2Fx%5D/none.sock"
    async with running(app_on(url)) as hand:
        await hand.sees("no such socket")
        _tame(hand)
        await hand.press("w")
        await hand.opens("FindingsModal")
        _tame(hand)
