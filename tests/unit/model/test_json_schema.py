"""The public JSON, schema 1: exact keys, null for what is unknown, floats for times."""

from __future__ import annotations

import pytest

from runqy_tui.model import (
    Counts,
    Dialect,
    Gpu,
    Metrics,
    Recovery,
    RedisInfo,
    WorkerState,
)
from runqy_tui.model.json_schema import queue_object, snapshot_object, worker_object
from tests.support.builders import NOW, queue, snapshot, through_json, worker

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


def test_the_shape_of_a_snapshot() -> None:
    seen = through_json(snapshot_object(snapshot(queues=(queue(),), workers=(worker(),))))
    assert list(seen) == ["schema", "taken_at", "redis", "queues", "workers", "warnings"]
    assert seen["schema"] == 1
    assert list(seen["redis"]) == [
        *("address", "mode", "version", "round_trips", "elapsed_ms"),
        *("primary", "nodes", "tls_unverified"),
    ]
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
            "primary": None,
            "nodes": [],
            "tls_unverified": False,
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
        oldest_pending_since=NOW - 12,
        processed_today=10,
        failed_today=3,
        succeeded_today=10,
        processed_total=100,
        failed_total=30,
        succeeded_total=100,
        consumers=("gpu-1:1", "gpu-2:1"),
    )
    seen = through_json(queue_object(full, NOW))
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
    assert isinstance(queue_object(full, NOW)["oldest_pending_age_s"], float)


def test_what_is_unknown_of_a_queue_is_null() -> None:
    seen = through_json(queue_object(queue("plain", dialect=None, counts=Counts()), NOW))
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
    assert through_json(worker_object(full, 1_795_483_734)) == {
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
        assert isinstance(worker_object(full, 1_795_483_734)[name], float)


@pytest.mark.parametrize("state", list(WorkerState))
def test_a_worker_of_which_little_is_known(state: WorkerState) -> None:
    bare = worker(state=state, dialect=Dialect.ASYNQ, last_beat_at=None)
    seen = through_json(worker_object(bare, NOW))
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


def test_no_time_is_lost_to_rounding() -> None:
    assert snapshot_object(snapshot())["taken_at"] == NOW
    precise = snapshot(redis=RedisInfo("r:1", elapsed_ms=1.23456789))
    assert snapshot_object(precise)["redis"]["elapsed_ms"] == 1.235
