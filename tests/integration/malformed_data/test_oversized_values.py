"""Values of absurd size: what crosses the wire stays bounded, and the screen says what is missing.

The bounds in bytes are asserted; how long each takes is bounded by the deadline of a poll.
"""

from __future__ import annotations

import pytest
import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.diagnosis.signatures.error_survey import group
from runqy_tui.model import QueueKey, TaskState, WorkerState
from runqy_tui.redis.polling import indexes as index_module
from runqy_tui.redis.polling import queue_poller as queues_module
from runqy_tui.redis.reader import RedisReader, open_reader
from runqy_tui.redis.task_reading.hash_values import REFUSED_NOTE
from runqy_tui.redis.worker_logs import MOST_BYTES, MOST_LINE_BYTES
from tests.conftest import OpenReader
from tests.support import dialect_writers, oversized_values
from tests.support.text_outputs import check_forms, check_task

Q = QueueKey("q")
LIMIT = 262_144


def sent(writer: redis.Redis) -> int:
    return int(writer.info("stats")["total_net_output_bytes"])


@pytest.fixture
async def without_scripts(server: EmbeddedServer, writer: redis.Redis) -> RedisReader:
    dialect_writers.allow(writer, "plain", "on nopass %R~asynq:* +@read +@connection +info +time")
    return await open_reader(server.url.replace("unix://", "unix://plain:x@"))


async def test_a_hundred_megabytes_of_payload(
    writer: redis.Redis, reader_of: OpenReader, without_scripts: RedisReader
) -> None:
    dialect_writers.queue(writer, "q")
    oversized_values.long_message(
        writer, "asynq:{q}:t:big", 100 * oversized_values.MIB, retry=7, error_msg="too big"
    )
    writer.lpush("asynq:{q}:pending", "big")
    reader = await reader_of()
    before = sent(writer)
    (row,) = (await reader.page(Q, TaskState.PENDING)).rows
    task = await reader.task("big", Q)
    assert sent(writer) - before < 2 * LIMIT
    assert row.payload is not None
    assert row.payload.size > 100 * oversized_values.MIB
    assert task is not None
    assert task.payload is not None
    assert (task.payload.size, task.max_retry, task.notes) == (100 * oversized_values.MIB, 7, ())
    assert len(task.payload.data) <= LIMIT
    check_task(task)

    before = sent(writer)
    await without_scripts.page(Q, TaskState.PENDING)
    task = await without_scripts.task("big", Q)
    await without_scripts.close()
    assert sent(writer) - before < 10_000
    assert task is not None
    assert REFUSED_NOTE in task.notes
    check_task(task)


