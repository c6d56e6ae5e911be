"""The selection stays on its object while a real queue churns under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from redis import Redis

from runqy_tui.model import QueueKey, TaskState
from tests.app import scenes
from tests.app.driving import Hand, app_on, keys_of, subtitle, watching
from tests.support import dialect_writers

LENGTH = 5_000
PENDING = "asynq:{busy.default}:pending"


@pytest.fixture
def busy_url(writer: Redis, redis_url: str) -> str:
    """A queue of 5,000 pending tasks; ``task-000000`` is the oldest."""
    scenes.many_pending(writer, "busy.default", LENGTH)
    return redis_url


def _line(hand: Hand, key: str) -> int:
    """Line of the screen that shows a task, selected."""
    (line,) = (at for at, line in enumerate(hand.lines) if f"▌{key}" in line)
    return line


async def _on(hand: Hand, *, newest: bool, steps: int, page: bool) -> str:
    await hand.until(lambda: len(hand.tasks.rows) == LENGTH)
    await hand.press("3", *(["s"] if newest else []))
    first = f"task-{LENGTH - 1:06}" if newest else "task-000000"
    await hand.until(lambda: hand.tasks.selected == first)
    if page:
        await hand.press(*["pagedown"] * 30)
        await hand.until(lambda: hand.tasks.selected is not None)
    await hand.press(*["j"] * steps)
    await hand.until(lambda: hand.tasks.selected is not None)
    chosen = str(hand.tasks.selected)
    await hand.sees(f"▌{chosen}")
    return chosen


def _add(writer: Redis, count: int, name: str) -> Callable[[], object]:
    """Producers push at the head."""
    return lambda: scenes.many_pending(writer, "busy.default", count, name=name + "-{:03}")


def _take(writer: Redis, count: int) -> Callable[[], object]:
    """Workers take from the tail."""
    return lambda: writer.rpop(PENDING, count)


@pytest.mark.parametrize("newest", [False, True], ids=["oldest-first", "newest-first"])
@pytest.mark.parametrize("page", [False, True], ids=["top", "middle"])
async def test_the_selection_stays_while_tasks_come_and_go(
    writer: Redis, busy_url: str, newest: bool, page: bool
) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=newest, steps=7, page=page)
        line = _line(hand, chosen)
        changes = (
            *(_add(writer, 3, "a"), _take(writer, 2), _add(writer, 250, "b")),
            _take(writer, 3),
        )
        for change in changes:
            change()
            total = writer.llen(PENDING)
            await hand.until(lambda total=total: len(hand.tasks.rows) == total, "the new length")  # type: ignore[misc]
            await hand.polls()
            assert hand.tasks.selected == chosen, subtitle(hand.tasks_pane)
            if page:  # near the top there may be no row left to scroll to
                assert _line(hand, chosen) == line
        await hand.press("j")
        assert hand.tasks.selected not in (None, chosen)
        await hand.press("k")
        assert hand.tasks.selected == chosen


async def test_the_selection_follows_a_long_way(writer: Redis, busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=7, page=True)
        writer.rpop(PENDING, 300)
        await hand.until(lambda: len(hand.tasks.rows) == LENGTH - 300)
        await hand.polls()
        assert hand.tasks.selected == chosen, subtitle(hand.tasks_pane)


async def test_a_task_that_moves_within_its_list_is_followed(writer: Redis, busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=20, page=False)
        with writer.pipeline() as pipe:  # a requeue: back to the tail, to be taken next
            pipe.lrem(PENDING, 1, chosen)
            pipe.rpush(PENDING, chosen)
            pipe.execute()
        await hand.until(lambda: hand.tasks.rows.key(0) == chosen)
        assert hand.tasks.selected == chosen


async def test_a_task_that_completes_is_named_and_nothing_else_opens(
    writer: Redis, busy_url: str
) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=5, page=False)
        scenes.move(writer, "busy.default", chosen, "pending", "active")
        await hand.sees(f"{chosen} is now active (was pending)")
        scenes.move(writer, "busy.default", chosen, "active", "completed")
        await hand.polls()
        assert hand.tasks.selected is None
        await hand.press("enter", "y")
        assert hand.screen is hand.main
        assert hand.app.clipboard == ""
        await hand.hears("Nothing selected")
        await hand.press("j")
        assert hand.tasks.selected == "task-000006", "its neighbour is one step away"
        await hand.misses("is now active")


async def test_a_selected_task_that_completes_says_completed(writer: Redis, busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=True, steps=5, page=False)
        scenes.move(writer, "busy.default", chosen, "pending", "completed")
        await hand.sees(f"{chosen} is now completed (was pending)")
        await hand.press("enter")
        assert hand.screen is hand.main


async def test_a_selected_task_that_vanishes_is_gone(writer: Redis, busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=5, page=False)
        writer.lrem(PENDING, 1, chosen)
        writer.delete(f"asynq:{{busy.default}}:t:{chosen}")
        await hand.sees(f"{chosen} is no longer in Redis")


async def test_a_task_that_comes_back_is_selected_again(writer: Redis, busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=5, page=False)
        scenes.move(writer, "busy.default", chosen, "pending", "retry")
        await hand.sees(f"{chosen} is now retry (was pending)")
        scenes.move(writer, "busy.default", chosen, "retry", "pending")
        writer.lrem(PENDING, 1, chosen)
        writer.rpush(PENDING, chosen)
        await hand.until(lambda: hand.tasks.selected == chosen)
        await hand.until(lambda: subtitle(hand.tasks_pane) == "", "nothing to be said of it")


async def test_a_sort_keeps_the_task_that_was_chosen(busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=False, steps=7, page=True)
        line = _line(hand, chosen)
        for order in ("newest first", "oldest first"):
            await hand.press("s")
            await hand.sees(order)
            await hand.polls()
            assert hand.tasks.selected == chosen, order
            assert _line(hand, chosen) == line


async def test_a_sort_at_the_top_shows_the_other_top(busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        await _on(hand, newest=False, steps=0, page=False)
        await hand.press("s")
        await hand.until(lambda: hand.tasks.selected == f"task-{LENGTH - 1:06}")
        assert hand.tasks.top == 0


async def test_a_filter_keeps_the_task_that_was_chosen(busy_url: str) -> None:
    async with watching(app_on(busy_url)) as hand:
        await _on(hand, newest=False, steps=0, page=False)
        await hand.press("slash")
        await hand.type("k-00012")
        await hand.press("enter")
        await hand.until(lambda: len(hand.tasks.rows) == 10)
        await hand.press("g", "j", "j", "j")
        assert hand.tasks.selected == "task-000123"
        await hand.press("slash", "end", "3")
        await hand.until(lambda: keys_of(hand.tasks) == ["task-000123"])
        assert hand.tasks.selected == "task-000123"
        await hand.press("escape")
        await hand.until(lambda: len(hand.tasks.rows) == LENGTH)
        await hand.polls()
        assert hand.tasks.selected == "task-000123"


@pytest.mark.parametrize("pane", ["1", "2"])
async def test_an_object_that_disappears_is_named(writer: Redis, redis_url: str, pane: str) -> None:
    now = dialect_writers.now_of(writer)
    for name in ("a", "b", "c"):
        dialect_writers.worker(writer, f"{name}:1", now, "map[x:1]")
        dialect_writers.queue(writer, f"{name}.default")
    async with watching(app_on(redis_url)) as hand:
        await hand.press(pane, "j")
        table = hand.front.table
        writer.zrem("asynq:workers", "b:1")
        writer.delete("asynq:workers:b:1")
        writer.srem("asynq:queues", "b.default")
        name = "b:1" if pane == "1" else "b.default"
        await hand.sees(f"{name} was removed")
        assert table.selected is None
        await hand.press("enter")
        assert hand.screen is hand.main
        await hand.press("j")
        assert table.selected in ("c:1", QueueKey("c.default"))
        assert subtitle(hand.front) == ""


async def test_a_worker_that_is_lost_keeps_the_selection(writer: Redis, redis_url: str) -> None:
    now = dialect_writers.now_of(writer)
    for name in ("a", "b", "c"):
        dialect_writers.worker(writer, f"{name}:1", now, "map[x:1]")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("1", "j")
        writer.delete("asynq:workers:b:1")
        await hand.sees("lost")
        assert hand.workers.selected == "b:1"
        await hand.until(lambda: keys_of(hand.workers)[0] == "b:1")


async def test_the_queue_of_the_tasks_disappears(writer: Redis, redis_url: str) -> None:
    dialect_writers.pending(writer, "a.default", "one")
    dialect_writers.pending(writer, "b.default", "two")
    async with watching(app_on(redis_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["one"])
        writer.srem("asynq:queues", "a.default")
        writer.delete("asynq:{a.default}:pending", "asynq:{a.default}:t:one")
        await hand.sees("a.default was removed", "This queue is no longer in Redis.")
        assert hand.queues.selected is None
        assert hand.tasks_pane.target is not None
        assert hand.tasks_pane.target.queue == QueueKey("a.default")


async def test_a_minute_of_traffic_in_a_few_seconds(writer: Redis, busy_url: str) -> None:
    """Producers and workers work on both ends; the chosen task never changes by itself."""
    async with watching(app_on(busy_url)) as hand:
        chosen = await _on(hand, newest=True, steps=9, page=True)
        for turn in range(8):
            scenes.many_pending(writer, "busy.default", 11, name=f"n{turn}-" + "{:02}")
            writer.rpop(PENDING, 9)
            await asyncio.sleep(0.07)
            assert hand.tasks.selected == chosen
        await hand.polls()
        assert hand.tasks.selected == chosen
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees(chosen)


async def test_states_are_kept_apart(writer: Redis, busy_url: str) -> None:
    """The same id in another state is another row: no page of one list shows in the other."""
    for at in range(150):
        scenes.archived(
            writer, "busy.default", f"dead-{at:03}", dialect_writers.now_of(writer) + at, "x"
        )
    async with watching(app_on(busy_url)) as hand:
        await _on(hand, newest=False, steps=3, page=False)
        hand.tasks_pane.show_state(TaskState.ARCHIVED)
        await hand.until(lambda: hand.tasks.selected == "dead-149")
        await hand.press("j", "j")
        chosen = hand.tasks.selected
        scenes.archived(
            writer, "busy.default", "dead-new", dialect_writers.now_of(writer) + 9e3, "x"
        )
        await hand.until(lambda: hand.tasks.rows.key(0) == "dead-new")
        assert hand.tasks.selected == chosen == "dead-147"
