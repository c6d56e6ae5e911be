"""A close look at listed tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from runqy_tui.model import CheckedTask, CheckWindow, QueueKey, TaskState, WindowCheck
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import Captures, frozen_at

Q = QueueKey("q")
READ_ONLY = "on nopass %R~asynq:* +@read +@connection -@dangerous +info"


def window(
    name: str, state: TaskState = TaskState.ACTIVE, offset: int = 0, limit: int = 100
) -> CheckWindow:
    return CheckWindow(QueueKey(name), state, offset, limit)


async def audited(reader: RedisReader, *windows: CheckWindow) -> tuple[WindowCheck, ...]:
    before = reader.link.round_trips
    found = await reader.check_tasks(windows)
    assert reader.link.round_trips - before <= 3
    assert [audit.window for audit in found] == list(windows)
    return found


async def only(reader: RedisReader, task_id: str, asked: CheckWindow | None = None) -> CheckedTask:
    (audit,) = await audited(reader, asked or window("q"))
    (found,) = (task for task in audit.tasks if task.id == task_id)
    return found


def meanwhile(
    reader: RedisReader, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    """Have something happen right after the reader's next round trip."""
    trip = reader.link.trip
    done: list[bool] = []

    async def then(batch: Batch) -> list[Reply]:
        replies = await trip(batch)
        if not done:
            done.append(True)
            act()
        return replies

    monkeypatch.setattr(reader.link, "trip", then)


async def test_active_in_a_capture(captures: Captures, reader_of: OpenReader) -> None:
    taken_at = captures.load("runqy-07")
    reader = await reader_of(clock=frozen_at(taken_at))
    asked = (window("crashy.default"), window("oneshot.default"))
    crashy, oneshot = await audited(reader, *asked)
    assert crashy == WindowCheck(
        window=asked[0],
        taken_at=taken_at,
        total=1,
        tasks=(
            CheckedTask(
                id="ee68bc99-8a38-444c-b67f-c66d1203cff3",
                state=TaskState.ACTIVE,
                lease_expires_at=1795484173,
                timeout_s=600,
                last_failed_at=1795483993,
            ),
        ),
    )
    assert oneshot.total == 4
    assert oneshot.tasks == tuple(
        CheckedTask(task_id, state=TaskState.ACTIVE, lease_expires_at=1795484219, timeout_s=600)
        for task_id in (
            "fa02efb6-7188-4fb0-9f8a-3908c0263479",
            "af3917d1-e8ed-4ae6-b70c-2a1e27cfb128",
            "62054149-a30b-4540-af25-cc05192d22ef",
            "c3febdc2-07e2-4f8f-a9b0-5f7cf16be87a",
        )
    )


async def test_active_of_a_degraded_worker(captures: Captures, reader_of: OpenReader) -> None:
    """The retry has cost the task its timeout: unknown, and not 0."""
    reader = await reader_of(clock=frozen_at(captures.load("runqy-03")))
    held = await only(reader, "76612dfa-0857-47fe-82c4-d6365788e395", window("crashy.default"))
    assert (held.timeout_s, held.lease_expires_at) == (None, 1795483875)
    assert held.last_failed_at == 1795483744


async def test_pending_and_scored_in_a_capture(captures: Captures, reader_of: OpenReader) -> None:
    reader = await reader_of(clock=frozen_at(captures.load("runqy-07")))
    pending, retry, scheduled, completed = await audited(
        reader,
        window("inference.low", TaskState.PENDING),
        window("flaky.default", TaskState.RETRY),
        window("flaky.default", TaskState.SCHEDULED),
        window("flaky.default", TaskState.COMPLETED),
    )
    assert [task.id for task in pending.tasks] == [
        "b4373e7a-ab46-4447-8c27-0bd8236dbe4b",
        "a22487ea-3bb0-4e98-bd68-bba61a853374",
        "863a69b3-c138-43a0-9ddb-7a8351e3e5e0",
    ]
    assert [task.pending_since for task in pending.tasks] == pytest.approx(
        [1795484100.227937498, 1795484100.232747066, 1795484100.233668497]
    )
    assert {task.lease_expires_at for task in pending.tasks} == {None}
    assert [(task.state, task.last_failed_at) for task in retry.tasks] == [
        (TaskState.RETRY, 1795484097)
    ] * 2
    assert [task.id for task in scheduled.tasks] == [
        "655a7ce2-1601-4658-93c3-8767d47361fb",
        "07583dd4-4430-4d94-b1c2-61b5ac54ee81",
    ]
    assert {(task.state, task.timeout_s) for task in scheduled.tasks} == {(TaskState.SCHEDULED, 60)}
    assert {(task.completed_at, task.last_failed_at) for task in completed.tasks} == {
        (1795478312, 1795478301)
    }


