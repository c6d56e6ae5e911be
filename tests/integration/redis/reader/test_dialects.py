"""Three writers in one key space, and what each of them leaves lying about."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Counts, Dialect, QueueKey, WorkerState
from runqy_tui.redis.polling import indexes
from tests.conftest import OpenReader
from tests.support import dialect_writers


async def test_documented_dialect(writer: redis.Redis, reader_of: OpenReader) -> None:
    writer.lpush("asynq:inference_default:pending", "t1", "t2", "t3")
    writer.lpush("asynq:inference_default:active", "t0")
    writer.hset(
        "asynq:workers:old:1",
        mapping={
            "started": "1795478262",
            "healthy": "true",
            "queue": "inference_default",
            "active_task": "t0",
        },
    )
    writer.hset("asynq:workers:old:2", mapping={"started": "x", "healthy": "false", "queue": "q"})
    reader = await reader_of()
    for _ in range(2):
        snapshot = await reader.overview()
        first, second = snapshot.workers
        assert first.dialect is Dialect.DOCUMENTED
        assert (first.state, first.healthy) == (WorkerState.RUNNING, True)
        assert (first.started_at, first.last_beat_at) == (1795478262, None)
        assert first.queues == {"inference_default": None}
        assert (first.active_tasks, first.active_count) == (("t0",), 1)
        assert (second.state, second.problems) == (WorkerState.DEGRADED, ("started",))
        queue, served = snapshot.queues
        assert queue.key == QueueKey("inference_default", braced=False)
        assert queue.dialect is Dialect.DOCUMENTED
        assert queue.counts == Counts(pending=3, active=1)
        assert (queue.processed_total, queue.succeeded_total) == (None, None)
        assert queue.consumers == ("old:1",)
        assert not queue.registered
        # Named by a worker alone: its lists are empty, so that no key of it exists.
        assert served.key == QueueKey("q", braced=False)
        assert served.consumers == ("old:2",)
        assert snapshot.warnings == (
            "Worker old:2 has fields that cannot be read: started",
            "3 tasks wait in asynq:inference_default:pending, "
            "a list without braces that no runqy worker reads",
        )
    writer.delete("asynq:workers:old:1", "asynq:workers:old:2")
    writer.delete("asynq:inference_default:pending", "asynq:inference_default:active")
    await reader.overview()
    snapshot = await reader.overview()
    assert (snapshot.queues, snapshot.workers, snapshot.warnings) == ((), (), ())


async def test_same_name_with_and_without_braces(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.pending(writer, "a.b", "t1")
    writer.lpush("asynq:a.b:pending", "t1", "t2")
    dialect_writers.worker(writer, "w:1", now, "map[a.b:1]")
    snapshot = await (await reader_of()).overview()
    braced = snapshot.queue(QueueKey("a.b"))
    bare = snapshot.queue(QueueKey("a.b", braced=False))
    assert braced is not None
    assert bare is not None
    assert (braced.counts.pending, braced.consumers) == (1, ("w:1",))
    assert (bare.counts.pending, bare.consumers) == (2, ())


async def test_set_index_of_older_workers(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "here:1", now, "a.high,a.low", index=False)
    writer.sadd("asynq:workers", "here:1", "gone:2", "asynq:workers:{h:3:u}")
    reader = await reader_of()
    for _ in range(2):
        snapshot = await reader.overview()
        found = {worker.id: (worker.state, worker.last_beat_at) for worker in snapshot.workers}
        assert found == {
            "gone:2": (WorkerState.LOST, None),
            "h:3:u": (WorkerState.LOST, None),
            "here:1": (WorkerState.RUNNING, int(now)),
        }
        here = snapshot.worker("here:1")
        assert here is not None
        assert here.queues == {"a.high": None, "a.low": None}
        assert snapshot.warnings == ()


async def test_index_that_changes_its_type(writer: redis.Redis, reader_of: OpenReader) -> None:
    writer.sadd("asynq:workers", "w:1")
    reader = await reader_of()
    await reader.overview()
    writer.delete("asynq:workers")
    writer.zadd("asynq:workers", {"w:2": 1795485612})
    await reader.overview()
    snapshot = await reader.overview()
    assert [(worker.id, worker.last_beat_at) for worker in snapshot.workers] == [
        ("w:2", 1795483812)
    ]
    assert snapshot.warnings == ()


async def test_ghosts_are_no_workers(writer: redis.Redis, reader_of: OpenReader) -> None:
    writer.hset("asynq:workers:ghost:1", "status", "stopped")
    reader = await reader_of()
    for _ in range(2):
        snapshot = await reader.overview()
        assert snapshot.workers == ()
        assert snapshot.warnings == (
            "ghost:1: a hash with only a status, left by a stopped worker: no worker",
        )
    for number in range(2, 6):
        writer.hset(f"asynq:workers:ghost:{number}", "status", "stopped")
    (warning,) = (await (await reader_of()).overview()).warnings
    assert "5 hashes with only a status" in warning
    assert warning.count("ghost:") == 3


async def test_ghost_that_is_still_in_the_index_is_lost(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    writer.hset("asynq:workers:w:1", "status", "stopped")
    writer.zadd("asynq:workers", {"w:1": 1795485612})
    (worker,) = (await (await reader_of()).overview()).workers
    assert (worker.state, worker.last_beat_at) == (WorkerState.LOST, 1795483812)


async def test_logs_are_no_workers(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.worker(writer, "w:1", dialect_writers.now_of(writer), "map[a.b:1]")
    writer.rpush("asynq:workers:w:1:logs", dialect_writers.log_line(1))
    writer.hset("asynq:workers:odd:logs", "worker_id", "odd")
    snapshot = await (await reader_of()).overview()
    assert [worker.id for worker in snapshot.workers] == ["w:1"]


async def test_queue_that_both_consume_has_no_known_successes(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.queue(writer, "both")
    dialect_writers.queue(writer, "nobody")
    for name in ("both", "nobody"):
        writer.set(f"asynq:{{{name}}}:processed", 10)
        writer.set(f"asynq:{{{name}}}:failed", 3)
    dialect_writers.worker(writer, "w:1", now, "map[both:1]")
    dialect_writers.server(writer, "h:1:u", now, {"both": 1})
    both, nobody = (await (await reader_of()).overview()).queues
    assert (both.dialect, both.succeeded_total) == (Dialect.MIXED, None)
    assert both.consumers == ("h:1:u", "w:1")
    assert (nobody.dialect, nobody.succeeded_total) == (None, None)
    assert (nobody.processed_total, nobody.failed_total) == (10, 3)


async def test_more_failures_than_attempts_give_no_negative_success(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    dialect_writers.queue(writer, "q")
    writer.set("asynq:{q}:failed", 3)
    dialect_writers.server(writer, "h:1:u", dialect_writers.now_of(writer), {"q": 1})
    (queue,) = (await (await reader_of()).overview()).queues
    assert (queue.dialect, queue.processed_total, queue.succeeded_total) == (
        Dialect.ASYNQ,
        0,
        None,
    )


async def test_names_without_a_sub_queue(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    for name in ("a.default", "a.high", "b.default", "b.high"):
        dialect_writers.queue(writer, name)
    dialect_writers.worker(writer, "running:1", now, "map[a:1]")
    dialect_writers.worker(writer, "booting:2", now, "map[b:0]", status="bootstrapping")
    snapshot = await (await reader_of()).overview()
    assert {queue.name: queue.consumers for queue in snapshot.queues} == {
        "a.default": ("running:1",),
        "a.high": (),
        "b.default": ("booting:2",),
        "b.high": ("booting:2",),
    }


async def test_queue_outside_the_index(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.pending(writer, "lonely.default", "t1")
    writer.delete("asynq:queues")
    (queue,) = (await (await reader_of()).overview()).queues
    assert (queue.name, queue.registered, queue.counts.pending) == ("lonely.default", False, 1)


async def test_clock_ahead_of_redis(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now + 90, "map[a.b:1]")
    snapshot = await (await reader_of()).overview()
    (worker,) = snapshot.workers
    assert (worker.state, snapshot.last_beat_age_s(worker)) == (WorkerState.RUNNING, 0)
    (warning,) = snapshot.warnings
    assert warning.startswith("The clock of worker w:1 is ")
    assert warning.endswith(" s ahead of Redis")


async def test_asynq_states(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    for number, status in enumerate((b"new", b"active", b"stopped", b"closed", b"odd")):
        dialect_writers.server(writer, f"h:{number}:u", now, {"q": 1}, status=status)
    dialect_writers.server(writer, "h:7:late", now - 12, {"q": 1})
    dialect_writers.server(writer, "h:8:silent", now - 60, {"q": 1})
    dialect_writers.server(writer, "h:9:bad", now, {"q": 1})
    writer.set("asynq:servers:{h:9:bad}", b"\xff\xff garbage")
    snapshot = await (await reader_of()).overview()
    assert {worker.id: worker.state for worker in snapshot.workers} == {
        "h:0:u": WorkerState.BOOTSTRAPPING,
        "h:1:u": WorkerState.RUNNING,
        "h:2:u": WorkerState.STOPPED,
        "h:3:u": WorkerState.STOPPED,
        "h:4:u": WorkerState.RUNNING,
        "h:7:late": WorkerState.RUNNING,
        "h:8:silent": WorkerState.STALE,
        "h:9:bad": WorkerState.RUNNING,
    }
    assert snapshot.warnings == ("Worker h:9:bad has fields that cannot be read: server",)


async def test_active_tasks_of_an_asynq_server_without_their_payloads(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    dialect_writers.server(writer, "h:1:u", dialect_writers.now_of(writer), {"q": 1})
    for number in range(50):
        writer.hset("asynq:workers:{h:1:u}", f"t{number}", b"x" * 100_000)
    reader = await reader_of()
    await reader.overview()
    before = int(writer.info("stats")["total_net_output_bytes"])
    (worker,) = (await reader.overview()).workers
    assert len(worker.active_tasks) == 50
    assert int(writer.info("stats")["total_net_output_bytes"]) - before < 50_000


async def test_clock_behind_redis(writer: redis.Redis, reader_of: OpenReader) -> None:
    """Stale by the rule, and yet the hash's own time to live shows a beat."""
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "slow:1", now - 100, "map[a.b:1]")
    writer.expire("asynq:workers:slow:1", 27)
    dialect_writers.worker(writer, "silent:2", now - 100, "map[a.b:1]")
    snapshot = await (await reader_of()).overview()
    assert {worker.state for worker in snapshot.workers} == {WorkerState.STALE}
    (warning,) = snapshot.warnings
    assert warning.startswith("Worker slow:1 renewed its hash within 30 s: it may be alive, ")
    assert warning.endswith("s behind Redis")


