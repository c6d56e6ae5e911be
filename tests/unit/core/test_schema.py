"""The public JSON, schema 1: exact keys, null for what is unknown, floats for times."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runqy_tui.model import (
    Blob,
    Counts,
    Dialect,
    Gpu,
    Metrics,
    QueueKey,
    Recovery,
    RedisInfo,
    TaskState,
    WorkerState,
)
from runqy_tui.safetext import decode, encode
from runqy_tui.schema import (
    as_text,
    blob_object,
    decoded,
    queue_object,
    snapshot_object,
    task_object,
    worker_object,
)
from tests.unit.core.builders import NOW, queue, snapshot, task, worker

QUEUE_KEYS = [
    "name",
    "parent",
    "dialect",
    "paused",
    "counts",
    "oldest_pending_age_s",
    "processed_today",
    "failed_today",
    "succeeded_today",
    "processed_total",
    "failed_total",
    "consumers",
]
COUNT_KEYS = ["pending", "active", "scheduled", "retry", "archived", "completed", "aggregating"]
WORKER_KEYS = [
    "id",
    "dialect",
    "state",
    "healthy",
    "started_at",
    "last_beat_at",
    "last_beat_age_s",
    "concurrency",
    "queues",
    "active_tasks",
    "recovery",
    "metrics",
]
TASK_KEYS = [
    "schema",
    "id",
    "queue",
    "dialect",
    "state",
    "type",
    "payload",
    "result",
    "error",
    "headers",
    "retried",
    "max_retry",
    "timeout_s",
    "deadline",
    "pending_since",
    "next_run_at",
    "last_failed_at",
    "completed_at",
    "expires_at",
    "lease_expires_at",
    "orphaned",
    "group",
    "decodable",
    "raw_fields",
]
TASK_TIMES = [
    "deadline",
    "pending_since",
    "next_run_at",
    "last_failed_at",
    "completed_at",
    "expires_at",
    "lease_expires_at",
]


def through_json(value: object) -> Any:
    """As a program sees it that reads our output."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_the_shape_of_a_snapshot() -> None:
    seen = through_json(snapshot_object(snapshot(queues=(queue(),), workers=(worker(),))))
    assert list(seen) == ["schema", "taken_at", "redis", "queues", "workers", "warnings"]
    assert seen["schema"] == 1
    assert list(seen["redis"]) == ["address", "mode", "version", "round_trips", "elapsed_ms"]
    assert list(seen["queues"][0]) == QUEUE_KEYS
    assert list(seen["queues"][0]["counts"]) == COUNT_KEYS
    assert list(seen["workers"][0]) == WORKER_KEYS


def test_an_empty_snapshot() -> None:
    bare = snapshot(redis=RedisInfo("unix:/run/redis.sock"), taken_at=1_795_483_734)
    assert through_json(snapshot_object(bare)) == {
        "schema": 1,
        "taken_at": 1_795_483_734.0,
        "redis": {
            "address": "unix:/run/redis.sock",
            "mode": None,
            "version": None,
            "round_trips": 0,
            "elapsed_ms": 0.0,
        },
        "queues": [],
        "workers": [],
        "warnings": [],
    }
    assert isinstance(snapshot_object(bare)["taken_at"], float)


def test_a_queue_in_full() -> None:
    full = queue(
        "inference.high",
        counts=Counts(1, 2, 3, 4, 5, 6, 7),
        paused=True,
        oldest_pending_age_s=12,
        processed_today=10,
        failed_today=3,
        succeeded_today=10,
        processed_total=100,
        failed_total=30,
        succeeded_total=100,
        consumers=("gpu-1:1", "gpu-2:1"),
    )
    seen = through_json(queue_object(full))
    assert seen == {
        "name": "inference.high",
        "parent": "inference",
        "dialect": "runqy",
        "paused": True,
        "counts": dict(zip(COUNT_KEYS, range(1, 8), strict=True)),
        "oldest_pending_age_s": 12.0,
        "processed_today": 10,
        "failed_today": 3,
        "succeeded_today": 10,
        "processed_total": 100,
        "failed_total": 30,
        "consumers": ["gpu-1:1", "gpu-2:1"],
    }
    assert isinstance(queue_object(full)["oldest_pending_age_s"], float)


