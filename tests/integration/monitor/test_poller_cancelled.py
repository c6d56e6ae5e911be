"""A poller ends when it is told to, whatever it is waiting for."""

from __future__ import annotations

import asyncio

from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.redis.reader import open_reader


async def unheard(_result: PollResult) -> None:
    """Nobody listens."""


async def test_a_poller_ends_wherever_it_is_cancelled(redis_url: str) -> None:
    """Python 3.11's ``wait_for``, in redis-py, loses a cancellation that meets its end."""
    for turns in range(40):
        poller = Poller(lambda: open_reader(redis_url), unheard, 60)
        task = asyncio.ensure_future(poller.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done, f"still running when cancelled after {turns} turns of the loop"
        assert task.cancelled()
