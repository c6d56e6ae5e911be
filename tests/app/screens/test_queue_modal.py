"""The queue modal: counts, two weeks of counters, consumers, and what follows from them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from tests.app import scenes
from tests.app.driving import Hand, app_on, watching
from tests.support import dialect_writers
from tests.support.captures import Captures


@pytest.fixture
def queue_url(writer: Redis, redis_url: str) -> str:
    """A runqy queue with tasks in every state and two weeks of counters."""
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a.high:10]")
    sick = {"a": {"state": "degraded", "consecutive_fails": 3, "total_restarts": 2}}
    dialect_writers.worker(
        writer, "w:2", now, "map[a.high:2]", healthy=0, recovery=json.dumps(sick)
    )
    dialect_writers.pending(writer, "a.high", "one", "two", since=now - 700)
    scenes.archived(writer, "a.high", "dead", now, "boom")
    scenes.retry(writer, "a.high", "again", now + 60)
    for age in range(14):
        day = time.strftime("%Y-%m-%d", time.gmtime(now - age * 86_400))
        writer.set(f"asynq:{{a.high}}:processed:{day}", 1_000 + age)
        writer.set(f"asynq:{{a.high}}:failed:{day}", 10 + age)
    writer.set("asynq:{a.high}:processed", 50_000)
    writer.set("asynq:{a.high}:failed", 600)
    return redis_url


async def _open(hand: Hand, *tab: str) -> None:
    await hand.until(lambda: hand.queues.selected is not None)
    await hand.press("enter", *tab)
    await hand.opens("QueueModal")


async def test_the_overview_counts_and_explains(queue_url: str) -> None:
    async with watching(app_on(queue_url)) as hand:
        await _open(hand)
        await hand.sees("oldest pending 11m; 2 pending, 0 active")
        await hand.sees("50,000 (runqy-worker counts successes only)")
        await hand.sees("pending for 11m", "failed today  10", "done today    1,000")
        await hand.sees("archived      1", "retry         1", "consumers     2")


async def test_it_follows_the_polls(writer: Redis, queue_url: str) -> None:
    async with watching(app_on(queue_url)) as hand:
        await _open(hand)
        writer.set("asynq:{a.high}:paused", int(dialect_writers.now_of(writer)))
        await hand.sees("paused", "runqy workers ignore it")
        dialect_writers.pending(writer, "a.high", "three")
        await hand.sees("3 pending")


async def test_fourteen_days_as_a_chart(writer: Redis, queue_url: str) -> None:
    async with watching(app_on(queue_url)) as hand:
        await _open(hand, "l")
        now = dialect_writers.now_of(writer)
        first, today = (time.strftime("%Y-%m-%d", time.gmtime(now - d * 86_400)) for d in (13, 0))
        await hand.sees(first, today, "1,013", "1,000", "█████", "processed", "failed")
        days = [line for line in hand.lines if "1,0" in line and "█" in line]
        assert len(days) == 14
        assert today in days[0], "the latest on top"


async def test_a_queue_without_counters_says_so(writer: Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "new.default")
    async with watching(app_on(redis_url)) as hand:
        await _open(hand, "l")
        await hand.sees("No counters for the past days.")
        await hand.press("l")
        await hand.sees("No worker lists this queue: its tasks are not consumed.")


async def test_consumers_drill_down_to_the_worker(queue_url: str) -> None:
    async with watching(app_on(queue_url)) as hand:
        await _open(hand, "h")
        await hand.sees("Consumers 2", "w:1", "w:2", "degraded", "restart this worker")
        names = [line for line in hand.lines if "w:1" in line or "w:2" in line]
        assert "w:2" in names[0], "the sick one first"
        await hand.press("enter")
        await hand.opens("WorkerModal")
        await hand.sees("─ w:2 ─", "degraded (heartbeat ok)")
        await hand.press("escape")
        await hand.opens("QueueModal")
        await hand.sees("Consumers 2")


async def test_n_goes_through_the_queues_behind(writer: Redis, queue_url: str) -> None:
    dialect_writers.queue(writer, "z.default")
    async with watching(app_on(queue_url)) as hand:
        await _open(hand)
        await hand.press("n")
        await hand.sees("─ z.default ─", "idle")
        assert hand.queues.selected == QueueKey("z.default")
        await hand.press("N")
        await hand.sees("─ a.high ─", "2 pending")


async def test_a_queue_that_vanishes_says_so(writer: Redis, queue_url: str) -> None:
    async with watching(app_on(queue_url)) as hand:
        await _open(hand)
        await hand.sees("2 pending")
        writer.srem("asynq:queues", "a.high")
        writer.delete(*writer.keys("asynq:{a.high}:*"))
        await hand.sees("no longer in Redis")


async def test_w_writes_the_queue(
    queue_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with watching(app_on(queue_url)) as hand:
        await _open(hand)
        await hand.sees("2 pending")
        await hand.press("w")
        await hand.hears("runqy-a.high-overview.json")
    written = json.loads((tmp_path / "runqy-a.high-overview.json").read_text())
    assert (written["name"], written["counts"]["pending"]) == ("a.high", 2)


async def test_the_captured_paused_queue_of_asynq(captures: Captures, redis_url: str) -> None:
    captures.load("asynq-01", rebase=True)
    async with watching(app_on(redis_url)) as hand:
        await hand.press("slash", *"low", "enter")
        await hand.until(lambda: hand.queues.selected == QueueKey("low"))
        await _open(hand)
        await hand.sees("─ low ─", "paused", "6 pending", "asynq counts every attempt")


async def test_a_list_without_braces_is_explained(writer: Redis, redis_url: str) -> None:
    writer.lpush("asynq:old_default:pending", "x")
    writer.hset("asynq:t:x", mapping={"type": "t", "payload": "{}", "state": "pending"})
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("old_default (no brac")
        await _open(hand)
        await hand.sees("key without braces, not read by runqy workers", "found by its keys")
        await hand.press("l")
        await hand.sees("Queues without braces have no counters.")
