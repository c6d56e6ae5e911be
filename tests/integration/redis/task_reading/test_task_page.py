"""Pages from both ends of lists and sorted sets of any length."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Blob, QueueKey, TaskState
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.wire.transport import Batch
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import frozen_at

LENGTH = 5_000
Q = QueueKey("q")


@pytest.fixture
def long_queue(writer: redis.Redis) -> None:
    pipeline = writer.pipeline(transaction=False)
    pipeline.sadd("asynq:queues", "q")
    for number in range(LENGTH):
        pipeline.lpush("asynq:{q}:pending", f"t{number}")
        pipeline.zadd("asynq:{q}:retry", {f"t{number}": 1_000_000 + number})
    pipeline.execute()


@pytest.mark.usefixtures("long_queue")
@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.RETRY])
@pytest.mark.parametrize("offset", [0, 1, 99, 2_500, 4_900, 4_990, 4_999, 5_000, 9_999])
async def test_both_ends(reader: RedisReader, state: TaskState, offset: int) -> None:
    newest = await reader.page(Q, state, offset=offset)
    oldest = await reader.page(Q, state, offset=offset, newest_first=False)
    ids = [f"t{number}" for number in range(LENGTH)]
    assert [row.id for row in oldest.rows] == ids[offset : offset + 100]
    assert [row.id for row in newest.rows] == ids[::-1][offset : offset + 100]
    for page in (newest, oldest):
        assert (page.total, page.offset, page.state) == (LENGTH, offset, state)
        assert all(row.missing for row in page.rows)
    if state is TaskState.RETRY:
        assert all(row.when == row.score == 1_000_000 + int(row.id[1:]) for row in newest.rows)


@pytest.mark.usefixtures("long_queue")
async def test_limits(reader: RedisReader) -> None:
    assert len((await reader.page(Q, TaskState.PENDING, limit=9_999)).rows) == 1_000
    assert (await reader.page(Q, TaskState.PENDING, limit=0)).rows == ()
    assert [row.id for row in (await reader.page(Q, TaskState.PENDING, limit=1)).rows] == ["t4999"]
    assert (await reader.page(Q, TaskState.PENDING, offset=-5, limit=1)).offset == 0


@pytest.mark.usefixtures("long_queue")
async def test_cost_is_that_of_the_page(writer: redis.Redis, reader: RedisReader) -> None:
    costs = []
    for offset in (0, 2_450, 4_900):
        before = int(writer.info("stats")["total_net_output_bytes"])
        trips = reader.link.round_trips
        await reader.page(Q, TaskState.PENDING, offset=offset)
        costs.append(int(writer.info("stats")["total_net_output_bytes"]) - before)
        assert reader.link.round_trips - trips <= 3
    assert max(costs) < 2 * min(costs) < 60_000


async def test_each_state_has_its_moment(writer: redis.Redis, reader_of: OpenReader) -> None:
    fields = {
        "pending_since": "1795484100123456789",
        "completed_at": "1795484001",
        "last_failed_at": "1795484002",
        "error_msg": "é" * 600 + "x" * 2_000 + "é" * 1_500,
    }
    dialect_writers.task(writer, "q", "t", **fields)
    writer.lpush("asynq:{q}:pending", "t")
    writer.lpush("asynq:{q}:active", "t")
    for state in ("scheduled", "retry", "archived", "completed"):
        writer.zadd(f"asynq:{{q}}:{state}", {"t": 1795484200})
    reader = await reader_of(clock=frozen_at(1795484106))
    when, expires = {}, {}
    for state in TaskState:
        for row in (await reader.page(Q, state)).rows:
            when[state], expires[state] = row.when, row.expires_at
            assert row.error == "é" * 500 + "\n…\n" + "é" * 1_500
    assert when == {
        TaskState.PENDING: pytest.approx(1795484100.123456789),
        TaskState.ACTIVE: None,
        TaskState.SCHEDULED: 1795484200,
        TaskState.RETRY: 1795484200,
        TaskState.ARCHIVED: 1795484002,
        TaskState.COMPLETED: 1795484001,
    }
    assert {state for state, at in expires.items() if at} == {
        TaskState.ARCHIVED,
        TaskState.COMPLETED,
    }


async def test_moments_inside_msg(writer: redis.Redis, reader: RedisReader) -> None:
    msg = dialect_writers.message(
        type="t", id="t", last_failed_at=1795484002, completed_at=1795484001, error_msg="boom"
    )
    dialect_writers.task(writer, "q", "t", msg=msg)
    for state in ("archived", "completed"):
        writer.zadd(f"asynq:{{q}}:{state}", {"t": 1795484002})
    (archived,) = (await reader.page(Q, TaskState.ARCHIVED)).rows
    (completed,) = (await reader.page(Q, TaskState.COMPLETED)).rows
    assert (archived.when, archived.error) == (1795484002, "boom")
    assert completed.when == 1795484001


async def test_past_archive_score_is_an_expiry_in_a_runqy_queue(
    writer: redis.Redis, reader: RedisReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.queue(writer, "q")
    dialect_writers.worker(writer, "w:1", now, "map[q:1]")
    writer.zadd("asynq:{q}:archived", {"t": int(now) - 60})
    (cold,) = (await reader.page(Q, TaskState.ARCHIVED)).rows
    await reader.overview()
    (warm,) = (await reader.page(Q, TaskState.ARCHIVED)).rows
    assert (cold.expires_at, warm.expires_at) == (None, int(now) - 60)


async def test_aggregating(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.queue(writer, "q")
    for group, size in (("b", 3), ("a", 4), ("c:1", 2)):
        writer.sadd("asynq:{q}:groups", group)
        for number in range(size):
            writer.zadd(f"asynq:{{q}}:g:{group}", {f"{group}{number}": 100 + number})
    oldest = await reader.page(Q, TaskState.AGGREGATING, newest_first=False)
    everything = ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "c:10", "c:11"]
    assert [row.id for row in oldest.rows] == everything
    assert (oldest.total, oldest.groups) == (9, ("a", "b", "c:1"))
    middle = await reader.page(Q, TaskState.AGGREGATING, offset=3, limit=5, newest_first=False)
    assert [row.id for row in middle.rows] == everything[3:8]
    newest = await reader.page(Q, TaskState.AGGREGATING, limit=5)
    assert [row.id for row in newest.rows] == ["a3", "a2", "a1", "a0", "b2"]
    assert newest.rows[0].score == 103


async def test_documented_rows(writer: redis.Redis, reader: RedisReader) -> None:
    writer.lpush("asynq:plain:pending", "t1", "t2")
    writer.hset(
        "asynq:t:t1",
        mapping={"type": "img", "payload": '{"a":1}', "retry": 5, "retried": 1, "queue": "plain"},
    )
    page = await reader.page(QueueKey("plain", braced=False), TaskState.PENDING)
    missing, row = page.rows
    assert (missing.id, missing.missing) == ("t2", True)
    assert (row.type, row.payload, row.retried, row.max_retry) == ("img", Blob(b'{"a":1}', 7), 1, 5)
    assert (row.decodable, row.missing) == (True, False)


async def test_large_values_come_as_a_preview(writer: redis.Redis, reader: RedisReader) -> None:
    payload = b"x" * 1_000_000
    dialect_writers.task(
        writer, "q", "big", msg=dialect_writers.message(type="big", id="big", payload=payload)
    )
    dialect_writers.task(
        writer,
        "q",
        "mid",
        msg=dialect_writers.message(type="mid", id="mid", payload=payload[:2_000]),
    )
    dialect_writers.task(writer, "q", "err", error_msg="E" * 900_000)
    writer.lpush("asynq:{q}:pending", "big", "mid", "err")
    before = int(writer.info("stats")["total_net_output_bytes"])
    err, mid, big = (await reader.page(Q, TaskState.PENDING)).rows
    assert int(writer.info("stats")["total_net_output_bytes"]) - before < 20_000
    assert (big.type, big.payload) == ("big", Blob(b"x" * 512, 1_000_000))
    assert (mid.type, mid.payload) == ("mid", Blob(b"x" * 512, 2_000))
    assert err.error == "E" * 500 + "\n…\n"
    assert (big.retried, big.max_retry) == (None, None)
    assert (mid.retried, mid.max_retry) == (0, 0)


async def test_page_of_a_queue_that_does_not_exist(reader: RedisReader) -> None:
    for state in TaskState:
        page = await reader.page(QueueKey("nothing"), state)
        assert (page.total, page.rows) == (0, ())


async def test_an_empty_batch_is_no_round_trip(reader: RedisReader) -> None:
    assert await reader.link.trip(Batch()) == []
    assert reader.link.round_trips == 0


async def test_very_large_values_are_not_all_cut_by_redis(
    writer: redis.Redis, reader: RedisReader
) -> None:
    """To cut a part out of a hash field, Redis copies all of it: a page does so for 32 MiB."""
    msg = dialect_writers.message(type="big", id="t", payload=b"x" * 10_000_000)
    for number in range(5):
        dialect_writers.task(writer, "q", f"t{number}", msg=msg)
        writer.lpush("asynq:{q}:pending", f"t{number}")
    rows = (await reader.page(Q, TaskState.PENDING)).rows
    assert [row.type for row in rows] == ["big", "big", "big", None, None]
    assert [len(row.payload.data) for row in rows if row.payload] == [512, 512, 512, 0, 0]
    assert all(row.payload and row.payload.size >= 10_000_000 for row in rows)
    assert not any(row.missing for row in rows)