async def test_an_error_of_ten_million_characters(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.task(writer, "q", "t", state="archived")
    writer.zadd("asynq:{q}:archived", {"t": 1795484107})
    oversized_values.long_field(
        writer, "asynq:{q}:t:t", "error_msg", "ValueError: ", "é\n", 5_000_000
    )
    before = sent(writer)
    (row,) = (await reader.page(Q, TaskState.ARCHIVED)).rows
    task = await reader.task("t", Q)
    assert sent(writer) - before < 2 * LIMIT
    assert row.error is not None
    assert len(row.error) < 3_000
    assert task is not None
    assert task.error is not None
    assert (len(task.error.data), task.error.size) == (LIMIT, 15_000_012)
    (found,) = group([(Q, row)])
    assert found.headline.startswith("ValueError: é")
    check_task(task)


async def test_long_ids_and_types(writer: redis.Redis, reader: RedisReader) -> None:
    task_id = "i" * 65_536
    dialect_writers.pending(writer, "q", task_id)
    oversized_values.long_field(
        writer, f"asynq:{{q}}:t:{task_id}", "type", "", "t", oversized_values.MIB
    )
    writer.hdel(f"asynq:{{q}}:t:{task_id}", "msg")
    for _ in range(2):
        snapshot = await reader.overview()
    assert snapshot.queues[0].counts.pending == 1
    (row,) = (await reader.page(Q, TaskState.PENDING)).rows
    assert (row.id, len(row.type or "")) == (task_id, 2_048)
    task = await reader.task(task_id, Q)
    assert task is not None
    assert task.id == task_id
    check_task(task)
    check_forms(snapshot, rows=[(Q, row)])


BOMBS = {
    "long": ("", " ", 10 * oversized_values.MIB),
    "deep": ("", '{"a":', 100_000),
    "number": ('{"cpu_percent":', "9", oversized_values.MIB),
    "number at the limit": ('{"cpu_percent":', "9", 200_000),
}


@pytest.mark.parametrize("scripts", [True, False], ids=["cut there", "read whole"])
async def test_fields_of_a_worker(
    writer: redis.Redis, reader_of: OpenReader, without_scripts: RedisReader, scripts: bool
) -> None:
    """Where the server may cut, no field is read beyond the limit; else it is read whole once."""
    now = dialect_writers.now_of(writer)
    for name, (before_it, unit, times) in BOMBS.items():
        dialect_writers.worker(writer, name, now, "map[q:1]")
        for field in ("metrics", "recovery", "instance_id"):
            oversized_values.long_field(
                writer, f"asynq:workers:{name}", field, before_it, unit, times
            )
    dialect_writers.worker(writer, "good", now, "map[q:1]", recovery='{"a":{"state":"idle"}}')
    doubled = '{"a":{"state":"recovering"},"a":{"state":"degraded"},"cpu":NaN,"x":1e999}'
    dialect_writers.worker(writer, "twice", now, "map[q:1]", recovery=doubled, metrics=doubled)
    reader = await reader_of() if scripts else without_scripts
    sizes = []
    for _ in range(3):
        start = sent(writer)
        snapshot = await reader.overview()
        sizes.append(sent(writer) - start)
        found = {worker.id: worker for worker in snapshot.workers}
        assert found.keys() == {*BOMBS, "good", "twice"}
        assert found["good"].problems == ()
        assert found["twice"].state is WorkerState.DEGRADED
        long = "metrics (over 256 KiB)"
        for name in ("long", "deep", "number"):
            assert long in found[name].problems
            assert dict(found[name].queues) == {"q": 1}
        assert "metrics" in found["number at the limit"].problems
        assert [text for text in snapshot.warnings if text.startswith("Worker long has fields")]
    whole = 12 * LIMIT
    assert max(sizes if scripts else sizes[1:]) < whole
    check_forms(snapshot)
    await without_scripts.close()


async def test_worker_with_a_hundred_thousand_fields(
    writer: redis.Redis, reader: RedisReader
) -> None:
    dialect_writers.worker(writer, "w:1", dialect_writers.now_of(writer), "map[q:1]")
    script = "for i=1,100000 do redis.call('hset',KEYS[1],'field'..i,'x') end"
    writer.eval(script, 1, "asynq:workers:w:1")
    before = sent(writer)
    (worker,) = (await reader.overview()).workers
    assert sent(writer) - before < 20_000
    assert (worker.state, worker.problems) == (WorkerState.RUNNING, ())


async def test_maps_of_ten_thousand_queues(writer: redis.Redis, reader: RedisReader) -> None:
    now = dialect_writers.now_of(writer)
    pipe = writer.pipeline(transaction=False)
    for number in range(40):
        dialect_writers.worker(
            pipe, f"w:{number:02}", now, oversized_values.many_queues(number, 10_000)
        )
    dialect_writers.worker(pipe, "longer", now, oversized_values.many_queues(0, 30_000))
    pipe.execute()
    dialect_writers.queue(writer, "w7.queue-00042")
    for _ in range(2):
        snapshot = await reader.overview()
    longer, *others = snapshot.workers
    assert [len(worker.queues) for worker in others] == [10_000] * 40
    assert longer.problems == ("queues (over 256 KiB)",)
    assert 10_000 < len(longer.queues) < 30_000
    assert snapshot.queues[0].consumers == ("w:07",)


async def test_huge_server(writer: redis.Redis, reader: RedisReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.server(writer, "h:1:u", now, {})
    writer.set("asynq:servers:{h:1:u}", oversized_values.huge_server(500_000))
    before = sent(writer)
    (worker,) = (await reader.overview()).workers
    assert sent(writer) - before < LIMIT + 20_000
    assert worker.problems == ("server (over 256 KiB)",)
    assert (worker.concurrency, worker.queues["queue-000007"]) == (8, 1)


async def test_log_lines_of_a_megabyte(
    writer: redis.Redis, reader: RedisReader, without_scripts: RedisReader
) -> None:
    key = "asynq:workers:w:1:logs"
    oversized_values.long_lines(writer, key, 50, oversized_values.MIB)
    writer.rpush(key, dialect_writers.log_line(51, "short"))
    for asked, most in ((reader, 20 * MOST_LINE_BYTES), (without_scripts, 2 * MOST_BYTES)):
        before = sent(writer)
        batch = await asked.logs("w:1")
        assert sent(writer) - before < most
        *long, last = batch.lines
        assert (last.seq, last.text, last.source) == (51, "short", "stderr")
        assert 7 <= len(long) <= 16
        assert long[-1].text.startswith("xxxx")
        assert long[-1].text.endswith("x… (1,048,630 bytes)")
        assert (long[-1].seq, long[-1].source, long[-1].at) == (50, "stderr", 1795484095.421)
        assert batch.problem == "The log is over 8 MiB: its older lines are not read"
    await without_scripts.close()


async def test_a_full_log_without_scripts(
    writer: redis.Redis, reader: RedisReader, without_scripts: RedisReader
) -> None:
    lines = [dialect_writers.log_line(number, "e" * (number % 700)) for number in range(520)]
    writer.rpush("asynq:workers:w:1:logs", *lines)
    plain = await without_scripts.logs("w:1")
    assert plain == await reader.logs("w:1")
    assert [line.seq for line in plain.lines] == list(range(20, 520))
    assert plain.problem is None
    await without_scripts.close()


async def test_five_thousand_groups(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.queue(writer, "q")
    dialect_writers.queue(writer, "other")
    oversized_values.names(writer, "asynq:{q}:groups", 5_000, 12)
    writer.sadd("asynq:{other}:groups", "g")
    writer.zadd("asynq:{other}:g:g", {"t": 1})
    for name in writer.sscan_iter("asynq:{q}:groups", count=1_000):
        writer.zadd(b"asynq:{q}:g:" + name, {b"id" + name: 1})
    for _ in range(3):
        snapshot = await reader.overview()
        other, queue = snapshot.queues
        assert (other.counts.aggregating, queue.counts.aggregating) == (1, None)
        assert len(queue.groups) == 1_000
        assert snapshot.warnings == (
            "Queue q has over 1,000 groups: their tasks are not counted, and 1,000 of them are "
            "listed",
        )
    page = await reader.page(Q, TaskState.AGGREGATING)
    assert (page.total, len(page.rows), len(page.groups)) == (1_000, 100, 1_000)
    assert page.problem == "asynq:{q}:groups is long: 1,000 groups are listed"


async def test_groups_of_all_queues_together(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues_module, "MAX_GROUPS_IN_ALL", 50)
    for name in ("a", "b", "c"):
        dialect_writers.queue(writer, name)
        oversized_values.names(writer, f"asynq:{{{name}}}:groups", 20, 12)
    for _ in range(5):
        snapshot = await reader.overview()
        counts = [queue.counts.aggregating for queue in snapshot.queues]
        assert sorted(counts, key=str) == [0, 0, None]
        assert snapshot.warnings == (
            "All queues together have over 50 groups: the tasks of some are not counted",
        )


async def test_too_many_names_of_a_kilobyte(writer: redis.Redis, reader: RedisReader) -> None:
    oversized_values.names(writer, "asynq:queues", 25_000, 1_024)
    for _ in range(2):
        before = sent(writer)
        snapshot = await reader.overview()
        assert sent(writer) - before < 40 * oversized_values.MIB
        assert len(snapshot.queues) == 1_024
        left = [text for text in snapshot.warnings if text.startswith("There are too many queues")]
        assert len(left) == 1
    assert snapshot.redis.round_trips == 1


async def test_headers_by_the_hundred_thousand(writer: redis.Redis, reader: RedisReader) -> None:
    headers = [{"key": b"header-%06d" % number, "value": b"v"} for number in range(100_000)]
    msg = dialect_writers.message(
        type="t", id="t", queue="q", payload=b"{}", retry=3, headers=headers
    )
    dialect_writers.task(writer, "q", "t", msg=msg)
    before = sent(writer)
    task = await reader.task("t", Q)
    assert sent(writer) - before < 3 * LIMIT
    assert task is not None
    assert (task.type, task.payload and task.payload.data) == ("t", b"{}")
    assert 1_000 < len(task.headers) < 30_000
    assert task.notes == ("msg is very large: its fields behind the payload were not read",)
    check_task(task)


async def test_more_queues_than_a_poll_reads(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are read stay the same, so that their rates can be told."""
    monkeypatch.setattr(queues_module, "MAX_QUEUES", 5)
    writer.sadd("asynq:queues", *(f"q{number}" for number in range(8)))
    seen = [await reader.overview() for _ in range(3)]
    assert [len(snapshot.queues) for snapshot in seen] == [5, 5, 5]
    assert len({tuple(queue.name for queue in snapshot.queues) for snapshot in seen}) == 1
    left_out = "There are too many queues, or their names are too long: 5 are read, 3 are left out"
    assert {snapshot.warnings for snapshot in seen} == {(left_out,)}
    writer.srem("asynq:queues", *(queue.name for queue in seen[0].queues[:3]))
    for _ in range(3):
        snapshot = await reader.overview()
    assert len(snapshot.queues) == 5
    assert snapshot.warnings == ()


async def test_an_index_without_end(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "QUEUES_PER_STEP", 100)
    monkeypatch.setattr(index_module, "MOST_QUEUES", 300)
    writer.sadd("asynq:queues", *(f"q{number:04}" for number in range(1_000)))
    seen = [await reader.overview() for _ in range(8)]
    assert all(len(snapshot.queues) < 600 for snapshot in seen)
    warning_texts = {text for snapshot in seen for text in snapshot.warnings}
    assert any("asynq:queues is long: only 3" in text for text in warning_texts)
