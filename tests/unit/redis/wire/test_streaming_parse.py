"""Replies parsed as they arrive: in order, with turns for other tasks, and errors at the end."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import NoPermissionError

from runqy_tui.model import Topology
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.connecting.target import parse_url
from runqy_tui.redis.polling import overview
from runqy_tui.redis.polling.overview import Overview
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.fast_connection import ReplyStream
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.runtime import cooperative

SEEN: list[tuple[int, int]] = []
ALL = 1_000


async def by_twos(incoming: ReplyStream) -> int:
    """Take two at a time; returns how many there were in all."""
    SEEN.clear()
    for end in (2, 4, 6):
        await incoming.until(end)
        SEEN.append((end, len(incoming.replies)))
    await incoming.until(ALL)
    return len(incoming.replies)


async def arrives(incoming: ReplyStream, *replies: Reply) -> None:
    """Add replies, and let the task that waits for them run."""
    incoming.extend(list(replies))
    for _ in range(3):
        await asyncio.sleep(0)


async def test_as_far_as_the_replies_reach() -> None:
    incoming = ReplyStream(7)
    parsing = asyncio.create_task(by_twos(incoming))
    await arrives(incoming)
    assert not SEEN
    await arrives(incoming, 1, 2, 3)
    assert SEEN == [(2, 3)]
    await arrives(incoming, 4, 5, 6, 7)
    assert SEEN == [(2, 3), (4, 7), (6, 7)]
    assert await parsing == 7


async def test_all_at_once() -> None:
    incoming = ReplyStream(6)
    incoming.extend([*range(6)])
    assert await by_twos(incoming) == 6
    assert SEEN == [(2, 6), (4, 6), (6, 6)]


class _TwoParts:
    """A link that delivers its second reply after the first was parsed."""

    target = parse_url("redis://localhost")
    epoch = round_trips = 0
    topology = Topology()
    delivered = 0

    async def trip(self, batch: Batch, incoming: ReplyStream | None = None) -> list[Reply]:
        assert incoming is not None
        for reply in (1, 2):
            await arrives(incoming, reply)
            self.delivered += 1
        return incoming.replies

    async def close(self) -> None:
        raise NotImplementedError


async def test_a_fault_is_raised_when_all_replies_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "NodeLink", _TwoParts)
    link, batch = _TwoParts(), Batch()
    batch.ask("TIME")
    batch.ask("TIME")
    failed_at = []

    async def refuses(incoming: ReplyStream) -> None:
        await incoming.until(1)
        failed_at.append(link.delivered)
        raise ConnectionFailedError("no")

    with pytest.raises(ConnectionFailedError, match="no"):
        await Overview(link, float)._trip(batch, Warnings(), refuses)
    assert (failed_at, link.delivered) == ([0], 2)


async def test_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooperative, "MAX_SLICE_S", -1.0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    watching = asyncio.create_task(others())
    incoming = ReplyStream(6)
    incoming.extend([*range(6)])
    await by_twos(incoming)
    assert turns >= 4
    watching.cancel()


async def test_no_turn_where_others_had_theirs_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooperative, "MAX_SLICE_S", 60.0)
    cooperative.mark_yielded()
    others = asyncio.create_task(asyncio.sleep(0))
    for _ in range(100):
        await cooperative.yield_to_loop()
    assert not others.done()
    await others


def denied(command: str) -> NoPermissionError:
    text = f"this user has no permissions to run the '{command}' command"
    return NoPermissionError(text)


async def test_refusals_are_listed_in_the_order_of_the_replies() -> None:
    warnings = Warnings()

    async def takes_the_last_first(incoming: ReplyStream) -> str:
        await incoming.until(3)
        warnings.reply(incoming.replies[2], b"key")
        return "done"

    incoming = ReplyStream(5, warnings.refusals)
    parsing = asyncio.create_task(takes_the_last_first(incoming))
    for command in ("llen", "zcard", "lindex", "hmget"):
        await arrives(incoming, denied(command))
    await arrives(incoming, denied("mget"))
    assert await parsing == "done"
    (warning,) = warnings.texts()
    assert "run LLEN, ZCARD, LINDEX, HMGET, MGET" in warning
