"""The keys of the task modal: next, search, write, and the way back through the stack."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from runqy_tui.model import QueueKey, Task
from tests.app import scenes
from tests.app.driving import SMALL, app_on, watching
from tests.support import dialect_writers


async def test_n_and_shift_n_go_through_the_list_behind(writer: Redis, redis_url: str) -> None:
    dialect_writers.pending(writer, "a.default", "one", "two", "three")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("one")
        for key, name in (("n", "two"), ("n", "three"), ("n", "three"), ("N", "two")):
            await hand.press(key)
            await hand.sees(f"id            {name}", f"─ {name} ─")
            assert hand.tasks.selected == name
        await hand.press("escape")
        assert hand.screen is hand.main
        assert hand.tasks.selected == "two"


async def test_n_does_not_mix_two_tasks(writer: Redis, redis_url: str) -> None:
    for name in ("one", "two"):
        message = dialect_writers.message(
            type="t", id=name, queue="a.default", payload=f"I am {name}"
        )
        dialect_writers.queue(writer, "a.default")
        dialect_writers.task(writer, "a.default", name, state="pending", msg=message)
        writer.lpush("asynq:{a.default}:pending", name)
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("one")
        await hand.press("l")
        await hand.sees("I am one")
        await hand.press("n")
        await hand.sees("I am two", "─ two ─")
        assert "was" not in hand.lines[3], "another task is no change of state"


async def test_search_marks_and_goes_on(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a.default")
    text = "\n".join("needle" if at in (5, 300) else f"line {at}" for at in range(500))
    message = dialect_writers.message(type="t", id="long", queue="a.default", payload=text)
    dialect_writers.task(writer, "a.default", "long", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "long")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("long")
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
        await hand.open_task()
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
        assert written == json.dumps(scenes.PAYLOAD).encode(), "byte for byte, not laid out"
    assert (folder / "runqy-the-task-error.txt").read_text() == scenes.TRACEBACK
    overview = json.loads((folder / "runqy-the-task-overview.json").read_text())
    assert (overview["id"], overview["state"], overview["type"]) == (
        "the-task",
        "pending",
        "resize",
    )


async def test_w_writes_the_whole_of_what_is_cut_on_screen(
    writer: Redis, redis_url: str, folder: Path
) -> None:
    dialect_writers.queue(writer, "a.default")
    whole = bytes(range(256)) * 4_000
    message = dialect_writers.message(type="t", id="big", queue="a.default", payload=whole)
    dialect_writers.task(writer, "a.default", "big", state="pending", msg=message)
    writer.lpush("asynq:{a.default}:pending", "big")
    async with watching(app_on(redis_url)) as hand:
        await hand.open_task("big")
        await hand.press("l", "w")
        await hand.hears("Saved 1,024,000 bytes")
    assert (folder / "runqy-big-payload.bin").read_bytes() == whole


async def test_w_into_a_folder_that_refuses_says_so(
    task_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = folder / "gone"
    missing.mkdir()
    monkeypatch.chdir(missing)
    missing.rmdir()
    async with watching(app_on(task_url)) as hand:
        await hand.open_task()
        await hand.press("w")
        await hand.hears("Not saved")
        assert hand.app.fault is None


async def test_a_hostile_id_makes_a_tame_file_name(
    writer: Redis, redis_url: str, folder: Path
) -> None:
    name = "../../etc/\x1b[2Jpasswd"
    dialect_writers.pending(writer, "a.default", name)
    async with watching(app_on(redis_url)) as hand:
        await hand.press("3")
        await hand.until(lambda: hand.tasks.selected == name)
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("pending")
        await hand.press("l", "w")
        await hand.hears("Saved 2 bytes")
    assert (folder / "runqy-.._.._etc_2Jpasswd-payload.json").read_text() == "{}"


# Through the stack


async def test_escape_goes_back_through_the_stack(writer: Redis, task_url: str) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a.default:1]")
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


async def test_an_answer_after_it_closed_does_no_harm(task_url: str) -> None:
    """An order to stop may get lost, as in Python 3.11's wait_for: the answer comes anyway."""
    async with watching(app_on(task_url, interval=30)) as hand:
        asked, answer = asyncio.Event(), asyncio.Event()
        reader = hand.app.session.reader
        read = reader.task

        async def deaf(*args: Any, **options: Any) -> Task | None:
            found = await read(*args, **options)
            asked.set()
            while not answer.is_set():
                with suppress(asyncio.CancelledError):
                    await answer.wait()
            return found

        reader.task = deaf  # type: ignore[method-assign]
        await hand.press("3")
        await hand.until(lambda: hand.tasks.selected == "the-task")
        await hand.press("enter")
        await asked.wait()
        modal = hand.screen
        await hand.press("escape")
        await hand.until(lambda: not modal.children, "the modal is taken down")
        answer.set()
        await hand.until(lambda: not [w for w in hand.app.workers if w.group == "load"])
        assert hand.app.fault is None
