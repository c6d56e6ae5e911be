"""The public JSON of a task and of its values, whatever bytes they hold."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runqy_tui.model import Blob, Dialect, QueueKey, TaskState
from runqy_tui.model.json_schema import (
    as_text,
    blob_object,
    decoded,
    snapshot_object,
    task_object,
    worker_object,
)
from runqy_tui.text.safe import decode, encode
from tests.support.builders import queue, snapshot, task, through_json, worker

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
    times: dict[str, Any] = dict.fromkeys(TASK_TIMES, 1_795_483_734)
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
        **times,
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
    assert through_json(worker_object(worker(started_at=value), 0.0))["started_at"] is None


@settings(deadline=None)
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


@settings(deadline=None)
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