async def test_index_of_queues_in_several_steps(
    writer: redis.Redis, reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "QUEUES_PER_STEP", 100)
    names = {f"q{number:04}" for number in range(1_000)}
    writer.sadd("asynq:queues", *names)
    reader = await reader_of()
    seen: list[int] = []
    for _ in range(14):
        snapshot = await reader.overview()
        seen.append(len(snapshot.queues))
        long = [text for text in snapshot.warnings if text.startswith("asynq:queues is long")]
        if not long:
            break
    assert 100 <= seen[0] < 300
    assert seen == sorted(seen)
    assert {queue.name for queue in snapshot.queues} == names
    writer.srem("asynq:queues", "q0500")
    for _ in range(28):
        snapshot = await reader.overview()
    assert {queue.name for queue in snapshot.queues} == names - {"q0500"}


async def test_long_index_of_workers(
    writer: redis.Redis, reader_of: OpenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest beats come first, so that the dead of years cannot hide the living."""
    monkeypatch.setattr(indexes, "MOST_WORKERS", 10)
    now = dialect_writers.now_of(writer)
    writer.zadd("asynq:workers", {f"dead:{number}": 1_000 + number for number in range(50)})
    dialect_writers.worker(writer, "alive:1", now, "map[a.b:1]")
    snapshot = await (await reader_of()).overview()
    states = [worker.state for worker in snapshot.workers]
    assert states == [WorkerState.RUNNING, *[WorkerState.LOST] * 9]
    assert snapshot.warnings == ("The index of workers is long: only 10 members were read",)
