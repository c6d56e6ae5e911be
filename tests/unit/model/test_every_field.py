"""Every field of every model record reaches what people and programs read.

Each field is set by reflection to a value of its own. Where an output stays the same, the field
was forgotten there, unless it is on the list of those that are left out on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from enum import Enum
from typing import Any, TypeAlias, get_args, get_type_hints

import pytest

from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.model import (
    HEARTBEAT_FIELDS,
    Blob,
    Counts,
    Dialect,
    FieldKind,
    Gpu,
    Metrics,
    Node,
    Queue,
    QueueKey,
    Recovery,
    RedisInfo,
    ServerHealth,
    Snapshot,
    Task,
    TaskState,
    Topology,
    Worker,
    WorkerState,
)
from runqy_tui.model.json_schema import snapshot_object, task_object
from runqy_tui.monitor.store import Rates
from runqy_tui.redis.polling.queue_builder import build_queue
from runqy_tui.redis.polling.queue_state import CachedQueue, QueueCounters, QueueReading
from runqy_tui.redis.polling.redis_server import health_of
from runqy_tui.redis.polling.worker_parsing import FIELDS, classify, parse_hash
from runqy_tui.report import MonitorStatistics, build_report, to_markdown, to_object
from runqy_tui.runtime.cooperative import run_to_end
from runqy_tui.tui.screens import queue_modal, task_facts, worker_modal
from tests.support.builders import NOW

Record: TypeAlias = Any
"""A dataclass of the model; mypy has no name for all of them."""

GPU = Gpu(0, "A100", 50.0, 1_000.0, 2_000.0, 60.0)
METRICS = Metrics(50.0, 1_000, 2_000, (GPU,), NOW - 3)
RECOVERY = Recovery("recovering", 2, 1)
BASE_WORKER = Worker(
    "gpu-1:1",
    Dialect.RUNQY,
    WorkerState.RECOVERING,
    healthy=True,
    status="running",
    started_at=NOW - 3_600,
    last_beat_at=NOW - 2,
    clock_offset_s=1.0,
    concurrency=4,
    queues={"a.b": 1},
    active_tasks=("t1",),
    active_count=1,
    recovery={"a": RECOVERY},
    metrics=METRICS,
    instance_id="as-1",
    protected=False,
    problems=("protected",),
)
BASE_QUEUE = Queue(
    QueueKey("a.b"),
    Dialect.RUNQY,
    Counts(1, 1, 1, 1, 1, 1, 1),
    paused=True,
    paused_at=NOW - 60,
    oldest_pending_since=NOW - 30,
    processed_today=10,
    failed_today=1,
    succeeded_today=9,
    processed_total=100,
    failed_total=11,
    succeeded_total=89,
    consumers=("gpu-1:1",),
    groups=("g",),
    next_retry_at=NOW + 60,
    next_scheduled_at=NOW + 60,
)
BASE_INFO = RedisInfo("r:1", "standalone", "7.2.4", where=Topology("r:1", nodes=(Node("r:1"),)))
BASE_TASK = Task("t1", QueueKey("a.b"), NOW, payload=Blob(b"p", 1), max_retry=3, retried=1)


def sample(kind: Any, before: Any) -> Any:
    """Another value of a type than ``before``, plausible wherever a field of that type occurs."""
    kinds = [one for one in get_args(kind) or (kind,) if one is not type(None)]
    kind = kinds[0]
    if kind is bool:
        return not before
    if kind in (int, float):
        return kind((before or 0) + 1_234_567)
    if kind is str:
        return "degraded" if before == "recovering" else f"{before or ''}another"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(one for one in kind if one is not before)
    samples: dict[Any, Any] = {
        QueueKey: QueueKey("another.queue"),
        Blob: Blob(b"another", 7),
        Metrics: replace(METRICS, cpu_percent=99.0),
        Counts: Counts(9, 9, 9, 9, 9, 9, 9),
        Topology: replace(BASE_INFO.where, primary="another:1"),
    }
    return samples.get(kind)


SAMPLES: dict[tuple[type, str], Any] = {
    (Worker, "queues"): {"another.queue": 7},
    (Worker, "active_tasks"): ("another",),
    (Worker, "recovery"): {"another": RECOVERY},
    (Worker, "problems"): ("another",),
    (Metrics, "gpus"): (replace(GPU, name="another"),),
    (Queue, "consumers"): ("another:1", "gpu-1:1"),
    (Queue, "groups"): ("another",),
    (Topology, "nodes"): (Node("another:1"),),
    (Task, "headers"): {"another": "header"},
    (Task, "raw_fields"): {"another": Blob(b"raw", 3)},
    (Task, "notes"): ("another note",),
    (Task, "unique_key"): "asynq:{a.b}:unique:another",
}


def variants(record: Record) -> Iterator[tuple[str, Record]]:
    """The record with one field changed, for each of its fields."""
    kind = type(record)
    hints = get_type_hints(kind, vars(__import__(kind.__module__, fromlist=["_"])))
    for one in fields(kind):
        before = getattr(record, one.name)
        value = SAMPLES.get((kind, one.name))
        value = sample(hints[one.name], before) if value is None else value
        assert value not in (None, before), f"no sample for {kind.__name__}.{one.name}"
        yield one.name, replace(record, **{one.name: value})


def worker_of(record: Record) -> Worker:
    """The worker that a record belongs to."""
    if isinstance(record, Gpu):
        record = replace(METRICS, gpus=(record,))
    if isinstance(record, Metrics):
        return replace(BASE_WORKER, metrics=record)
    if isinstance(record, Recovery):
        return replace(BASE_WORKER, recovery={"a": record})
    assert isinstance(record, Worker)
    return record


def queue_of(record: Record) -> Queue:
    """The queue that a record belongs to."""
    queue = replace(BASE_QUEUE, counts=record) if isinstance(record, Counts) else record
    assert isinstance(queue, Queue)
    return queue


def snapshot_of(record: Record) -> Snapshot:
    """A snapshot with this record in it."""
    if isinstance(record, Worker | Metrics | Gpu | Recovery):
        return Snapshot(NOW, BASE_INFO, (), (worker_of(record),))
    if isinstance(record, Queue | Counts):
        return Snapshot(NOW, BASE_INFO, (queue_of(record),), (BASE_WORKER,))
    if isinstance(record, Topology):
        record = replace(BASE_INFO, where=record)
    assert isinstance(record, RedisInfo)
    return Snapshot(NOW, record)


def in_json(record: Record) -> str:
    """JSON schema 1."""
    if isinstance(record, Task):
        return json.dumps(task_object(record))
    return json.dumps(snapshot_object(snapshot_of(record)))


def in_window(record: Record) -> str:
    """The facts in the window of a task, a queue or a worker."""
    if isinstance(record, Task):
        return str([task_facts.headline(record), task_facts.facts(record)])
    if isinstance(record, Queue | Counts):
        return str(queue_modal.facts(queue_of(record), Rates(), None, NOW))
    worker = worker_of(record)
    return str([worker_modal.facts(worker, NOW), worker_modal.meters(worker).plain])


def in_report(record: Record) -> str:
    """The report as Markdown and as JSON."""
    diagnosis = run_to_end(Diagnoser().update(snapshot_of(record), None))
    statistics = MonitorStatistics("1.0", polls=1)
    report = build_report(diagnosis, made_at=NOW, statistics=statistics)
    return to_markdown(report) + json.dumps(to_object(report))


SCHEMA_1 = "schema 1 is public and has no such field"
OTHER_TAB = "stands in another tab of the window"
UNUSED = "a moment by which others are shown"
HEADER = "shown in the header"
SHORT = "the report has the most urgent, and its JSON is schema 1"

LEFT_OUT: Mapping[tuple[Callable[[Record], str], type], Mapping[str, str]] = {
    (in_json, Worker): dict.fromkeys(
        ("status", "clock_offset_s", "active_count", "instance_id", "protected", "problems"),
        SCHEMA_1,
    ),
    (in_json, Queue): dict.fromkeys(
        (
            "paused_at",
            "oldest_estimated",
            "succeeded_total",
            "groups",
            "registered",
            "next_retry_at",
            "next_scheduled_at",
        ),
        SCHEMA_1,
    ),
    (in_json, Task): dict.fromkeys(
        ("taken_at", "unique_key", "retention_s", "ttl_s", "gone", "notes"), SCHEMA_1
    ),
    (in_json, RedisInfo): dict.fromkeys(("commands", "oldest_s"), SCHEMA_1),
    (in_json, Topology): dict.fromkeys(
        ("switched_from", "switched_at", "switched_ago_s", "problem"), SCHEMA_1
    ),
    (in_window, Worker): {
        "clock_offset_s": "a finding has it where it matters",
        "queues": OTHER_TAB,
        "active_tasks": OTHER_TAB,
    },
    (in_window, Metrics): {"collected_at": UNUSED},
    (in_window, Queue): {
        "processed_today": "succeeded_today is what is meant by it",
        "next_retry_at": "a finding has it where it is overdue",
        "next_scheduled_at": "a finding has it where it is overdue",
    },
    (in_window, Task): {"taken_at": UNUSED, "error": OTHER_TAB, "raw_fields": OTHER_TAB},
    (in_report, Worker): dict.fromkeys(("status", "instance_id", "protected"), SHORT),
    (in_report, Queue): dict.fromkeys(
        ("oldest_estimated", "succeeded_total", "groups", "next_retry_at", "next_scheduled_at"),
        SHORT,
    ),
    (in_report, RedisInfo): dict.fromkeys(("commands", "oldest_s"), HEADER),
}
"""Fields that an output leaves out on purpose, with the reason."""

OUTPUTS: Sequence[tuple[Callable[[Record], str], Sequence[Record]]] = (
    (
        in_json,
        (
            BASE_WORKER,
            METRICS,
            GPU,
            RECOVERY,
            BASE_QUEUE,
            BASE_QUEUE.counts,
            BASE_TASK,
            BASE_INFO,
            BASE_INFO.where,
        ),
    ),
    (
        in_window,
        (BASE_WORKER, METRICS, GPU, RECOVERY, BASE_QUEUE, BASE_QUEUE.counts, BASE_TASK),
    ),
    (in_report, (BASE_WORKER, METRICS, GPU, RECOVERY, BASE_QUEUE, BASE_QUEUE.counts, BASE_INFO)),
)


@pytest.mark.parametrize(
    ("output", "base"), [(output, base) for output, bases in OUTPUTS for base in bases]
)
def test_every_field_is_shown_or_left_out_on_purpose(
    output: Callable[[Record], str], base: Record
) -> None:
    before = output(base)
    unseen = {name for name, changed in variants(base) if output(changed) == before}
    assert unseen == set(LEFT_OUT.get((output, type(base)), {}))


def filled(kind: type, *found: object) -> set[str]:
    """Fields with a default that at least one of these objects has set to something else."""
    return optional(kind) & {
        one.name
        for one in fields(kind)
        for record in found
        if getattr(record, one.name) not in (one.default, None, (), {})
    }


def optional(kind: type) -> set[str]:
    """Fields of a record that have a default, and so would be missed by nobody."""
    return {
        one.name
        for one in fields(kind)
        if one.default is not MISSING or one.default_factory is not MISSING
    }


GPU_JSON = {
    "index": 1,
    "name": "A100",
    "utilization_percent": 97,
    "memory_used_mb": 1,
    "memory_total_mb": 2,
    "temperature_c": 60,
}
METRICS_JSON = {
    "cpu_percent": 5,
    "memory_used_bytes": 1,
    "memory_total_bytes": 2,
    "gpus": [GPU_JSON],
    "collected_at": 7,
}
BY_KIND: Mapping[FieldKind, str] = {
    "text": "a text",
    "whole": "4",
    "flag": "true",
    "moment": "1000",
}
RUNQY_HASH = {one.name: BY_KIND[one.kind] for one in HEARTBEAT_FIELDS} | {
    "worker_id": "w:1",
    "started_at": "900",
    "last_beat": "1000",
    "concurrency": "4",
    "queues": "map[a.b:1]",
    "status": "running",
    "healthy": "1",
    "metrics": json.dumps(METRICS_JSON),
    "recovery": '{"a":{"state":"idle","consecutive_fails":1,"total_restarts":2}}',
    "instance_id": "as-1",
    "protected": "true",
}


def worker_from(values: Mapping[str, str]) -> Worker:
    """The worker of a hash, with a clock that is half a second ahead."""
    raw = {name.encode(): value.encode() for name, value in values.items()}
    parsed = parse_hash("w:1", [raw.get(name) for name in FIELDS])
    assert parsed is not None
    return classify(parsed.worker, None, 0.5, 1_001.0)


def test_a_hash_fills_every_field_of_a_worker() -> None:
    runqy = worker_from(RUNQY_HASH)
    documented = worker_from({"started": "900", "queue": "q", "active_task": "t1"})
    broken = worker_from(RUNQY_HASH | {"recovery": "{"})
    assert filled(Worker, runqy, documented, broken) == optional(Worker)
    assert runqy.metrics is not None
    assert filled(Metrics, runqy.metrics) == optional(Metrics)
    assert filled(Gpu, runqy.metrics.gpus[0]) == optional(Gpu)
    assert filled(Recovery, runqy.recovery["a"]) == optional(Recovery)


def test_a_heartbeat_keeps_every_field() -> None:
    hashes = [RUNQY_HASH, RUNQY_HASH | {"last_beat": "1005"}]
    first, second = (
        [values[name.decode()].encode() if name.decode() in values else None for name in FIELDS]
        for values in hashes
    )
    before = parse_hash("w:1", first)
    assert before is not None
    assert parse_hash("w:1", second, before) == parse_hash("w:1", second)


def test_replies_fill_every_field_of_a_queue() -> None:
    reading = QueueReading(
        dict.fromkeys((state for state in TaskState if state is not TaskState.AGGREGATING), 1),
        groups=("g",),
        counters=QueueCounters([b"900", b"100", b"11", b"10", b"1"]),
        day="2026-11-24",
        aggregating=1,
        due_at={TaskState.RETRY: 9.0, TaskState.SCHEDULED: 9.0},
    )
    memory = CachedQueue(QueueKey("a.b"), dialect=Dialect.RUNQY)
    memory.probe.since, memory.probe.estimated = 900.0, True
    queue = build_queue(memory, reading, ("w:1",), "2026-11-24")
    assert queue.registered is False
    assert filled(Queue, queue) == optional(Queue)
    assert filled(Counts, queue.counts) == optional(Counts)


def test_info_fills_every_field_of_the_server_health() -> None:
    info = {
        "role": "master",
        "master_link_status": "up",
        "used_memory": "5",
        "maxmemory": "9",
        "maxmemory_policy": "noeviction",
        "evicted_keys": "3",
        "rdb_last_bgsave_status": "err",
    }
    assert filled(ServerHealth, health_of(info)) == optional(ServerHealth)