async def test_asynq_keeps_times_in_msg(captures: Captures, reader_of: OpenReader) -> None:
    reader = await reader_of(clock=frozen_at(captures.load("asynq-01")))
    critical, default, archived, completed = await audited(
        reader,
        window("critical"),
        window("default"),
        window("critical", TaskState.ARCHIVED),
        window("critical", TaskState.COMPLETED, limit=1),
    )
    assert critical.tasks == (
        CheckedTask(
            "92fdd4f4-2c6c-4749-a548-b92533ee4bf9",
            state=TaskState.ACTIVE,
            lease_expires_at=1795484056,
            timeout_s=43200,
        ),
    )
    assert default.tasks == (
        CheckedTask(
            "253d8c43-9bf4-4f0b-9d7f-97218bac10d2",
            state=TaskState.ACTIVE,
            lease_expires_at=1795484056,
            deadline=1795555923,
        ),
    )
    assert [task.last_failed_at for task in archived.tasks] == [1795483924]
    assert [task.completed_at for task in completed.tasks] == [1795483951]
    assert (completed.total, len(completed.tasks)) == (4, 1)


async def test_orphans_and_dangling_ids(writer: redis.Redis, reader: RedisReader) -> None:
    for task_id in ("leased", "expired", "orphan"):
        dialect_writers.task(writer, "q", task_id, state="active")
    writer.lpush("asynq:{q}:active", "leased", "expired", "orphan", "dangling")
    writer.zadd("asynq:{q}:lease", {"leased": 2_000_000_000, "expired": 5})
    writer.lpush("asynq:{q}:pending", "nothing")
    writer.zadd("asynq:{q}:retry", {"nowhere": 7})
    active, pending, retry = await audited(
        reader, window("q"), window("q", TaskState.PENDING), window("q", TaskState.RETRY)
    )
    assert active.tasks == (
        CheckedTask("leased", state=TaskState.ACTIVE, lease_expires_at=2_000_000_000),
        CheckedTask("expired", state=TaskState.ACTIVE, lease_expires_at=5),
        CheckedTask("orphan", state=TaskState.ACTIVE),
        CheckedTask("dangling", missing=True),
    )
    assert (pending.tasks, retry.tasks) == (
        (CheckedTask("nothing", missing=True),),
        (CheckedTask("nowhere", missing=True),),
    )


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 60),
        ({"active_timeout": "90"}, 90),
        ({"active_timeout": "0"}, None),
        ({"active_timeout": "soon"}, 60),
        ({"active_timeout": ""}, 60),
        ({"msg": b"garbage \xff"}, None),
        ({"msg": b"garbage \xff", "timeout": "30"}, 30),
        ({"msg": b"garbage \xff", "timeout": "-1"}, None),
        ({"msg": dialect_writers.message(type="t", id="t", timeout=-5)}, None),
    ],
)
async def test_timeouts(
    writer: redis.Redis, reader: RedisReader, fields: dict[str, str | bytes], seconds: float | None
) -> None:
    msg = dialect_writers.message(type="t", id="t", payload=b"{}", timeout=60)
    dialect_writers.task(writer, "q", "t", **({"msg": msg, "state": "active"} | fields))
    writer.lpush("asynq:{q}:active", "t")
    found = await only(reader, "t")
    assert found == CheckedTask("t", state=TaskState.ACTIVE, timeout_s=seconds)


@pytest.mark.parametrize(
    ("written", "seconds"), [("3600", 3600), ("0", None), ("x", None), (None, None)]
)
async def test_pending_timeout(
    writer: redis.Redis, reader: RedisReader, written: str | None, seconds: float | None
) -> None:
    dialect_writers.pending(writer, "q", "t", since=1795484100)
    if written is not None:
        writer.hset("asynq:{q}:t:t", "pending_timeout", written)
    found = await only(reader, "t", window("q", TaskState.PENDING))
    assert (found.pending_since, found.pending_timeout_s) == (1795484100, seconds)


