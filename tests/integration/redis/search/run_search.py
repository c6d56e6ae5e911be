"""Runs a search to its end, and fills lists to be searched."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from redis import Redis

from runqy_tui.model.search_query import SearchHit, SearchProgress, SearchQuery
from runqy_tui.redis.reader import RedisReader
from tests.support import dialect_writers


async def found(
    reader: RedisReader, text: str, **wanted: Any
) -> tuple[list[SearchHit], SearchProgress]:
    """All hits, and the last progress."""
    hits: list[SearchHit] = []
    progress = SearchProgress()
    async with aclosing(reader.search(SearchQuery(text, **wanted))) as steps:
        async for step in steps:
            hits += step.hits
            progress = step.progress
            assert progress.found == len(hits)
    assert progress.done
    return hits, progress


def ids(hits: Iterable[SearchHit]) -> list[str]:
    return [hit.row.id for hit in hits]


def fill(writer: Redis, queue: str, amount: int, *, scored: str = "", first: int = 0) -> None:
    """Tasks ``t-0``, the oldest, to ``t-N``: pending, or in a sorted set of the same score."""
    dialect_writers.queue(writer, queue)
    pipe = writer.pipeline(transaction=False)
    for number in range(first, first + amount):
        task_id = f"t-{number}"
        payload = f'{{"number": "<{number}>"}}'
        message = dialect_writers.message(type="kind", id=task_id, queue=queue, payload=payload)
        pipe.hset(f"asynq:{{{queue}}}:t:{task_id}", mapping={"msg": message})
        if scored:
            pipe.zadd(f"asynq:{{{queue}}}:{scored}", {task_id: 1_795_478_262 + number // 700})
        else:
            pipe.lpush(f"asynq:{{{queue}}}:pending", task_id)
    pipe.execute()
