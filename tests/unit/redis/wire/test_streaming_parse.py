"""Replies taken up as they come: in order, with turns for others, and faults told at the end."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import NoPermissionError

from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.polling.overview import _refusals_first
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.fast_connection import ALL, StreamingParse, Taking
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.runtime import cooperative

SEEN: list[tuple[int, int]] = []


def by_twos(replies: list[Reply]) -> Taking[int]:
    """Take two at a time; gives how many there were in all."""
    SEEN.clear()
    for end in (2, 4, 6):
        yield end
        SEEN.append((end, len(replies)))
    yield ALL
    return len(replies)


async def test_as_far_as_the_replies_reach() -> None:
    intake = StreamingParse(by_twos)
    await intake.take()
    assert not SEEN
    intake.replies += [1, 2, 3]
    await intake.take()
    assert SEEN == [(2, 3)]
    intake.replies += [4, 5, 6, 7]
    await intake.take()
    assert SEEN == [(2, 3), (4, 7), (6, 7)]
    assert await intake.finish() == 7


async def test_all_at_once() -> None:
    intake = StreamingParse(by_twos)
    intake.replies += range(6)
    assert await intake.finish() == 6
    assert SEEN == [(2, 6), (4, 6), (6, 6)]


async def test_a_fault_is_raised_when_all_replies_are_in() -> None:
    def refuses(replies: list[Reply]) -> Taking[None]:
        yield 1
        raise ConnectionFailedError("no")

    intake = StreamingParse(refuses)
    intake.replies += [1]
    await intake.take()
    intake.replies += [2]
    await intake.take()
    with pytest.raises(ConnectionFailedError, match="no"):
        await intake.finish()


async def test_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooperative, "MAX_SLICE_S", -1.0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    watching = asyncio.create_task(others())
    intake = StreamingParse(by_twos)
    intake.replies += range(6)
    await intake.finish()
    assert turns >= 4
    watching.cancel()


async def test_no_turn_where_others_had_theirs_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooperative, "MAX_SLICE_S", 60.0)
    cooperative.rested()
    others = asyncio.create_task(asyncio.sleep(0))
    for _ in range(100):
        await cooperative.breathe()
    assert not others.done()
    await others


def denied(command: str) -> NoPermissionError:
    text = f"this user has no permissions to run the '{command}' command"
    return NoPermissionError(text)


async def test_refusals_are_told_in_the_order_of_the_replies() -> None:
    warnings = Warnings()

    def takes_the_last_first(replies: list[Reply]) -> Taking[str]:
        yield 3
        warnings.reply(replies[2], b"key")
        return "done"

    def taking(replies: list[Reply]) -> Taking[str]:
        return _refusals_first(replies, warnings, takes_the_last_first(replies))

    intake = StreamingParse(taking)
    for command in ("llen", "zcard", "lindex", "hmget"):
        intake.replies.append(denied(command))
        await intake.take()
    intake.replies.append(denied("mget"))
    assert await intake.finish() == "done"
    (said,) = warnings.texts()
    assert "run LLEN, ZCARD, LINDEX, HMGET, MGET" in said
