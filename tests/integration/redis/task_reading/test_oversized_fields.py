"""Values over the limit: only the limit crosses the wire, and the rest still decodes."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Blob, QueueKey, TaskState
from runqy_tui.redis.task_reading.hash_values import REFUSED_NOTE
from tests.conftest import OpenReader
from tests.support import dialect_writers

Q = QueueKey("q")
LIMIT = 262_144
SIZE = 20_000_000


def sent(writer: redis.Redis) -> int:
    return int(writer.info("stats")["total_net_output_bytes"])


async def test_twenty_megabytes_of_payload(writer: redis.Redis, reader_of: OpenReader) -> None:
    payload = bytes(range(256)) * (SIZE // 256)
    msg = dialect_writers.message(
        type="big",
        payload=payload,
        id="t",
        queue="q",
        retry=9,
        retried=4,
        error_msg="it is too big",
        timeout=60,
        headers=[{"key": b"a", "value": b"b"}],
    )
    dialect_writers.task(writer, "q", "t", msg=msg, state="retry")
    reader = await reader_of()
    before = sent(writer)
    task = await reader.task("t", Q)
    assert sent(writer) - before < LIMIT + 5_000
    assert task is not None
    assert task.payload is not None
    assert len(task.payload.data) > LIMIT - 100
    assert task.payload == Blob(payload[: len(task.payload.data)], len(payload))
    assert task.payload.truncated
    assert (task.type, task.retried, task.max_retry, task.timeout_s) == ("big", 4, 9, 60)
    assert task.error == Blob(b"it is too big", 13)
    assert task.headers == {"a": "b"}
    assert (task.decodable, task.notes) == (True, ())
    raw = task.raw_fields["msg"]
    assert (len(raw.data), raw.size, raw.truncated) == (LIMIT, len(msg), True)


@pytest.mark.parametrize("limit", [16, 100, 1_000])
async def test_small_limits(writer: redis.Redis, reader_of: OpenReader, limit: int) -> None:
    dialect_writers.task(
        writer,
        "q",
        "t",
        msg=dialect_writers.message(type="t", payload=b"p" * 5_000, id="t", queue="q", retry=3),
        result="r" * 5_000,
        error_msg="e" * 5_000,
        mystery="m" * 5_000,
        state="archived",
    )
    writer.set("asynq:result:u", "s" * 5_000)
    dialect_writers.task(writer, "q", "u")
    reader = await reader_of(value_limit=limit)
    task = await reader.task("t", Q)
    assert task is not None
    assert task.result == Blob(b"r" * limit, 5_000)
    assert task.error == Blob(b"e" * limit, 5_000)
    assert task.raw_fields["mystery"] == Blob(b"m" * limit, 5_000)
    assert task.payload is not None
    assert task.payload.size == 5_000
    assert set(task.payload.data) == {ord("p")}
    assert (task.max_retry, task.type, task.state) == (3, "t", TaskState.ARCHIVED)
    other = await reader.task("u", Q)
    assert other is not None
    assert other.result == Blob(b"s" * limit, 5_000)


async def test_large_error_inside_msg(writer: redis.Redis, reader_of: OpenReader) -> None:
    msg = dialect_writers.message(
        type="t", payload=b"{}", id="t", error_msg="E" * 9_000, timeout=60
    )
    dialect_writers.task(writer, "q", "t", msg=msg)
    task = await (await reader_of(value_limit=1_000)).task("t", Q)
    assert task is not None
    assert task.error is not None
    assert (task.error.size, set(task.error.data)) == (9_000, {ord("E")})
    assert (task.payload, task.timeout_s, task.type) == (Blob(b"{}", 2), 60, "t")


async def test_two_large_values_in_one_msg(writer: redis.Redis, reader_of: OpenReader) -> None:
    """What stands behind a tail that is itself over the limit is unknown, and a note says so."""
    msg = dialect_writers.message(
        type="t", payload=b"p" * 9_000, id="t", error_msg="E" * 9_000, timeout=60
    )
    dialect_writers.task(writer, "q", "t", msg=msg)
    task = await (await reader_of(value_limit=1_000)).task("t", Q)
    assert task is not None
    assert task.payload is not None
    assert task.payload.size == 9_000
    assert (task.type, task.timeout_s, task.max_retry, task.decodable) == ("t", None, None, True)
    assert len(task.notes) == 1


async def test_large_garbage(writer: redis.Redis, reader_of: OpenReader) -> None:
    for task_id, msg in (("ones", b"\xff" * 9_000), ("cut", b"\x12\xff\xff\x03" + b"x" * 9_000)):
        dialect_writers.task(writer, "q", task_id, msg=msg, state="pending")
        task = await (await reader_of(value_limit=1_000)).task(task_id, Q)
        assert task is not None
        assert (task.decodable, task.payload) == (False, None)
        assert task.raw_fields["msg"] == Blob(msg[:1_000], len(msg))


async def test_without_partial_reads(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str
) -> None:
    """Where the ACL forbids scripts, up to 16 MiB are read whole and cut here."""
    rule = "on nopass %R~asynq:* +@read +@connection -@dangerous +info +time"
    dialect_writers.allow(writer, "monitor", rule)
    dialect_writers.task(
        writer, "q", "mid", msg=dialect_writers.message(type="t", id="m", payload=b"p" * 900_000)
    )
    dialect_writers.task(
        writer, "q", "big", msg=dialect_writers.message(type="t", id="b", payload=b"p" * SIZE)
    )
    writer.lpush("asynq:{q}:pending", "mid", "big")
    reader = await reader_of(bare_url.replace("unix://", "unix://monitor:x@"))
    mid, big = await reader.task("mid", Q), await reader.task("big", Q)
    assert mid is not None
    assert big is not None
    assert mid.payload == Blob(b"p" * LIMIT, 900_000)
    assert (mid.type, mid.notes) == ("t", (REFUSED_NOTE,))
    assert (big.decodable, big.payload, big.notes) == (False, None, (REFUSED_NOTE,))
    raw = big.raw_fields["msg"]
    assert (raw.data, raw.truncated) == (b"", True)
    assert raw.size > SIZE
    rows = (await reader.page(Q, TaskState.PENDING)).rows
    assert [(row.type, row.missing, row.decodable) for row in rows] == [(None, False, True)] * 2
    assert [row.payload and row.payload.data for row in rows] == [b"", b""]
    dialect_writers.forbid(writer, "monitor")
