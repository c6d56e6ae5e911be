"""The search window: text, place and part; hits that open, a search that stops."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.search import search_runner
from runqy_tui.tui.screens.search_modal import SearchModal
from runqy_tui.tui.screens.task_modal import TaskModal
from runqy_tui.tui.widgets.table import Table
from tests.app.driving import SMALL, Hand, app_on, keys_of, running, watching
from tests.support import dialect_writers

HOSTILE = "needle \x1b]52;c;aGk=\x07 [/x] [@click=app.quit]go[/] \x1b[2J \u202e"


def window(hand: Hand) -> SearchModal:
    found = [screen for screen in hand.app.screen_stack if isinstance(screen, SearchModal)]
    return found[0]


def hits(hand: Hand) -> Table:
    return window(hand).query_one(Table)


async def search(hand: Hand, text: str, *, everywhere: bool = True) -> None:
    await hand.press("F")
    await hand.opens("SearchModal")
    if everywhere:
        await hand.press("f2", "f2")
    await hand.type(text)
    await hand.press("enter")


def haystack(writer: Redis, queue: str, amount: int, payload: str = "needle") -> None:
    dialect_writers.queue(writer, queue)
    pipe = writer.pipeline(transaction=False)
    for number in range(amount):
        message = dialect_writers.message(type="t", id=f"h-{number}", queue=queue, payload=payload)
        pipe.hset(f"asynq:{{{queue}}}:t:h-{number}", mapping={"msg": message})
        pipe.lpush(f"asynq:{{{queue}}}:pending", f"h-{number}")
    pipe.execute()


async def test_a_hit_opens_like_any_task(scene_url: str) -> None:
    async with watching(app_on(scene_url), SMALL) as hand:
        await search(hand, "disk")
        await hand.sees("1 hit in", "dead-1", "boom: the disk is full", "cancel / close")
        assert hits(hand).has_focus
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("dead-1", "archived")
        await hand.press("escape")
        await hand.opens("SearchModal")
        await hand.press("escape")
        await hand.opens("MainScreen")


async def test_n_goes_on_to_a_hit_of_another_queue(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "-1")
        await hand.sees(" hits in 35 tasks")
        found = keys_of(hits(hand))[:4]
        await hand.press("g", "enter")
        await hand.opens("TaskModal")
        opened = []
        for _ in found:
            modal = hand.screen
            assert isinstance(modal, TaskModal)
            await hand.until(lambda modal=modal: modal._seen is not None, "read")  # type: ignore[misc]
            assert modal._seen is not None
            opened.append((modal._seen.id, modal._seen.queue))
            await hand.press("n")
        assert opened == found
        assert len({queue for _, queue in opened}) > 1


async def test_the_place_begins_with_the_list_behind(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: hand.tasks_pane.shown is not None)
        await search(hand, "disk", everywhere=False)
        await hand.sees(
            "this list: beta.default pending",
            "0 hits in 1 task",
            "No match in this list: beta.default pending. f2 widens the search.",
        )
        await hand.press("f2")
        await hand.sees("1 hit in 2 tasks", "dead-1")
        await hand.press("f3")
        await hand.sees("0 hits in 2 tasks")  # not in a payload
        await hand.press("f3")
        await hand.sees("1 hit in 2 tasks", "error")
        await hand.press(*["f3"] * 5)
        await hand.press("f2", "slash")
        await hand.press(*["backspace"] * 4)
        await hand.type("low-0")
        await hand.press("enter")
        await hand.sees("10 hits in")
        assert all(queue == QueueKey("alpha.low") for _, queue in keys_of(hits(hand)))


async def test_small_letters_find_capitals_and_not_the_other_way(
    writer: Redis, scene_url: str
) -> None:
    haystack(writer, "alpha.low", 1, "Some NEEDLE here")
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "needle")
        await hand.sees("1 hit in", "Some NEEDLE here")
        await hand.press("slash", *["backspace"] * 6)
        await hand.type("Needle")
        await hand.press("enter")
        await hand.sees("0 hits in")


async def test_escape_stops_reading_then_closes(
    writer: Redis, scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    haystack(writer, "alpha.low", 3_000)
    slow = search_runner.SearchRunner._hits
    calls: list[int] = []

    async def slower(self: Any, found: Any) -> Any:
        import asyncio

        calls.append(len(found))
        await asyncio.sleep(0.2)
        return await slow(self, found)

    monkeypatch.setattr(search_runner.SearchRunner, "_hits", slower)
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "needle")
        await hand.sees("of 3,0", "/s", " left", "Esc cancels")
        await hand.until(lambda: len(hits(hand).rows), "first hits before the end")
        await hand.press("escape")
        await hand.sees("stopped by you")
        await hand.until(lambda: not window(hand).searching)
        kept = len(hits(hand).rows)
        assert 0 < kept < 3_000
        done = len(calls)
        await hand.polls(2)
        assert (len(calls), len(hits(hand).rows)) == (done, kept)
        await hand.press("escape")
        await hand.opens("MainScreen")


async def test_closing_by_any_way_ends_the_connection(
    writer: Redis, scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    real = RedisReader.search

    async def watched(self: RedisReader, wanted: Any) -> Any:
        try:
            async for step in real(self, wanted):
                yield step
        finally:
            ended.append(True)

    monkeypatch.setattr(RedisReader, "search", watched)
    haystack(writer, "alpha.low", 5_000)
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "nothing-of-it")
        hand.app.pop_screen()
        await hand.until(lambda: ended, "the generator is closed")
        assert hand.app.fault is None


async def test_hostile_text_is_shown_as_text(writer: Redis, scene_url: str) -> None:
    haystack(writer, "alpha.low", 2, HOSTILE)
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "needle")
        await hand.sees("2 hits in", "needle ␛]52;c;")
        for line in hand.lines:
            assert line.isprintable(), repr(line)


async def test_the_most_hits_are_kept_and_said(
    writer: Redis, scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runqy_tui.tui.screens import search_modal as screen

    monkeypatch.setattr(screen, "MOST_HITS", 150)
    haystack(writer, "alpha.low", 400)
    async with watching(app_on(scene_url)) as hand:
        await search(hand, "needle")
        await hand.sees("150 hits in", "stopped at the limit")
        assert len(hits(hand).rows) == 150


async def test_without_a_connection_it_says_why() -> None:
    async with running(app_on("unix:///nowhere/redis.sock")) as hand:
        await search(hand, "abc", everywhere=False)
        await hand.sees("Search failed: ", "no such socket", "RUNQY_REDIS_URL. ")
