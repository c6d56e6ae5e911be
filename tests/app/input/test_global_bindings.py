"""Every key that works on any screen: find, freeze, interval, copy, notices, leave."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from runqy_tui.config import INTERVALS_S
from runqy_tui.model import QueueKey
from runqy_tui.tui.copy_out import LIMIT_BYTES
from tests.app import scenes
from tests.app.driving import Hand, app_on, keys_of, running, watching
from tests.support import dialect_writers

# Find


async def test_i_finds_a_task_anywhere(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("i")
        await hand.opens("FindModal")
        await hand.sees("Find a task by id", "Searches every queue and state.")
        await hand.type("dead-1")
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("dead-1", "archived", "boom: the disk is full")
        await hand.press("escape")
        assert hand.screen is hand.main, "the question does not come back"


async def test_i_says_when_no_queue_has_the_task(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("i", "enter")
        await hand.sees("Searches every queue and state.")
        await hand.type("nope")
        await hand.press("enter")
        await hand.sees("No queue has task nope.")
        await hand.press(*["backspace"] * 4)
        await hand.type("low-07")
        await hand.press("enter")
        await hand.opens("TaskModal")


async def test_i_works_on_top_of_a_modal(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("1", "enter")
        await hand.opens("WorkerModal")
        await hand.press("i")
        await hand.type("low-07")
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.press("escape")
        await hand.opens("WorkerModal")


async def test_i_says_why_while_there_is_no_connection() -> None:
    async with running(app_on("unix:///nowhere/redis.sock")) as hand:
        await hand.press("i")
        await hand.type("low-07")
        await hand.press("enter")
        await hand.sees("no such socket")
        await hand.press("escape")
        await hand.opens("MainScreen")


async def test_the_keys_of_the_app_are_letters_in_a_question(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("i")
        await hand.type("qpzi")
        assert hand.app.is_running
        assert not hand.app.session.store.frozen
        await hand.sees("qpzi")


# Freeze


async def test_p_holds_the_picture_while_polls_go_on(writer: Redis, scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        await hand.press("p")
        frozen = hand.app.session.view
        assert frozen.snapshot is not None
        assert re.search(r"FROZEN since \d\d:\d\d:\d\d \(\d+s\)", hand.text)
        dialect_writers.pending(writer, "beta.default", "beta-2", "beta-3")
        scenes.lost(writer, "another:9", dialect_writers.now_of(writer) - 50)
        await hand.until(lambda: _pending(hand, "beta.default") == 3)
        await hand.polls()
        assert hand.app.session.view is frozen
        assert keys_of(hand.tasks) == ["beta-1"]
        assert len(hand.workers.rows) == 3
        assert "pending 1 │" in hand.text
        await hand.press("p")
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1", "beta-2", "beta-3"])
        await hand.sees("pending 3 │", "another:9", "live · data")
        await hand.misses("FROZEN")


def _pending(hand: Hand, queue: str) -> int | None:
    """What the latest poll saw, shown or not."""
    seen = hand.live.snapshot
    found = seen.queue(QueueKey(queue)) if seen is not None else None
    return None if found is None else found.counts.pending


async def test_p_holds_a_modal_too(writer: Redis, scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("enter")
        await hand.opens("QueueModal")
        await hand.sees("1 pending")
        await hand.press("p")
        assert hand.app.session.store.frozen
        dialect_writers.pending(writer, "beta.default", "beta-2")
        await hand.polls(3)
        assert "1 pending" in hand.text
        await hand.press("p")
        await hand.sees("2 pending")


async def test_p_before_the_first_answer_freezes_nothing() -> None:
    async with running(app_on("unix:///nowhere/redis.sock")) as hand:
        await hand.press("p")
        assert not hand.app.session.store.frozen


# Interval


async def test_plus_and_minus_change_the_interval(scene_url: str) -> None:
    async with watching(app_on(scene_url, interval=2)) as hand:
        for key, seconds in (("plus", 1.0), ("plus", 0.5), ("plus", 0.5), ("minus", 1.0)):
            await hand.press(key)
            assert hand.poller.interval_s == seconds
            await hand.hears(f"Polling every {seconds:g} s.")
        for _ in INTERVALS_S:
            await hand.press("minus")
        assert hand.poller.interval_s == INTERVALS_S[-1]
        await hand.press("equals_sign")
        assert hand.poller.interval_s == INTERVALS_S[-2]


@pytest.mark.parametrize(("interval", "key"), [(0.2, "plus"), (3600.0, "minus")])
async def test_the_interval_never_moves_the_other_way(
    scene_url: str, interval: float, key: str
) -> None:
    async with watching(app_on(scene_url, interval=interval)) as hand:
        await hand.press(key)
        assert hand.poller.interval_s == interval


# Copy


async def test_y_copies_the_id_or_name(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        for pane, name in (("1", "sick:2"), ("2", "beta.default"), ("3", "beta-1")):
            await hand.press(pane, "y")
            assert hand.app.clipboard == name
            await hand.hears(f"Copied {name}")
            await hand.press("enter", "y")
            assert hand.app.clipboard == name
            await hand.press("escape")


async def test_y_with_nothing_selected_says_so(redis_url: str) -> None:
    async with watching(app_on(redis_url)) as hand:
        await hand.press("y")
        await hand.hears("Nothing selected to copy.")
        assert hand.app.clipboard == ""


async def test_y_copies_a_hostile_id_as_it_is_and_shows_it_tamed(
    writer: Redis, redis_url: str
) -> None:
    name = b"\x1b]52;c;eA==\x07[/x]\xff\xed\xa0\x80"
    dialect_writers.queue(writer, name)
    async with watching(app_on(redis_url)) as hand:
        await hand.press("y")
        assert hand.app.clipboard == name.decode("utf-8", "replace")
        (notification,) = hand.notifications
        assert notification.startswith("Copied ␛]52;c;eA==␇[/x]")
        assert notification.isprintable()
        await hand.pilot.pause(0.2)
        await hand.sees("Copied ␛]52")


async def test_y_refuses_what_the_terminal_would_drop(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "q" * (LIMIT_BYTES + 1))
    async with watching(app_on(redis_url)) as hand:
        await hand.press("y")
        await hand.hears(f"Too large to copy through the terminal: {LIMIT_BYTES + 1:,} bytes")
        assert hand.app.clipboard == ""


# What is wrong


async def test_w_lists_everything_that_is_wrong(writer: Redis, scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("w")
        await hand.opens("FindingsModal")
        await hand.sees("worker lost:3 is lost", "worker sick:2 is degraded", "beta.default is")
        await hand.sees("evidence", "asynq:workers:sick:2  healthy = 0", "restart runqy-worker on")
        scenes.lost(writer, "late:5", dialect_writers.now_of(writer) - 50)
        await hand.sees("worker late:5 is lost")
        for key in ("escape", "w", "q"):
            if hand.screen is hand.main:
                await hand.press("w")
            await hand.press(key)
            assert hand.screen is hand.main, key


async def test_the_notice_line_opens_the_list(redis_url: str, writer: Redis) -> None:
    dialect_writers.queue(writer, "a.default")
    writer.lpush("asynq:workers:odd", "no hash")
    writer.zadd("asynq:workers", {"odd": dialect_writers.now_of(writer) + 1800})
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("asynq:workers:odd")
        await hand.pilot.click("NoticeLine")
        await hand.opens("FindingsModal")


async def test_a_healthy_fleet_is_one_quiet_line(writer: Redis, redis_url: str) -> None:
    dialect_writers.worker(writer, "fine:1", dialect_writers.now_of(writer), "map[a.default:1]")
    dialect_writers.queue(writer, "a.default")
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("No problems: 1 worker, 1 queue.")
        await hand.press("w")
        await hand.sees("No problems: 1 worker, 1 queue.")


# Leave


@pytest.mark.parametrize(
    ("opener", "key"),
    [
        *(("", "q"), ("enter", "q")),
        *(("", "ctrl+c"), ("enter", "ctrl+c"), ("i", "ctrl+c"), ("slash", "ctrl+c")),
        *(("", "ctrl+q"), ("w", "ctrl+q")),
    ],
)
async def test_leaving(scene_url: str, opener: str, key: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        if opener:
            await hand.press(opener)
        hand.send(key)
        await hand.until(lambda: not hand.app.is_running, "left")
    assert hand.app.return_code == 0