def test_what_is_unknown_of_a_queue_is_null() -> None:
    seen = through_json(queue_object(queue("plain", dialect=None, counts=Counts())))
    assert seen["counts"] == dict.fromkeys(COUNT_KEYS)
    unknown = [key for key, value in seen.items() if value is None]
    assert unknown == ["dialect", *QUEUE_KEYS[5:11]]
    assert (seen["parent"], seen["paused"], seen["consumers"]) == ("plain", False, [])


def test_a_worker_in_full() -> None:
    full = worker(
        "gpu-7:4312",
        WorkerState.RECOVERING,
        healthy=False,
        started_at=1_795_478_262,
        last_beat_at=1_795_483_732,
        last_beat_age_s=2,
        concurrency=4,
        queues={"inference.high": 10, "inference.low": None},
        active_tasks=("a", "b"),
        recovery={"inference": Recovery("recovering", 2, 1)},
        metrics=Metrics(
            cpu_percent=54.78,
            memory_used_bytes=10,
            memory_total_bytes=20,
            gpus=(Gpu(0, "A100", 97.0, 70_000.0, 81_920.0, 66.0),),
            collected_at=1_795_483_731.0,
        ),
    )
    assert through_json(worker_object(full)) == {
        "id": "gpu-7:4312",
        "dialect": "runqy",
        "state": "recovering",
        "healthy": False,
        "started_at": 1_795_478_262.0,
        "last_beat_at": 1_795_483_732.0,
        "last_beat_age_s": 2.0,
        "concurrency": 4,
        "queues": {"inference.high": 10, "inference.low": None},
        "active_tasks": ["a", "b"],
        "recovery": {
            "inference": {"state": "recovering", "consecutive_fails": 2, "total_restarts": 1}
        },
        "metrics": {
            "cpu_percent": 54.78,
            "memory_used_bytes": 10,
            "memory_total_bytes": 20,
            "gpus": [
                {
                    "index": 0,
                    "name": "A100",
                    "utilization_percent": 97.0,
                    "memory_used_mb": 70_000.0,
                    "memory_total_mb": 81_920.0,
                    "temperature_c": 66.0,
                }
            ],
            "collected_at": 1_795_483_731.0,
        },
    }
    for name in ("started_at", "last_beat_at", "last_beat_age_s"):
        assert isinstance(worker_object(full)[name], float)


@pytest.mark.parametrize("state", list(WorkerState))
def test_a_worker_of_which_little_is_known(state: WorkerState) -> None:
    bare = worker(state=state, dialect=Dialect.ASYNQ, last_beat_at=None, last_beat_age_s=None)
    seen = through_json(worker_object(bare))
    assert (seen["state"], seen["dialect"]) == (state.value, "asynq")
    unknown = [key for key, value in seen.items() if value is None]
    assert unknown == [
        "healthy",
        "started_at",
        "last_beat_at",
        "last_beat_age_s",
        "concurrency",
        "metrics",
    ]
    assert (seen["queues"], seen["active_tasks"], seen["recovery"]) == ({}, [], {})


def test_the_shape_of_a_task_and_null_for_what_is_unknown() -> None:
    seen = through_json(task_object(task()))
    assert list(seen) == TASK_KEYS
    known = {key: value for key, value in seen.items() if value is not None}
    assert known == {
        "schema": 1,
        "id": "id-1",
        "queue": "inference.low",
        "headers": {},
        "decodable": True,
        "raw_fields": {},
    }


def test_a_task_whose_queue_nothing_names() -> None:
    assert task_object(replace(task(), queue=QueueKey("", braced=False)))["queue"] is None


