"""Ghosts and clocks as the reader tells them."""

from __future__ import annotations

from redis import Redis

from runqy_tui.redis.reader import RedisReader
from tests.integration.diagnosis.findings.diagnose_once import sentences_of
from tests.support import dialect_writers


async def test_a_ghost(writer: Redis, reader: RedisReader) -> None:
    dialect_writers.put(writer, "asynq:workers:gpu-1:9", {"status": "stopped"})
    assert await sentences_of(reader) == {"worker-ghost gpu-1:9": "warning"}


async def test_clocks_are_told_from_late_beats_by_the_ttl(
    writer: Redis, reader: RedisReader
) -> None:
    now = dialect_writers.now_of(writer)
    for name, stamp, ttl in (
        ("behind:1", now - 12, 30.0),
        ("far-behind:1", now - 50, 28.0),
        ("late:1", now - 12, 18.0),
        ("ahead:1", now + 9, 30.0),
        ("right:1", now - 4, 26.0),
    ):
        dialect_writers.worker(writer, name, stamp, "map[q:1]")
        writer.pexpire(f"asynq:workers:{name}", int(ttl * 1000))
    assert await sentences_of(reader) == {
        "worker-clock-off far-behind:1": "warning",
        "worker-clock-off behind:1": "warning",
        "worker-clock-off ahead:1": "warning",
    }