async def test_only_a_small_msg_is_read(writer: redis.Redis, reader: RedisReader) -> None:
    size = len(dialect_writers.message(type="t", timeout=60, payload=b"x" * 4_000))
    for task_id, more in (("fits", 4_096 - size), ("large", 4_097 - size), ("huge", 2_000_000)):
        msg = dialect_writers.message(type="t", timeout=60, payload=b"x" * (4_000 + more))
        dialect_writers.task(writer, "q", task_id, msg=msg, state="active")
    writer.lpush("asynq:{q}:active", "fits", "large", "huge")
    writer.hset("asynq:{q}:t:huge", "active_timeout", 5)
    before = int(writer.info("stats")["total_net_output_bytes"])
    (audit,) = await audited(reader, window("q"))
    own = int(writer.info("stats")["total_net_output_bytes"]) - before
    assert [(task.id, task.timeout_s) for task in audit.tasks] == [
        ("fits", 60),
        ("large", None),
        ("huge", 5),
    ]
    assert own < 15_000


async def test_both_ends_of_a_window(writer: redis.Redis, reader: RedisReader) -> None:
    ids = [f"t{number}" for number in range(50)]
    for number, task_id in enumerate(ids):
        writer.lpush("asynq:{q}:pending", task_id)
        writer.zadd("asynq:{q}:retry", {task_id: number})
    for state in (TaskState.PENDING, TaskState.RETRY):
        for offset in (0, 1, 7, 45, 49, 50, 99):
            for limit in (0, 1, 10):
                (audit,) = await audited(reader, window("q", state, offset, limit))
                assert [task.id for task in audit.tasks] == ids[offset : offset + limit]
                assert audit.total == 50
    for offset, limit in ((-5, 3), (0, -3)):
        (audit,) = await audited(reader, window("q", TaskState.PENDING, offset, limit))
        assert [task.id for task in audit.tasks] == ids[: max(0, limit)]


async def test_a_thousand_in_all(writer: redis.Redis, reader: RedisReader) -> None:
    for name in ("a", "b", "c"):
        writer.lpush(f"asynq:{{{name}}}:active", *(f"t{number}" for number in range(2_000)))
    asked = [window(name, limit=600) for name in ("a", "b", "c")]
    before = int(writer.info("stats")["total_commands_processed"])
    audits = await audited(reader, *asked)
    sent = int(writer.info("stats")["total_commands_processed"]) - before
    assert [len(audit.tasks) for audit in audits] == [600, 400, 0]
    assert [audit.total for audit in audits] == [2_000] * 3
    assert audits[1].tasks[-1].id == "t399"
    assert sent < 4_020
    (one,) = await audited(reader, window("a", limit=10_000))
    assert len(one.tasks) == 1_000


