"""The layout at every size: what comes first, what gives way, and that nothing breaks."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from tests.app import scenes
from tests.app.driving import SMALL, Hand, app_on, keys_of, title, watching
from tests.support import dialect_writers


def _recovering(writer: Redis, worker_id: str, now: float, queues: str) -> None:
    state = {"gamma": {"state": "recovering", "consecutive_fails": 1, "total_restarts": 1}}
    dialect_writers.worker(writer, worker_id, now, queues, healthy=0, recovery=json.dumps(state))


# What is most urgent comes first


async def test_trouble_is_on_top(writer: Redis, redis_url: str) -> None:
    now = scenes.small_fleet(writer)
    _recovering(writer, "zz-recovering:1", now, "map[gamma.default:1]")
    dialect_writers.worker(writer, "aa-fine:1", now, "map[alpha.low:1]")
    dialect_writers.worker(
        writer, "aa-stopped:1", now, "map[alpha.low:1]", index=False, status="stopped"
    )
    dialect_writers.pending(writer, "gamma.default", "gamma-1", since=now)
    dialect_writers.pending(writer, "nobody.default", "nobody-1", since=now)
    async with watching(app_on(redis_url)) as hand:
        workers = keys_of(hand.workers)
        assert set(workers[:2]) == {"sick:2", "lost:3"}
        assert workers[2:] == ["zz-recovering:1", "aa-fine:1", "fine:1", "aa-stopped:1"]
        queues = [key.name for key in keys_of(hand.queues)]
        assert set(queues[:2]) == {"beta.default", "nobody.default"}
        assert queues[2:] == ["gamma.default", "alpha.high", "alpha.low", "idle.default"]
        await hand.sees("✖ sick:2", "! zz-recovering", "○ aa-stopped:1")
        assert "1 degraded · 1 lost · 1 recovering" in title(hand.main.workers_pane)


async def test_a_worker_that_falls_ill_rises_and_the_selection_stays(
    writer: Redis, redis_url: str
) -> None:
    now = dialect_writers.now_of(writer)
    for at in range(5):
        dialect_writers.worker(writer, f"w:{at}", now, "map[a.default:1]")
    async with watching(app_on(redis_url)) as hand:
        await hand.press("1", "j")
        assert hand.workers.selected == "w:1"
        writer.hset("asynq:workers:w:4", "healthy", 0)
        await hand.until(lambda: keys_of(hand.workers)[0] == "w:4")
        assert hand.workers.selected == "w:1"
        await hand.sees("▌● w:1")


# Sizes


async def test_wide_shows_three_panes(scene_url: str) -> None:
    async with watching(app_on(scene_url), (120, 40)) as hand:
        await hand.sees("─ 1 Workers 3", "─ 2 Queues 4", "─ 3 Tasks", "sick:2", "beta.default")
        await hand.sees("beta-1")
        assert all(len(line) == 120 for line in hand.lines)


async def test_small_shows_one_pane_and_the_others_as_tabs(scene_url: str) -> None:
    async with watching(app_on(scene_url), SMALL) as hand:
        assert "2 Queues 4 ✖1   │ 1 Workers 3 ✖2  3 Tasks" in title(hand.main.queues_pane)
        await hand.sees("2 Queues 4 ✖1   │ 1 Workers 3 ✖2  3 Tasks", "beta.default")
        assert hand.queues.size.width == 78
        pane = next(at for at, line in enumerate(hand.lines) if "2 Queues" in line)
        assert "sick:2" not in "\n".join(hand.lines[pane:])
        await hand.press("1")
        await hand.sees("1 Workers 3 ✖2", "2 Queues 4 ✖1  3 Tasks", "degraded")
        await hand.press("3")
        await hand.sees("3 Tasks ─ beta.default", "1 Workers 3 ✖2  2 Queues 4 ✖1", "beta-1")
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("pending for")


async def test_columns_give_way_by_importance(scene_url: str) -> None:
    async with watching(app_on(scene_url), (200, 60)) as hand:
        wide = hand.text
        for column in ("MEM", "GPU", "RST", "UP", "ETA", "DONE/s", "FAIL/s", "SCHED"):
            assert column in wide, column
        await hand.pilot.resize_terminal(120, 40)
        await hand.misses("MEM", "FAIL/s")
        await hand.sees("WORKER", "STATE", "BEAT", "PEND", "RETRY", "OLDEST")
        await hand.pilot.resize_terminal(44, 24)
        await hand.misses("RETRY", "CONS")
        await hand.sees("QUEUE", "PEND", "ACT", "OLDEST", "beta.default")


async def test_the_header_drops_what_matters_least(scene_url: str) -> None:
    app = app_on(scene_url, name="prod")
    async with watching(app, (200, 60)) as hand:
        await hand.sees("runqy-tui", "prod", "redis.sock", "standalone", "trip", "UTC", "✖ 3")
        await hand.pilot.resize_terminal(60, 24)
        await hand.misses("UTC", "trip", "redis.sock")
        await hand.sees("prod  unix:/", "…  live ", "✖ 3")
        assert "standalone" not in hand.lines[0]


async def test_every_size_and_back(scene_url: str) -> None:
    sizes = ((80, 24), (20, 5), (1, 1), (300, 2), (3, 60), (120, 40))
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        for size in sizes:
            await hand.pilot.resize_terminal(*size)
            await hand.press("1", "j", "3", "z", "2", "z")
            assert [len(line) for line in hand.lines] == [size[0]] * size[1]
        await hand.sees("─ 1 Workers 3", "─ 2 Queues 4", "─ 3 Tasks", "sick:2", "beta-1")
        assert hand.queues.selected == QueueKey("beta.default")


@pytest.mark.parametrize("opener", ["1 enter", "2 enter", "3 enter", "i", "w", "question_mark"])
async def test_every_size_with_a_modal(scene_url: str, opener: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        await hand.press(*opener.split())
        front = hand.screen
        assert front is not hand.main
        await _shake(hand)
        assert hand.screen is front
        await hand.press("escape")
        await hand.sees("─ 1 Workers 3", "─ 2 Queues 4", "─ 3 Tasks", "sick:2", "beta-1")


async def _shake(hand: Hand) -> None:
    for size in ((20, 5), (1, 1), (120, 40)):
        await hand.pilot.resize_terminal(*size)
        await hand.press("l", "j")
        assert [len(line) for line in hand.lines] == [size[0]] * size[1]


async def test_a_modal_fits_80_by_24(scene_url: str) -> None:
    async with watching(app_on(scene_url), SMALL) as hand:
        await hand.press("1", "enter")
        await hand.opens("WorkerModal")
        await hand.sees("sick:2", "degraded (heartbeat ok)", "Overview", "Active tasks", "Log")
        await hand.sees("esc close", "w save to file")


async def test_the_footer_names_the_way_to_all_keys(scene_url: str) -> None:
    async with watching(app_on(scene_url), SMALL) as hand:
        for part in ("⏎ open", "/ filter", "? help", "^p palette"):
            assert part in hand.lines[-1]
