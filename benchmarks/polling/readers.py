"""Each way to read a fleet, as one asynchronous call that reads everything once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from benchmarks.kit.sizes import Size
from benchmarks.polling.commands import full_refresh

Poll = Callable[[], Awaitable[object]]

_SAMPLE = 20
"""Tasks of each state that asynq's inspector weighs."""
_SCAN_COUNT = 100
_ON_SCREEN = 30
_STATS = """
local found, base = {}, KEYS[1]
for i, state in ipairs({'pending', 'active'}) do
  found[#found + 1] = redis.call('llen', base .. state)
end
for i, state in ipairs({'scheduled', 'retry', 'archived', 'completed'}) do
  found[#found + 1] = redis.call('zcard', base .. state)
end
for i, name in ipairs({'processed', 'failed', 'paused'}) do
  found[#found + 1] = redis.call('get', base .. name)
end
local oldest = redis.call('lrange', base .. 'pending', -1, -1)[1]
if oldest then
  found[#found + 1] = redis.call('hget', base .. 't:' .. oldest, 'pending_since')
end
return found
"""
_MEMORY = """
local bytes, base, most = 0, KEYS[1], ARGV[1] - 1
local function weigh(ids, size)
  local sum = 0
  for i, id in ipairs(ids) do sum = sum + redis.call('memory', 'usage', base .. 't:' .. id) end
  if #ids > 0 then bytes = bytes + sum / #ids * size end
end
for i, state in ipairs({'pending', 'active'}) do
  weigh(redis.call('lrange', base .. state, 0, most), redis.call('llen', base .. state))
end
for i, state in ipairs({'scheduled', 'retry', 'archived', 'completed'}) do
  weigh(redis.call('zrange', base .. state, 0, most), redis.call('zcard', base .. state))
end
return bytes
"""


@asynccontextmanager
async def ours(url: str, _size: Size) -> AsyncIterator[Poll]:
    """The monitor's own reader."""
    from runqy_tui.redis.reader import open_reader

    reader = await open_reader(url)
    try:
        yield reader.overview
    finally:
        await reader.close()


@asynccontextmanager
async def changed(url: str, size: Size) -> AsyncIterator[Poll]:
    """The same as the screen uses it: within a budget, with some queues to be seen."""
    from runqy_tui.config.settings import DEFAULT_BUDGET
    from runqy_tui.model import QueueKey
    from runqy_tui.redis.reader import open_reader

    reader = await open_reader(url, budget=DEFAULT_BUDGET)
    queues = [QueueKey(name) for name in size.queue_names[:_ON_SCREEN]]
    reader.prioritize(queues, size.worker_ids[:_ON_SCREEN])
    try:
        yield reader.overview
    finally:
        await reader.close()


@asynccontextmanager
async def pipeline(url: str, size: Size) -> AsyncIterator[Poll]:
    """redis-py as one uses it: a pipeline of all commands."""
    from redis.asyncio import Redis

    commands = full_refresh(size)
    client = Redis.from_url(url)

    async def poll() -> object:
        batch = client.pipeline(transaction=False)
        for command in commands:
            batch.execute_command(*command)
        return await batch.execute(raise_on_error=False)

    try:
        yield poll
    finally:
        await client.aclose()


@asynccontextmanager
async def inspector(url: str, _size: Size) -> AsyncIterator[Poll]:
    """asynq's inspector: for each queue its statistics, and then the memory of a sample."""
    from redis.asyncio import Redis

    client = Redis.from_url(url)
    stats, memory = client.register_script(_STATS), client.register_script(_MEMORY)

    async def poll() -> object:
        found = []
        for name in await client.smembers("asynq:queues"):
            assert isinstance(name, bytes)
            base = b"asynq:{" + name + b"}:"
            found.append((await stats(keys=[base]), await memory(keys=[base], args=[_SAMPLE])))
        return found

    try:
        yield poll
    finally:
        await client.aclose()


@asynccontextmanager
async def scan(url: str, _size: Size) -> AsyncIterator[Poll]:
    """runqy's web page: workers by a walk through all keys, each read by itself."""
    from redis.asyncio import Redis

    client = Redis.from_url(url)

    async def poll() -> object:
        keys = client.scan_iter("asynq:workers:*", count=_SCAN_COUNT)
        return [await client.hgetall(key) async for key in keys]

    try:
        yield poll
    finally:
        await client.aclose()


@asynccontextmanager
async def by_keys(url: str, _size: Size) -> AsyncIterator[Poll]:
    """KEYS, which no monitor should send: shows what it costs other clients."""
    from redis.asyncio import Redis

    client = Redis.from_url(url)

    async def poll() -> object:
        return await client.keys("asynq:workers:*")

    try:
        yield poll
    finally:
        await client.aclose()


WAYS = {
    "ours": ours,
    "changed": changed,
    "pipeline": pipeline,
    "inspector": inspector,
    "scan": scan,
    "keys": by_keys,
}
