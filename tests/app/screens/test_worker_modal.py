"""The worker modal: health, machine, queues, active tasks, and the log that is followed."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from runqy_tui.redis.decoding import proto
from runqy_tui.tui.widgets.text_view import TextView
from tests.app import scenes
from tests.app.driving import Hand, app_on, watching
from tests.support import dialect_writers
from tests.support.captures import Captures

LOGS = "asynq:workers:w:1:logs"
SERVER = "host:77:abcd"


@pytest.fixture
def worker_url(writer: Redis, redis_url: str) -> str:
    """A worker that serves three queues, one of them recovering."""
    now = dialect_writers.now_of(writer)
    recovery = {
        "a": {"state": "idle", "consecutive_fails": 0, "total_restarts": 1},
        "b": {"state": "recovering", "consecutive_fails": 2, "total_restarts": 5},
    }
    dialect_writers.worker(
        *(writer, "w:1", now, "map[a.high:10 a.low:1 b.default:5]"),
        healthy=0,
        metrics=scenes.metrics(cpu=91.0, gpu=50.0),
        recovery=json.dumps(recovery),
    )
    dialect_writers.pending(writer, "a.high", "one", "two", "three")
    return redis_url


async def _open(hand: Hand, *tab: str) -> None:
    await hand.press("1", "enter", *tab)
    await hand.opens("WorkerModal")


def _log(hand: Hand) -> TextView:
    return hand.screen.query_one("#log", TextView)


def _add(writer: Redis, *seqs: int, text: str = "line") -> None:
    writer.rpush(LOGS, *(dialect_writers.log_line(seq, f"{text} {seq}") for seq in seqs))


async def test_the_overview_says_how_it_is(worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand)
        await hand.sees("recovering: b process restarting, 2 consecutive failures")
        await hand.sees("b: recovering, 2 consecutive failures, 5 restarts", "a: idle", "heartbeat")
        await hand.sees("cpu           ███", "91%", "75%", "12 GiB of 16 GiB", "50%")
        await hand.sees("20,000 of 24,000 MiB", "71 °C", "Model X")


async def test_a_beat_and_a_breaker_are_followed(writer: Redis, worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand)
        await hand.sees("recovering")
        sick = {"b": {"state": "degraded", "consecutive_fails": 3, "total_restarts": 6}}
        writer.hset("asynq:workers:w:1", "recovery", json.dumps(sick))
        await hand.sees("degraded (heartbeat ok)", "breaker open: restart this worker")
        writer.delete("asynq:workers:w:1")
        await hand.sees("lost: no heartbeat for")
        writer.zrem("asynq:workers", "w:1")
        await hand.sees("no longer in Redis; last state: lost")


async def test_queues_by_priority_drill_down(worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "l")
        await hand.sees("a.high", "b.default", "a.low", "recovering", "PRIORITY")
        rows = [line for line in hand.lines if "a.high" in line or "b.default" in line]
        assert "a.high" in rows[0]
        await hand.press("enter")
        await hand.opens("QueueModal")
        await hand.sees("a.high", "3 pending")
        await hand.press("escape")
        await hand.opens("WorkerModal")
        await hand.sees("PRIORITY")


async def test_a_runqy_worker_names_no_tasks(worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "l", "l")
        await hand.sees("runqy workers do not report which tasks they run.")


async def test_a_queue_that_is_not_in_redis_opens_and_says_so(worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "l")
        await hand.press("G", "enter")
        await hand.opens("QueueModal")
        await hand.sees("─ a.low ─", "not in Redis: no task was ever enqueued")


# asynq


def _busy_on(writer: Redis, task_id: str, started: float) -> None:
    info = proto.WorkerInfo(
        host=b"host", pid=77, server_id=b"abcd", task_id=task_id.encode(), task_type=b"email"
    )
    info.queue = b"mail"
    info.start_time.seconds = int(started)
    writer.hset(f"asynq:workers:{{{SERVER}}}", task_id, info.SerializeToString())


async def test_active_tasks_of_an_asynq_server_drill_down(writer: Redis, redis_url: str) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.server(writer, SERVER, now + 20, {"mail": 1}, active_worker_count=1)
    dialect_writers.pending(writer, "mail", "held", "free")
    scenes.move(writer, "mail", "held", "pending", "active")
    _busy_on(writer, "held", now - 95)
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("busy")
        await _open(hand, "l", "l")
        await hand.sees("held", "mail", "email", "1m")
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("held", "active; lease expires in")
        await hand.press("escape", "l")
        await hand.sees("Workers of the asynq dialect do not write logs to Redis.")


# Log


async def test_the_log_is_followed_by_seq(writer: Redis, worker_url: str) -> None:
    _add(writer, *range(1, 60))
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "h")
        await hand.sees("stderr line 59")
        assert "line 1 " not in hand.text, "the end is shown first"
        _add(writer, 60, 61)
        writer.ltrim(LOGS, -5, -1)
        await hand.sees("stderr line 61")
        lines = [_log(hand).lines.display_text(at) for at in range(len(_log(hand).lines))]
        assert [line.split()[-1] for line in lines] == [str(at) for at in range(1, 62)]
        await hand.press("g")
        await hand.sees("line 1 ", "line 2 ")
        _add(writer, 62)
        await hand.until(lambda: len(_log(hand).lines) == 62)
        assert "line 62" not in hand.text, "whoever reads further up is left in peace"
        await hand.press("G")
        await hand.sees("line 62")
        _add(writer, *range(63, 80))
        await hand.sees("line 79")


async def test_a_gap_in_the_log_is_named(writer: Redis, worker_url: str) -> None:
    _add(writer, 1, 2, 3)
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "h")
        await hand.sees("line 3")
        writer.delete(LOGS)
        _add(writer, 40, 41)
        await hand.sees("36 lines were trimmed before they were read", "line 40")


async def test_a_quiet_worker_gets_its_log_when_it_speaks(writer: Redis, worker_url: str) -> None:
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "h")
        await hand.sees("No log lines: this worker's process wrote none")
        _add(writer, 7)
        await hand.sees("line 7")
        await hand.misses("No log lines")
        writer.delete(LOGS)
        await hand.polls()
        assert "line 7" in hand.text


async def test_escapes_in_a_log_do_no_harm(writer: Redis, worker_url: str) -> None:
    texts = (
        "\x1b[31mred\x1b[0m word",
        "\x1b]52;c;eA==\x07clip",
        "\x1b[2Jcleared\ttab",
        "[@click=app.quit]x[/] [/y]",
        "two\nlines",
    )
    writer.rpush(LOGS, *(dialect_writers.log_line(at, text) for at, text in enumerate(texts, 1)))
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "h")
        await hand.sees("red word", "␛]52;c;eA==␇clip", "␛[2Jcleared", "[@click=app.quit]x[/] [/y]")
        assert "\x1b" not in hand.text


async def test_another_worker_has_its_own_log(writer: Redis, worker_url: str) -> None:
    dialect_writers.worker(writer, "w:2", dialect_writers.now_of(writer), "map[a.high:1]")
    _add(writer, 1, 2)
    writer.rpush("asynq:workers:w:2:logs", dialect_writers.log_line(1, "other one"))
    async with watching(app_on(worker_url)) as hand:
        await _open(hand, "h")
        await hand.sees("line 2")
        await hand.press("n")
        await hand.sees("─ w:2 ─", "other one")
        assert "line 2" not in hand.text
        await hand.press("N")
        await hand.sees("─ w:1 ─", "line 2")


# Real workers


async def test_the_captured_degraded_worker(captures: Captures, redis_url: str) -> None:
    captures.load("runqy-03", rebase=True)
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("✖ vm:27281", "degraded")
        await _open(hand)
        await hand.sees("vm:27281", "degraded", "restart this worker", "running")
