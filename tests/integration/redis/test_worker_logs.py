"""Worker logs by sequence number: gaps, garbage, order."""

from __future__ import annotations

import redis

from runqy_tui.redis.reader import RedisReader
from tests.support import dialect_writers

KEY = "asynq:workers:w:1:logs"


async def test_gaps_are_counted(writer: redis.Redis, reader: RedisReader) -> None:
    for seq in (11, 12, 15, 16, 20):
        writer.rpush(KEY, dialect_writers.log_line(seq))
    first = await reader.logs("w:1")
    assert ([line.seq for line in first.lines], first.missed) == ([11, 12, 15, 16, 20], 5)
    assert (await reader.logs("w:1", 5)).missed == 10
    assert (await reader.logs("w:1", 10)).missed == 5
    later = await reader.logs("w:1", 16)
    assert ([line.seq for line in later.lines], later.missed) == ([20], 3)
    nothing = await reader.logs("w:1", 20)
    assert (nothing.lines, nothing.missed, nothing.exists) == ((), 0, True)


async def test_garbage_between_lines(writer: redis.Redis, reader: RedisReader) -> None:
    bad = (
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b'{"seq": 3}',
        b'{"seq": "3", "text": "x"}',
        b'{"seq": true, "text": "x"}',
        b'{"seq": -1, "text": "x"}',
        b'{"seq": 1e300, "text": "x"}',
        b'{"seq": 99999999999999999999, "text": "x"}',
        b"[" * 100_000,
    )
    for line in bad:
        writer.rpush(KEY, line)
    writer.rpush(
        KEY,
        dialect_writers.log_line(2, "two", ts="later", src=5),
        dialect_writers.log_line(1, "one"),
    )
    batch = await reader.logs("w:1")
    assert [(line.seq, line.text) for line in batch.lines] == [(1, "one"), (2, "two")]
    assert (batch.lines[1].at, batch.lines[1].source) == (None, None)
    assert batch.undecodable == len(bad)
    assert batch.missed == 0


async def test_raw_text_is_kept(writer: redis.Redis, reader: RedisReader) -> None:
    text = "\x1b]52;c;eA==\x07 \u202e \ud800 \x00"
    writer.rpush(KEY, dialect_writers.log_line(1, text))
    (line,) = (await reader.logs("w:1")).lines
    assert line.text == text


async def test_no_log_and_no_list(writer: redis.Redis, reader: RedisReader) -> None:
    assert not (await reader.logs("w:1")).exists
    writer.set(KEY, "a string")
    assert not (await reader.logs("w:1")).exists