def test_a_task_in_full() -> None:
    full = task(
        dialect=Dialect.RUNQY,
        state=TaskState.ARCHIVED,
        type="inference.low",
        payload=Blob(b'{"a": 1}', 8),
        result=Blob(b"\xff\x00", 2),
        error=Blob("Traceback\n  é".encode(), 14),
        headers={"trace": "x"},
        retried=4,
        max_retry=3,
        timeout_s=60,
        orphaned=False,
        group="g",
        decodable=False,
        raw_fields={"msg": Blob(b"\x0a", 1)},
        **dict.fromkeys(TASK_TIMES, 1_795_483_734),
    )
    seen = through_json(task_object(full))
    for name in TASK_TIMES:
        assert seen.pop(name) == 1_795_483_734.0
        assert isinstance(task_object(full)[name], float)
    assert seen == {
        "schema": 1,
        "id": "id-1",
        "queue": "inference.low",
        "dialect": "runqy",
        "state": "archived",
        "type": "inference.low",
        "payload": {"bytes": 8, "truncated": False, "text": '{"a": 1}'},
        "result": {"bytes": 2, "truncated": False, "base64": "/wA="},
        "error": "Traceback\n  é",
        "headers": {"trace": "x"},
        "retried": 4,
        "max_retry": 3,
        "timeout_s": 60,
        "orphaned": False,
        "group": "g",
        "decodable": False,
        "raw_fields": {"msg": {"bytes": 1, "truncated": False, "text": "\n"}},
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_is_null(value: float) -> None:
    assert through_json(task_object(task(deadline=value)))["deadline"] is None
    assert through_json(worker_object(worker(started_at=value)))["started_at"] is None


@given(st.binary(max_size=40))
@example(b"\xff\xfe")
@example("🙂".encode()[:2])
def test_any_bytes_survive_the_json(raw: bytes) -> None:
    """Names as escaped surrogates, values as text or base64."""
    odd = task(decode(raw), headers={decode(raw): decode(raw)}, error=Blob(raw, len(raw)))
    seen = through_json(task_object(odd))
    assert encode(seen["id"]) == raw
    assert seen["headers"] == {decode(raw): decode(raw)}
    assert encode(seen["error"]) == raw
    listed = snapshot(queues=(queue(decode(raw)),), workers=(worker(decode(raw)),))
    text = json.dumps(snapshot_object(listed), allow_nan=False)
    assert text.isascii()
    assert encode(json.loads(text)["queues"][0]["name"]) == raw


@given(st.binary(max_size=40), st.integers(0, 5))
def test_a_blob_gives_back_its_bytes(raw: bytes, more: int) -> None:
    blob = Blob(raw, len(raw) + more)
    seen = blob_object(blob)
    assert seen is not None
    assert (seen["bytes"], seen["truncated"]) == (len(raw) + more, more > 0)
    assert ("text" in seen) is not ("base64" in seen)
    if "base64" in seen:
        assert base64.b64decode(seen["base64"]) == raw
    else:
        text = seen["text"].encode("utf-8")
        assert raw.startswith(text)
        assert len(raw) - len(text) <= (3 if more else 0)  # a character cut in two


def test_blobs_by_example() -> None:
    assert blob_object(None) is None
    cut = "aé🙂".encode()
    assert as_text(Blob(cut[:-1], 100)) == "aé"
    assert as_text(Blob(cut[:-1], len(cut) - 1)) is None
    assert as_text(Blob(b"", 10)) == ""
    assert decoded(Blob(b"ok \xff", 4)) == "ok \udcff"
    assert decoded(Blob(cut[:-1], 100)) == "aé"


def test_no_time_is_lost_to_rounding() -> None:
    assert snapshot_object(snapshot())["taken_at"] == NOW
    precise = snapshot(redis=RedisInfo("r:1", elapsed_ms=1.23456789))
    assert snapshot_object(precise)["redis"]["elapsed_ms"] == 1.235
