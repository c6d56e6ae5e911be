"""The task modal: every tab, what changes while it is open, and its keys."""

from __future__ import annotations

import json
from time import process_time

from redis import Redis

from tests.app import scenes
from tests.app.driving import Hand, app_on, watching
from tests.support import dialect_writers

BINARY = bytes(range(256)) * 8


# What it shows


async def test_the_overview_says_it_all(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.sees("pending for 1m 1", "a.default", "resize", "2 of 4", "1m 30s")
        await hand.sees("header        trace: abc-123")
        await hand.sees('"prompt": "a red bicycle"', "ValueError: the image has no alpha channel")


async def test_each_tab_shows_its_value(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.sees("Payload ●", "Result ●", "Error ●", "Raw 5")
        seen = (
            ('  "big": 12345678901234567890', "{"),
            ('  "ok": true', "{"),
            ('File "/srv/handler.py", line 7, in handle', "ValueError: the image"),
            ("error_msg (", "pending_since ("),
        )
        for parts in seen:
            await hand.press("right_square_bracket")
            await hand.sees(*parts)
        await hand.press("l")
        await hand.sees("2 of 4")
        await hand.press("left_square_bracket", "left")
        await hand.sees("ValueError: the image")


async def test_a_click_chooses_a_tab(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.sees("Error ●")
        (line,) = (line for line in hand.lines if "Error ●" in line)
        await hand.pilot.click(offset=(line.index("Error ●"), hand.lines.index(line)))
        await hand.sees('File "/srv/worker.py", line 12')


async def test_nothing_is_said_where_there_is_nothing(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    message = dialect_writers.message(type="t", id="bare", queue="a.default")
    dialect_writers.task(writer, "a.default", "bare", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "bare")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("bare")
        await hand.sees("pending since an unknown time")
        for part in ("Empty (0 bytes).", "No result stored.", "No error text stored."):
            await hand.press("l")
            await hand.sees(part)


async def test_binary_is_shown_as_hex(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    message = dialect_writers.message(type="t", id="bin", queue="a.default", payload=BINARY)
    dialect_writers.task(writer, "a.default", "bin", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "bin")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("bin")
        await hand.press("l")
        await hand.sees("0000  00 01 02 03 04 05 06 07  08 09", "0040  40 41", "@ABCDEFGHIJKLMNO")
        await hand.press("G")
        await hand.sees("07f0  f0 f1 f2 f3")


async def test_an_undecodable_msg_is_shown_as_such(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    dialect_writers.task(writer, "a.default", "odd", state="pending", msg=b"\xff\xff\x07garbage")
    writer.lpush("asynq:{a.default}:pending", "odd")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.sees("msg cannot be decoded")
        await hand.open_task("odd")
        await hand.sees("msg cannot be decoded; tab Raw shows its bytes")
        await hand.press("h")
        await hand.sees("0000  ff ff 07 67 61 72 62 61  67 65", "...garbage")


async def test_ten_megabytes_open_at_once_and_say_what_is_cut(
    writer: Redis, redis_url: str
) -> None:
    dialect_writers.queue(writer, "a.default")
    big = json.dumps({"blob": "x" * 10_000_000})
    message = dialect_writers.message(type="t", id="big", queue="a.default", payload=big)
    dialect_writers.task(
        writer, "a.default", "big", state="pending", msg=message, result="y" * 10_000_000
    )
    writer.lpush("asynq:{a.default}:pending", "big")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("big")
        await hand.sees("9.5 MiB (first 256 KiB read)")
        for title in ("Payload", "Result"):
            started = process_time()
            await hand.press("l")
            await hand.sees("First 256 KiB of 9.5 MiB:")
            assert process_time() - started < 1.0, title
        for key in ("G", "g", "pagedown", "W", "W"):
            started = process_time()
            await hand.press(key)
            assert process_time() - started < 1.0, key
        await hand.polls()


# What changes while it is open


async def test_a_change_of_state_is_named(writer: Redis, task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.sees("pending for 1m 1")
        scenes.move(writer, "a.default", "the-task", "pending", "active")
        await hand.sees("active; lease expires in", "(was pending until ")
        scenes.move(writer, "a.default", "the-task", "active", "completed")
        writer.hset("asynq:{a.default}:t:the-task", "result", '{"made":"a picture"}')
        await hand.sees("completed", "(was active until ")
        await hand.press("l", "l")
        await hand.sees('"made": "a picture"')


async def test_a_task_that_vanishes_keeps_its_last_picture(writer: Redis, task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.sees("pending for 1m 1")
        writer.delete("asynq:{a.default}:t:the-task")
        await hand.sees("no longer in Redis since ", "last state: pending", "a red bicycle")
        await hand.polls()
        await hand.press("l")
        await hand.sees('  "prompt": "a red bicycle"')


async def test_an_id_without_a_hash_says_so(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    writer.lpush("asynq:{a.default}:pending", "ghost")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.sees("no task data")
        await hand.open_task("ghost")
        await hand.sees("not in Redis: only its id is listed")


async def test_an_orphan_is_named(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    dialect_writers.task(writer, "a.default", "orphan", state="active")
    writer.lpush("asynq:{a.default}:active", "orphan")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("orphan")
        await hand.sees("orphaned: active without a lease", "orphaned")


async def test_a_text_keeps_its_place_while_the_task_is_refreshed(
    writer: Redis, redis_url: str
) -> None:
    dialect_writers.queue(writer, "a.default")
    text = "\n".join(f"line {at}" for at in range(500))
    message = dialect_writers.message(type="t", id="long", queue="a.default", payload=text)
    dialect_writers.task(writer, "a.default", "long", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "long")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("long")
        await hand.press("l", "ctrl+d", "ctrl+d", "j")
        before = _inside(hand)
        scenes.move(writer, "a.default", "long", "pending", "active")
        await hand.sees("was pending until")
        await hand.polls()
        assert _inside(hand) == before


def _inside(hand: Hand) -> list[str]:
    """Lines of the text, without what is behind the modal."""
    return [line[8:100] for line in hand.lines if "line " in line]