async def test_what_leaves_meanwhile_is_left_out(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that finishes a task deletes its hash: that is no dangling id."""
    for task_id in ("done", "stays", "late"):
        dialect_writers.task(writer, "q", task_id, state="active")
    writer.lpush("asynq:{q}:active", "done", "stays", "late", "dangling")
    dialect_writers.task(writer, "q", "again", state="retry")
    writer.zadd("asynq:{q}:retry", {"forwarded": 5, "again": 6, "gone": 7})

    def act() -> None:
        writer.lrem("asynq:{q}:active", 1, "done")
        writer.delete("asynq:{q}:t:done")
        writer.zrem("asynq:{q}:retry", "forwarded")

    meanwhile(reader, monkeypatch, act)
    active, retry = await audited(
        reader, window("q", offset=0, limit=4), window("q", TaskState.RETRY)
    )
    assert [(task.id, task.missing) for task in active.tasks] == [
        ("stays", False),
        ("late", False),
        ("dangling", True),
    ]
    assert [(task.id, task.missing) for task in retry.tasks] == [("again", False), ("gone", True)]
    assert (active.total, retry.total) == (3, 2)


async def test_what_moves_up_meanwhile_stays(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect_writers.pending(writer, "q", *(f"t{number}" for number in range(20)))
    meanwhile(reader, monkeypatch, lambda: writer.rpop("asynq:{q}:pending", 3))
    (audit,) = await audited(reader, window("q", TaskState.PENDING, 10, 5))
    assert [task.id for task in audit.tasks] == ["t10", "t11", "t12", "t13", "t14"]


async def test_lists_without_braces(writer: redis.Redis, reader: RedisReader) -> None:
    plain = QueueKey("plain", braced=False)
    writer.lpush("asynq:plain:active", "p1", "p2")
    writer.hset("asynq:t:p1", mapping={"payload": "x", "timeout": "30", "state": "active"})
    (audit,) = await audited(reader, CheckWindow(plain, TaskState.ACTIVE, 0, 10))
    assert audit.tasks == (
        CheckedTask("p1", state=TaskState.ACTIVE, timeout_s=30),
        CheckedTask("p2", missing=True),
    )


async def test_nothing_to_look_at(writer: redis.Redis, reader: RedisReader) -> None:
    assert await audited(reader) == ()
    writer.sadd("asynq:{q}:groups", "g")
    writer.zadd("asynq:{q}:g:g", {"a": 1})
    empty, groups = await audited(reader, window("none"), window("q", TaskState.AGGREGATING))
    assert (empty.total, empty.tasks, groups.total, groups.tasks) == (0, (), 0, ())
    assert await reader.read_outcomes([]) == ()


async def test_bad_data(writer: redis.Redis, reader: RedisReader) -> None:
    writer.lpush("asynq:{q}:active", "no hash", b"\xff\xfe", "odd")
    writer.set("asynq:{q}:t:no hash", "x")
    writer.hset(b"asynq:{q}:t:\xff\xfe", mapping={"state": "ACTIVE", "pending_since": "never"})
    writer.hset("asynq:{q}:t:odd", "mystery", "x")
    writer.set("asynq:{q}:lease", "x")
    writer.set("asynq:{q}:pending", "x")
    active, pending = await audited(reader, window("q"), window("q", TaskState.PENDING))
    ids = ("no hash", "\udcff\udcfe", "odd")
    assert active.tasks == tuple(CheckedTask(task_id, lease_unread=True) for task_id in ids)
    assert (pending.total, pending.tasks) == (0, ())
    fates = await reader.read_outcomes([(Q, task.id) for task in active.tasks])
    assert fates == tuple(map(CheckedTask, ids))


async def test_with_the_documented_acl(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str
) -> None:
    dialect_writers.allow(writer, "mon", READ_ONLY)
    dialect_writers.task(
        writer, "q", "t", state="active", msg=dialect_writers.message(type="t", timeout=60)
    )
    writer.lpush("asynq:{q}:active", "t")
    writer.zadd("asynq:{q}:lease", {"t": 5})
    reader = await reader_of(bare_url.replace("unix://", "unix://mon:x@"))
    seen = CheckedTask("t", state=TaskState.ACTIVE, lease_expires_at=5, timeout_s=60)
    assert await only(reader, "t") == seen
    assert await reader.read_outcomes([(Q, "t")]) == (CheckedTask("t", state=TaskState.ACTIVE),)
    dialect_writers.forbid(writer, "mon")


@pytest.mark.parametrize("command", ["zscore", "lrange", "llen", "hmget", "exists"])
async def test_a_refusal_is_no_finding(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str, command: str
) -> None:
    """Without ZSCORE every task would look orphaned: better to say that it may not be asked."""
    dialect_writers.allow(writer, "mon", f"{READ_ONLY} -{command}")
    dialect_writers.task(writer, "q", "t", state="active")
    writer.lpush("asynq:{q}:active", "t")
    reader = await reader_of(bare_url.replace("unix://", "unix://mon:x@"))
    with pytest.raises(AccessDeniedError, match=command.upper()):
        await reader.check_tasks([window("q")])
    dialect_writers.forbid(writer, "mon")


async def test_samples_for_error_signatures(captures: Captures, reader_of: OpenReader) -> None:
    """asynq tells the error of a retry in its message; runqy-worker records none."""
    reader = await reader_of(clock=frozen_at(captures.load("asynq-01")))
    page = await reader.page(QueueKey("default"), TaskState.RETRY)
    assert sorted(row.error or "" for row in page.rows) == [
        'handler not found for task "no:handler"',
        *["resize failed: connection refused\n  at worker.go:42"] * 3,
    ]
    captures.load("runqy-07")
    for name, count in (("flaky.default", 2), ("inference.default", 1), ("oneshot.default", 1)):
        page = await reader.page(QueueKey(name), TaskState.RETRY)
        assert [row.error for row in page.rows] == [None] * count
        page = await reader.page(QueueKey(name), TaskState.ARCHIVED)
        assert all(row.error for row in page.rows)
