"""Metrics of workers are read at each beat where they are on the screen, in a window as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from redis import Redis

from runqy_tui.config import Settings
from runqy_tui.model import QueueKey
from runqy_tui.redis.reader import RedisReader, open_reader
from runqy_tui.tui.app import RunqyApp
from tests.app import scenes
from tests.app.driving import Hand, watching
from tests.support import dialect_writers

BUDGET = 100
KEY = "asynq:workers:"


@asynccontextmanager
async def watching_many(writer: Redis, url: str) -> AsyncIterator[Hand]:
    """More workers and queues than the budget allows for at each poll."""
    now = dialect_writers.now_of(writer)
    for number in range(60):
        dialect_writers.queue(writer, f"q{number:02}.a")
        worker_id = f"w{number:02}:1"
        dialect_writers.worker(
            writer, worker_id, now, "map[q00.a:1]", metrics=scenes.metrics(cpu=10.0)
        )
        writer.expire(KEY + worker_id, 30)
    settings = Settings(url=url, interval_s=0.2, budget=BUDGET)
    async with watching(RunqyApp(settings, lambda: open_reader(url, budget=BUDGET))) as hand:
        await hand.sees("oldest data ", " at 100/s")
        yield hand


def seen(hand: Hand) -> tuple[Collection[QueueKey], Collection[str]]:
    """What the reader was told to be on the screen."""
    reader = hand.poller.reader
    assert isinstance(reader, RedisReader)
    watched = reader._overview.watched
    return watched.queues, watched.workers


async def test_workers_in_view_are_told_to_the_reader(writer: Redis, redis_url: str) -> None:
    async with watching_many(writer, redis_url) as hand:
        await hand.press("1", "G")
        shown = hand.main.workers_pane.in_view()
        assert 5 < len(shown) < 40
        assert shown[0] == hand.workers.selected == "w59:1"
        await hand.until(lambda: seen(hand)[1] == set(shown), "the workers in view")
        assert seen(hand)[0] == set(hand.main.queues_pane.in_view())


async def test_the_worker_of_an_open_window_is_seen(writer: Redis, redis_url: str) -> None:
    async with watching_many(writer, redis_url) as hand:
        await hand.press("1", "enter")
        await hand.opens("WorkerModal")
        await hand.press("n")
        await hand.until(lambda: "w01:1" in seen(hand)[1], "the next worker")
        await hand.sees("10%")
        beat = int(dialect_writers.now_of(writer)) + 1
        fields = {"last_beat": beat, "metrics": scenes.metrics(cpu=37.0)}
        dialect_writers.put(writer, KEY + "w01:1", fields)
        writer.pexpire(KEY + "w01:1", 24_000)
        writer.zadd("asynq:workers", {"w01:1": beat + 1800})
        await hand.sees("37%")


async def test_what_is_opened_from_another_window_is_seen_and_only_while_it_is_open(
    writer: Redis, redis_url: str
) -> None:
    async with watching_many(writer, redis_url) as hand:
        hidden = "w59:1"
        await hand.press("2", "enter")
        await hand.opens("QueueModal")
        await hand.sees("Consumers 60")
        await hand.press("l", "l", "G", "enter")
        await hand.opens("WorkerModal")
        await hand.until(lambda: hidden in seen(hand)[1], "a worker far down the list")
        assert QueueKey("q00.a") in seen(hand)[0]
        await hand.press("escape")
        await hand.until(lambda: hidden not in seen(hand)[1], "the window is closed")
