"""Tasks of the captures, to the last field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runqy_tui.model import Blob, DayCount, Dialect, QueueKey, Task, TaskState
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support.captures import Captures, frozen_at

ASYNQ_AT = 1795484031.0
BUSY_AT = 1795484106.0


async def opened(captures: Captures, reader_of: OpenReader, name: str) -> RedisReader:
    taken_at = captures.load(name)
    return await reader_of(clock=frozen_at(taken_at))


async def found(reader: RedisReader, task_id: str) -> Task:
    task = await reader.task(task_id)
    assert task is not None
    return task


async def test_asynq_completed_with_binary_payload(
    captures: Captures, reader_of: OpenReader
) -> None:
    reader = await opened(captures, reader_of, "asynq-01")
    task = await found(reader, "206effe4-9ccf-46cb-9898-d335955d7cd1")
    assert set(task.raw_fields) == {"msg", "result", "state"}
    assert replace(task, raw_fields={}) == Task(
        id="206effe4-9ccf-46cb-9898-d335955d7cd1",
        queue=QueueKey("critical"),
        taken_at=ASYNQ_AT,
        dialect=None,  # cold: nothing has told who consumes the queue
        state=TaskState.COMPLETED,
        type="image:binary",
        payload=Blob(b"\x00\x01\x02\xff\xfe\x80", 6),
        result=Blob(b"\x89PNG\xff\xfe\x00\x01", 8),
        retried=0,
        max_retry=25,
        timeout_s=1800,
        completed_at=1795483924,
        expires_at=1795570324,
        orphaned=False,
        retention_s=86400,
    )
    await reader.overview()
    assert (await found(reader, task.id)).dialect is Dialect.ASYNQ


async def test_asynq_error_is_inside_msg(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "asynq-01")
    task = await found(reader, "65cfc0d7-d9cf-4b56-8302-2853bc412166")
    text = b"resize failed: connection refused\n  at worker.go:42"
    assert task.error == Blob(text, len(text))
    assert task.dialect is Dialect.ASYNQ
    assert task.state is TaskState.ARCHIVED
    assert (task.last_failed_at, task.expires_at) == (1795483924, None)
    assert (task.retried, task.max_retry) == (0, 0)
    retry = await found(reader, "6148463e-8747-459d-a3b8-1a817c741260")
    assert (retry.retried, retry.max_retry, retry.next_run_at) == (2, 2, 1795485128)


async def test_asynq_active_headers_group_and_unique_key(
    captures: Captures, reader_of: OpenReader
) -> None:
    reader = await opened(captures, reader_of, "asynq-01")
    active = await found(reader, "92fdd4f4-2c6c-4749-a548-b92533ee4bf9")
    assert (active.lease_expires_at, active.orphaned) == (1795484056, False)
    assert active.timeout_s == 43200
    deadlined = await found(reader, "253d8c43-9bf4-4f0b-9d7f-97218bac10d2")
    assert (deadlined.timeout_s, deadlined.deadline) == (None, 1795555923)
    headed = await found(reader, "8c69ebd6-1037-43fc-8511-b369ddb145ee")
    assert headed.headers == {"trace-id": "abc123", "lang": "fr"}
    assert headed.pending_since == pytest.approx(1795483923.9288228)
    grouped = await found(reader, "57392c8a-ffb5-4021-9b9b-0447d4c869ed")
    assert (grouped.group, grouped.state) == ("tenant:7", TaskState.AGGREGATING)
    unique = await found(reader, "b5bc6c63-10bf-420e-ae0e-899bcb4a9edf")
    assert unique.unique_key == ("asynq:{low}:unique:email:digest:cfeb4906248f18cb94f202711c2a34cf")
    scheduled = await found(reader, "fixed-task-id:2026")
    assert scheduled.next_run_at == 1795570323


async def test_runqy_archived_has_its_traceback(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    task = await found(reader, "ed73dcfa-3d74-4099-a788-61a9bf39afe0")
    assert task.error is not None
    assert task.error.data.startswith(b"permanent failure: Traceback (most recent call last):\n")
    assert task.error.data.endswith(b"prompt too long (4097 > 4096 tokens)\n")
    assert not task.error.truncated
    assert replace(task, raw_fields={}, error=None) == Task(
        id="ed73dcfa-3d74-4099-a788-61a9bf39afe0",
        queue=QueueKey("inference.default"),
        taken_at=BUSY_AT,
        dialect=Dialect.RUNQY,
        state=TaskState.ARCHIVED,
        type="inference.default",
        payload=Blob(b'{"action":"fail"}', 17),
        retried=3,
        max_retry=3,
        last_failed_at=1795479282,
        expires_at=1795738482,
        orphaned=False,
    )


async def test_runqy_active_after_a_lost_lease(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    task = await found(reader, "ee68bc99-8a38-444c-b67f-c66d1203cff3")
    assert task.state is TaskState.ACTIVE
    assert task.error == Blob(b"lease expired", 13)
    assert (task.retried, task.max_retry, task.timeout_s) == (1, 3, 600)
    assert (task.lease_expires_at, task.orphaned) == (1795484173, False)
    late = await reader_of(clock=frozen_at(1795484173 + 31))
    assert (await found(late, task.id)).orphaned is True


async def test_runqy_completed_twice_encoded(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    task = await found(reader, "7f1d9cb4-c255-4ba1-bd39-82ee59d53ee0")
    assert task.result == Blob(b'{"ok": true, "attempt": 1}', 26)
    assert (task.completed_at, task.last_failed_at) == (1795478312, 1795478301)
    assert (task.expires_at, task.retention_s) == (1795564712, None)


async def test_task_whose_storage_is_off_is_gone(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    task = await found(reader, "4134e4a2-912e-4134-8fe2-f58f8be48d02")
    assert (task.gone, task.state, task.queue) == (True, None, QueueKey("nostore.default"))
    assert task.notes
    assert await reader.task(task.id, QueueKey("nostore.default")) == task
    assert await reader.task(task.id, QueueKey("flaky.default")) is None
    assert await reader.task("no such id") is None


async def test_scheduled_in_runqy_is_past_due(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    page = await reader.page(QueueKey("flaky.default"), TaskState.SCHEDULED, newest_first=False)
    assert [(row.id, row.when) for row in page.rows] == [
        ("655a7ce2-1601-4658-93c3-8767d47361fb", 1795478931),
        ("07583dd4-4430-4d94-b1c2-61b5ac54ee81", 1795482528),
    ]
    assert page.taken_at > 1795482528


async def test_archived_page(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    page = await reader.page(QueueKey("oneshot.default"), TaskState.ARCHIVED)
    assert [row.when for row in page.rows] == [1795479293, 1795478928]
    assert [row.expires_at for row in page.rows] == [1795738493, 1795738128]
    for row in page.rows:
        assert row.error is not None
        assert row.error.startswith("permanent failure: Traceback (most recent call last):")
    asynq = await opened_beside(captures, reader_of)
    page = await asynq.page(QueueKey("critical"), TaskState.ARCHIVED)
    assert [(row.when, row.expires_at, row.error) for row in page.rows] == [
        (1795483924, None, "unsupported codec: skip retry for the task")
    ]


async def opened_beside(captures: Captures, reader_of: OpenReader) -> RedisReader:
    taken_at = captures.load("asynq-01")
    return await reader_of(clock=frozen_at(taken_at))


async def test_every_listed_task_can_be_opened(captures: Captures, reader_of: OpenReader) -> None:
    for name in ("runqy-02", "runqy-04", "runqy-07", "asynq-01"):
        captures.writer.flushall()
        reader = await opened(captures, reader_of, name)
        snapshot = await reader.overview()
        for queue in snapshot.queues:
            for state in TaskState:
                page = await reader.page(queue.key, state)
                assert page.total == queue.counts.of(state) == len(page.rows)
                for row in page.rows:
                    task = await reader.task(row.id, queue.key)
                    if row.missing:
                        assert task is None or task.gone
                        continue
                    assert task is not None
                    assert task.decodable
                    assert task.state is state
                    assert task.type == row.type
                    assert (task.retried, task.max_retry) == (row.retried, row.max_retry)
                    assert (task.error is None) == (row.error is None)


async def test_logs(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    batch = await reader.logs("vm:22744")
    assert [line.seq for line in batch.lines] == list(range(201, 701))
    assert (batch.missed, batch.exists, batch.undecodable) == (0, True, 0)
    first = batch.lines[0]
    assert first.text == "\x1b[32mDEBUG\x1b[0m step 105 loss=0.0094 é中🚀\ttab"
    assert (first.source, first.at) == ("stderr", 1795484095.421)
    assert [line.seq for line in (await reader.logs("vm:22744", 698)).lines] == [699, 700]
    assert (await reader.logs("vm:22744", 150)).missed == 50
    quiet = await reader.logs("vm:28676")
    assert (quiet.lines, quiet.exists) == ((), False)


async def test_active_tasks_of_an_asynq_server(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "asynq-01")
    first, second = await reader.active_tasks("vm:28941:cf1925f6-58e8-47b0-995f-fe9f4782e9e4")
    assert (first.id, first.queue, first.type) == (
        "92fdd4f4-2c6c-4749-a548-b92533ee4bf9",
        "critical",
        "report:slow",
    )
    assert first.started_at == pytest.approx(1795483924.1267312)
    assert first.deadline == pytest.approx(1795527124.1267307)
    assert (second.queue, second.deadline) == ("default", 1795555923)
    assert await reader.active_tasks("vm:1:none") == ()


async def test_daily(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    days = await reader.daily_counts(QueueKey("inference.high"), 3)
    assert days == (
        DayCount("2026-11-22", 0, 0),
        DayCount("2026-11-23", 6, 0),
        DayCount("2026-11-24", 1, 0),
    )
    await reader.overview()
    assert await reader.daily_counts(QueueKey("inference.high"), 3) == days
    assert len(await reader.daily_counts(QueueKey("inference.high"))) == 14
    assert await reader.daily_counts(QueueKey("x", braced=False)) == ()


async def test_position(captures: Captures, reader_of: OpenReader) -> None:
    reader = await opened(captures, reader_of, "runqy-07")
    queue, task_id = QueueKey("flaky.default"), "07583dd4-4430-4d94-b1c2-61b5ac54ee81"
    assert await reader.position(queue, TaskState.SCHEDULED, task_id) == 1
    assert await reader.position(queue, TaskState.RETRY, task_id) is None
    assert await reader.position(queue, TaskState.PENDING, task_id) is None
    assert await reader.position(queue, TaskState.SCHEDULED, "nothing") is None
