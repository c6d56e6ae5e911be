"""The task modal: every tab, what changes while it is open, and its keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from time import perf_counter

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from tests.app import scenes
from tests.app.driving import SMALL, Hand, app_on, watching
from tests.support import fleet

TRACEBACK = """Traceback (most recent call last):
  File "/srv/worker.py", line 12, in run
    return handle(payload)
  File "/srv/handler.py", line 7, in handle
    raise ValueError("the image has no alpha channel")
ValueError: the image has no alpha channel
"""
PAYLOAD = {"prompt": "a red bicycle", "steps": 30, "big": 12345678901234567890}
BINARY = bytes(range(256)) * 8


@pytest.fixture
def task_url(writer: Redis, redis_url: str) -> str:
    """One pending task that carries everything a task may carry."""
    fleet.queue(writer, "a.default")
    message = fleet.message(
        type="resize",
        id="the-task",
        queue="a.default",
        payload=json.dumps(PAYLOAD),
        retry=3,
        retried=1,
        timeout=90,
        headers=[{"key": b"trace", "value": b"abc-123"}],
    )
    extra = {"state": "pending", "result": '{"ok":true}', "error_msg": TRACEBACK}
    extra["pending_since"] = str(int((fleet.now_of(writer) - 70) * 1e9))
    fleet.task(writer, "a.default", "the-task", msg=message, **extra)
    writer.lpush("asynq:{a.default}:pending", "the-task")
    return redis_url


async def _open(hand: Hand, task_id: str = "the-task") -> None:
    await hand.press("3")
    await hand.until(lambda: hand.tasks.selected == task_id)
    await hand.press("enter")
    await hand.opens("TaskModal")
    await hand.sees(task_id)


# What it shows


async def test_the_overview_says_it_all(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        await hand.sees("pending for 1m 1", "a.default", "resize", "1 retried of 3", "1m 30s")
        await hand.sees("header        trace: abc-123")
        await hand.sees('"prompt": "a red bicycle"', "ValueError: the image has no alpha channel")


async def test_each_tab_shows_its_value(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
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
        await hand.sees("1 retried of 3")
        await hand.press("left_square_bracket", "left")
        await hand.sees("ValueError: the image")


async def test_a_click_chooses_a_tab(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        await hand.sees("Error ●")
        (line,) = (line for line in hand.lines if "Error ●" in line)
        await hand.pilot.click(offset=(line.index("Error ●"), hand.lines.index(line)))
        await hand.sees('File "/srv/worker.py", line 12')


async def test_nothing_is_said_where_there_is_nothing(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    message = fleet.message(type="t", id="bare", queue="a.default")
    fleet.task(writer, "a.default", "bare", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "bare")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "bare")
        await hand.sees("pending; nothing says since when")
        for part in ("Empty: 0 bytes.", "No result is stored.", "No error text is stored."):
            await hand.press("l")
            await hand.sees(part)


async def test_binary_is_shown_as_hex(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    message = fleet.message(type="t", id="bin", queue="a.default", payload=BINARY)
    fleet.task(writer, "a.default", "bin", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "bin")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "bin")
        await hand.press("l")
        await hand.sees("0000  00 01 02 03 04 05 06 07  08 09", "0040  40 41", "@ABCDEFGHIJKLMNO")
        await hand.press("G")
        await hand.sees("07f0  f0 f1 f2 f3")


async def test_an_undecodable_msg_is_shown_as_such(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    fleet.task(writer, "a.default", "odd", state="pending", msg=b"\xff\xff\x07garbage")
    writer.lpush("asynq:{a.default}:pending", "odd")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.sees("msg cannot be decoded")
        await _open(hand, "odd")
        await hand.sees("msg cannot be decoded: see tab Raw for its bytes")
        await hand.press("h")
        await hand.sees("0000  ff ff 07 67 61 72 62 61  67 65", "...garbage")


async def test_ten_megabytes_open_at_once_and_say_what_is_cut(
    writer: Redis, redis_url: str
) -> None:
    fleet.queue(writer, "a.default")
    big = json.dumps({"blob": "x" * 10_000_000})
    message = fleet.message(type="t", id="big", queue="a.default", payload=big)
    fleet.task(writer, "a.default", "big", state="pending", msg=message, result="y" * 10_000_000)
    writer.lpush("asynq:{a.default}:pending", "big")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "big")
        await hand.sees("9.5 MiB (first 256 KiB read)")
        for title in ("Payload", "Result"):
            started = perf_counter()
            await hand.press("l")
            await hand.sees("First 256 KiB of 9.5 MiB:")
            assert perf_counter() - started < 1.0, title
        for key in ("G", "g", "pagedown", "W", "W"):
            started = perf_counter()
            await hand.press(key)
            assert perf_counter() - started < 1.0, key
        await hand.polls()


# What changes while it is open


async def test_a_change_of_state_is_named(writer: Redis, task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        scenes.move(writer, "a.default", "the-task", "pending", "active")
        await hand.sees("active; its lease ends in", "(was pending until ")
        scenes.move(writer, "a.default", "the-task", "active", "completed")
        writer.hset("asynq:{a.default}:t:the-task", "result", '{"made":"a picture"}')
        await hand.sees("completed", "(was active until ", "a picture")


async def test_a_task_that_vanishes_keeps_its_last_picture(writer: Redis, task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        writer.delete("asynq:{a.default}:t:the-task")
        await hand.sees("gone from Redis since ", "it was pending", "a red bicycle")
        await hand.polls()
        await hand.press("l")
        await hand.sees('  "prompt": "a red bicycle"')


async def test_an_id_without_a_hash_says_so(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    writer.lpush("asynq:{a.default}:pending", "ghost")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.sees("no data: the task's hash is gone")
        await _open(hand, "ghost")
        await hand.sees("gone from Redis: only its id is still listed")


async def test_an_orphan_is_named(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    fleet.task(writer, "a.default", "orphan", state="active")
    writer.lpush("asynq:{a.default}:active", "orphan")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "orphan")
        await hand.sees("nobody holds a lease on it", "orphaned")


async def test_a_text_keeps_its_place_while_the_task_is_refreshed(
    writer: Redis, redis_url: str
) -> None:
    fleet.queue(writer, "a.default")
    text = "\n".join(f"line {at}" for at in range(500))
    message = fleet.message(type="t", id="long", queue="a.default", payload=text)
    fleet.task(writer, "a.default", "long", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "long")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "long")
        await hand.press("l", "ctrl+d", "ctrl+d", "j")
        before = _inside(hand)
        scenes.move(writer, "a.default", "long", "pending", "active")
        await hand.sees("was pending until")
        await hand.polls()
        assert _inside(hand) == before


def _inside(hand: Hand) -> list[str]:
    """Lines of the text, without what is behind the modal."""
    return [line[8:100] for line in hand.lines if "line " in line]


# Keys


async def test_n_and_N_go_through_the_list_behind(writer: Redis, redis_url: str) -> None:
    fleet.pending(writer, "a.default", "one", "two", "three")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "one")
        for key, name in (("n", "two"), ("n", "three"), ("n", "three"), ("N", "two")):
            await hand.press(key)
            await hand.sees(f"id            {name}", f"─ {name} ─")
            assert hand.tasks.selected == name
        await hand.press("escape")
        assert hand.screen is hand.main
        assert hand.tasks.selected == "two"


async def test_n_does_not_mix_two_tasks(writer: Redis, redis_url: str) -> None:
    for name in ("one", "two"):
        message = fleet.message(type="t", id=name, queue="a.default", payload=f"I am {name}")
        fleet.queue(writer, "a.default")
        fleet.task(writer, "a.default", name, state="pending", msg=message)
        writer.lpush("asynq:{a.default}:pending", name)
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "one")
        await hand.press("l")
        await hand.sees("I am one")
        await hand.press("n")
        await hand.sees("I am two", "─ two ─")
        assert "was" not in hand.lines[3], "another task is no change of state"


async def test_search_marks_and_goes_on(writer: Redis, redis_url: str) -> None:
    fleet.queue(writer, "a.default")
    text = "\n".join("needle" if at in (5, 300) else f"line {at}" for at in range(500))
    message = fleet.message(type="t", id="long", queue="a.default", payload=text)
    fleet.task(writer, "a.default", "long", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "long")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "long")
        await hand.press("l", "slash")
        await hand.type("needle")
        await hand.press("enter")
        await hand.sees("line 4", "needle", "line 6")
        await hand.press("full_stop")
        await hand.sees("line 299", "needle", "line 301")
        await hand.press("comma")
        await hand.sees("line 4")
        await hand.press("slash")
        await hand.type("absent")
        await hand.press("enter")
        await hand.hears("No match for 'absent'.")
        await hand.press("slash", "escape")
        await hand.opens("TaskModal")
        await hand.press("escape")
        await hand.opens("MainScreen")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_w_writes_new_files_and_never_over_others(task_url: str, folder: Path) -> None:
    (folder / "runqy-the-task-payload.json").write_text("mine")
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        await hand.press("w")
        await hand.hears("runqy-the-task-overview.json")
        await hand.press("l", "w")
        await hand.hears("runqy-the-task-payload-2.json")
        await hand.press("w")
        await hand.hears("runqy-the-task-payload-3.json")
        await hand.press("l", "l", "w")
        await hand.hears("runqy-the-task-error.txt")
    assert (folder / "runqy-the-task-payload.json").read_text() == "mine"
    for number in (2, 3):
        written = (folder / f"runqy-the-task-payload-{number}.json").read_bytes()
        assert written == json.dumps(PAYLOAD).encode(), "byte for byte, not laid out"
    assert (folder / "runqy-the-task-error.txt").read_text() == TRACEBACK
    overview = json.loads((folder / "runqy-the-task-overview.json").read_text())
    assert (overview["id"], overview["state"], overview["type"]) == (
        "the-task",
        "pending",
        "resize",
    )


async def test_w_writes_the_whole_of_what_is_cut_on_screen(
    writer: Redis, redis_url: str, folder: Path
) -> None:
    fleet.queue(writer, "a.default")
    whole = bytes(range(256)) * 4_000
    message = fleet.message(type="t", id="big", queue="a.default", payload=whole)
    fleet.task(writer, "a.default", "big", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "big")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "big")
        await hand.press("l", "w")
        await hand.hears("Wrote 1,024,000 bytes")
    assert (folder / "runqy-big-payload.bin").read_bytes() == whole


async def test_w_into_a_folder_that_refuses_says_so(
    task_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = folder / "gone"
    missing.mkdir()
    monkeypatch.chdir(missing)
    missing.rmdir()
    async with watching(app_on(task_url)) as hand:
        await _open(hand)
        await hand.press("w")
        await hand.hears("Not written")
        assert hand.app.fault is None


async def test_a_hostile_id_makes_a_tame_file_name(
    writer: Redis, redis_url: str, folder: Path
) -> None:
    name = "../../etc/\x1b[2Jpasswd"
    fleet.pending(writer, "a.default", name)
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.until(lambda: hand.tasks.selected == name)
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("pending")
        await hand.press("l", "w")
        await hand.hears("Wrote 2 bytes")
    (written,) = folder.iterdir()
    assert written.name == "runqy-.._.._etc_2Jpasswd-payload.json"


# Through the stack


async def test_escape_goes_back_through_the_stack(writer: Redis, task_url: str) -> None:
    now = fleet.now_of(writer)
    fleet.worker(writer, "w:1", now, "map[a.default:1]")
    async with watching(app_on(task_url), SMALL) as hand:
        await hand.until(lambda: hand.queues.selected == QueueKey("a.default"))
        await hand.press("enter")
        await hand.opens("QueueModal")
        await hand.press("h")
        await hand.sees("w:1")
        await hand.press("enter")
        await hand.opens("WorkerModal")
        await hand.press("l")
        await hand.sees("a.default")
        await hand.press("enter")
        await hand.opens("QueueModal")
        assert len(hand.app.screen_stack) == 4
        for name in ("WorkerModal", "QueueModal", "MainScreen"):
            await hand.press("escape")
            await hand.opens(name)
        await hand.press("escape")
        assert hand.app.is_running


async def test_closing_while_it_reads_does_no_harm(task_url: str) -> None:
    """Esc at any moment of a read: what comes back finds no modal any more."""
    async with watching(app_on(task_url, interval=0.05)) as hand:
        await hand.press("3")
        await hand.until(lambda: hand.tasks.selected == "the-task")
        for rounds in range(15):
            hand.send("enter")
            for _ in range(rounds * 3):
                await asyncio.sleep(0)
            await hand.opens("TaskModal")
            for _ in range(rounds * 2):
                await asyncio.sleep(0)
            hand.send("escape")
            await hand.opens("MainScreen")
        assert hand.app.fault is None
