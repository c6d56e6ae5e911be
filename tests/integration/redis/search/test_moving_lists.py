"""Lists that producers and workers move while they are searched; what a search costs the server."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from itertools import count
from typing import Any

import pytest
from redis import Redis

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.search_query import SearchField, SearchQuery
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.search import lua_script, search_runner
from runqy_tui.redis.search.matcher import CandidateChunk
from tests.integration.redis.search.run_search import fill, found, ids
from tests.support import dialect_writers

Q = QueueKey("q.default")
KEY = f"asynq:{{{Q.name}}}:"
AMOUNT = 6_000


async def every_step(reader: RedisReader, search: SearchQuery, change: Any) -> list[str]:
    """Ids found, with a change of the lists after each step."""
    seen: list[str] = []
    async with aclosing(reader.search(search)) as steps:
        async for step in steps:
            seen += ids(step.hits)
            change()
            if step.progress.done:
                assert step.progress.notes == ()
    return seen


@pytest.mark.parametrize("part", [SearchField.ID, SearchField.PAYLOAD])
async def test_pending_tasks_that_stay_are_found_once_each(
    writer: Redis, reader: RedisReader, part: SearchField
) -> None:
    """Producers push at the head, workers take from the tail, and some put theirs back there."""
    fill(writer, Q.name, AMOUNT)
    numbers = count()

    def change() -> None:
        pipe = writer.pipeline(transaction=False)
        pipe.lpush(f"{KEY}pending", *(f"new-{next(numbers)}" for _ in range(70)))
        pipe.rpop(f"{KEY}pending", 40)
        pipe.rpush(f"{KEY}pending", *(f"back-{next(numbers)}" for _ in range(25)))
        pipe.execute()

    text = "t-" if part is SearchField.ID else '"number"'
    search = SearchQuery(text, part, queues=(Q,), states=(TaskState.PENDING,), most=50_000)
    seen = await every_step(reader, search, change)
    times = Counter(seen)
    assert max(times.values()) == 1
    listed: Any = writer.lrange(f"{KEY}pending", 0, -1)
    stayed = {name.decode() for name in listed}
    assert {name for name in stayed if name.startswith("t-")} <= times.keys()
    assert len(times) > AMOUNT / 2


async def test_scored_tasks_that_stay_are_found_once_each(
    writer: Redis, reader: RedisReader
) -> None:
    """Many have the same score; new ones come on top, and others go."""
    fill(writer, Q.name, AMOUNT, scored="completed")
    numbers = count()
    gone: set[str] = set()

    def change() -> None:
        at = next(numbers)
        writer.zadd(f"{KEY}completed", {f"new-{at}-{n}": 1_900_000_000 + at for n in range(60)})
        going = {f"t-{(at * 977 + n * 131) % AMOUNT}" for n in range(10)}
        gone.update(going)
        writer.zrem(f"{KEY}completed", *going)

    search = SearchQuery(
        '"number"', SearchField.PAYLOAD, states=(TaskState.COMPLETED,), most=50_000
    )
    times = Counter(await every_step(reader, search, change))
    assert max(times.values()) == 1
    assert {f"t-{number}" for number in range(AMOUNT)} - gone <= times.keys()


async def test_a_task_that_moves_on_is_given_once(writer: Redis, reader: RedisReader) -> None:
    fill(writer, Q.name, 10)
    writer.lpush(f"{KEY}active", "t-3")  # for a moment it stands in both
    hits, _ = await found(reader, "<3>")
    assert ids(hits) == ["t-3"]


async def test_a_step_is_short_whatever_the_tasks_weigh(
    writer: Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the server's own count of what each script cost it."""
    dialect_writers.queue(writer, Q.name)
    pipe = writer.pipeline(transaction=False)
    for number in range(600):
        size = (300, 60_000, 400_000)[number % 3] if number < 60 else 300
        payload = b"x" * size
        message = dialect_writers.message(type="t", id=f"w-{number}", queue=Q.name, payload=payload)
        pipe.hset(f"{KEY}t:w-{number}", mapping={"msg": message, "error_msg": payload})
        pipe.lpush(f"{KEY}pending", f"w-{number}")
    pipe.execute()
    costs: list[int] = []
    parse_chunk = lua_script.parse_chunk

    def counted(reply: Any) -> Any:
        chunk = parse_chunk(reply)
        if isinstance(chunk, CandidateChunk):
            costs.append(chunk.cost_us)
        return chunk

    monkeypatch.setattr(lua_script, "parse_chunk", counted)
    _, progress = await found(reader, "no such text", ignore_case=True)
    assert (progress.searched, progress.partly) == (600, 20)
    assert len(costs) > 3, "it took more steps than tasks alone would"
    assert sorted(costs)[len(costs) // 2] < 5_000


async def test_nothing_is_read_once_it_is_closed(writer: Redis, reader: RedisReader) -> None:
    fill(writer, Q.name, AMOUNT)

    async def search() -> None:
        async with aclosing(reader.search(SearchQuery("no such text"))) as steps:
            async for _ in steps:
                began.set()

    began = asyncio.Event()
    task = asyncio.create_task(search())
    await began.wait()
    for _ in range(5):  # into the next step, and by no clock: a slow machine would be past the end
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = writer.info("commandstats").get("cmdstat_eval_ro", {"calls": 0})["calls"]
    await asyncio.sleep(0.05)
    after = writer.info("commandstats").get("cmdstat_eval_ro", {"calls": 0})["calls"]
    assert after == before


async def test_polls_go_on_meanwhile(writer: Redis, reader: RedisReader) -> None:
    fill(writer, Q.name, AMOUNT)
    looking = asyncio.create_task(found(reader, "no such text", ignore_case=True))
    polls = 0
    while not looking.done():
        snapshot = await reader.overview()
        assert snapshot.redis.round_trips in (1, 2, 3)
        polls += 1
    assert (await looking)[1].searched == AMOUNT
    assert polls > 1


async def test_many_short_lists_share_a_step(writer: Redis, reader: RedisReader) -> None:
    for number in range(64):
        dialect_writers.pending(writer, f"q{number:02}.default", f"task-{number}")
    steps = 0
    async with aclosing(reader.search(SearchQuery("task-6", SearchField.ID))) as all_steps:
        async for step in all_steps:
            steps += 1
            if step.progress.done:
                assert step.progress.found == 5
    assert steps <= 2 + 64 // search_runner._LISTS_PER_STEP
