"""Values of a task's hash, and how a task is put together from them."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.model import Blob, Dialect, QueueKey, Task, TaskState
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.decoding.codec import open_whole
from runqy_tui.redis.task_reading.build_task import FoundTask, task_of
from runqy_tui.redis.task_reading.hash_values import Values
from tests.support.dialect_writers import message

NOW = 1795484106.0


def put_together(
    fields: dict[str, bytes],
    *,
    braced: bool = True,
    indexed: bool = False,
    consumed_by: Dialect | None = None,
    ttl_ms: int | None = -1,
    scores: dict[str, float] | None = None,
) -> Task:
    data = {name.encode(): value for name, value in fields.items()}
    values = Values({name: len(value) for name, value in data.items()}, data)
    msg = data.get(b"msg")
    found = FoundTask(
        queue=QueueKey("q", braced),
        task_id="t",
        now=NOW,
        scores=dict(scores or {}),
        unread_scores=frozenset(),
        ttl_ms=ttl_ms,
        indexed=indexed,
        notes=[],
        values=values,
        opened=None if msg is None else open_whole(msg, 1_000),
    )
    return task_of(found, consumed_by, 1_000)


MSG = message(type="t", id="t", payload=b"{}", retry=3)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"1795483923928494002", 1795483923.928494),
        (b"1795483923", 1795483923.0),
        (b"1795483923.5", 1795483923.5),
        (b"100000000000000", None),
        (b"100000000000001", 100000.000000001),
        (b"0", None),
        (b"-5", None),
        (b"", None),
        (b"junk", None),
        (b"nan", None),
        (b"inf", None),
        (b"1e400", None),
        (b"9" * 400, None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_pending_since(raw: bytes | None, expected: float | None) -> None:
    found = field_parsing.pending_since(raw)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"12", 12), (b" 12 ", 12), (b"-3", -3), (b"1.5", None), (b"", None), (b"--1", None)],
)
def test_whole_numbers(raw: bytes, expected: int | None) -> None:
    assert field_parsing.whole(raw) == expected


@pytest.mark.parametrize(
    ("fields", "more", "dialect"),
    [
        ({"payload": b"x"}, {"braced": False}, Dialect.DOCUMENTED),
        ({"type": b"x"}, {}, Dialect.DOCUMENTED),
        ({"msg": MSG}, {"indexed": True}, Dialect.RUNQY),
        ({"msg": MSG, "error_msg": b"x"}, {}, Dialect.RUNQY),
        ({"msg": MSG, "retried": b"1"}, {}, Dialect.RUNQY),
        ({"msg": MSG, "ttl_archived": b"0"}, {}, Dialect.RUNQY),
        ({"msg": MSG}, {"consumed_by": Dialect.ASYNQ}, Dialect.ASYNQ),
        ({"msg": MSG}, {"consumed_by": Dialect.RUNQY}, Dialect.RUNQY),
        ({"msg": MSG}, {"consumed_by": Dialect.MIXED}, None),
        ({"msg": MSG}, {}, None),
        ({"msg": message(id="t", error_msg="boom")}, {}, Dialect.ASYNQ),
        ({"msg": message(id="t", group_key="g")}, {}, Dialect.ASYNQ),
        ({"msg": MSG, "unique_key": b"u"}, {}, Dialect.ASYNQ),
    ],
)
def test_dialects(fields: dict[str, bytes], more: dict[str, Any], dialect: Dialect | None) -> None:
    assert put_together(fields, **more).dialect == dialect


@pytest.mark.parametrize(
    ("state", "score", "indexed", "expires_at"),
    [
        (b"completed", NOW + 10, False, NOW + 10),
        (b"completed", NOW - 10, False, NOW - 10),
        (b"archived", NOW + 10, False, NOW + 10),
        (b"archived", NOW - 10, False, None),
        (b"archived", NOW - 10, True, NOW - 10),
        (b"pending", NOW + 10, True, None),
    ],
)
def test_expiry(state: bytes, score: float, indexed: bool, expires_at: float | None) -> None:
    fields = {"msg": MSG, "state": state}
    task = put_together(fields, indexed=indexed, scores={"archived": score, "completed": score})
    assert task.expires_at == expires_at


def test_next_run_follows_the_state() -> None:
    scores = {"scheduled": NOW + 5, "retry": NOW + 6}
    for state, expected in ((b"scheduled", NOW + 5), (b"retry", NOW + 6), (b"active", None)):
        assert put_together({"msg": MSG, "state": state}, scores=scores).next_run_at == expected


def test_zero_is_unknown_for_times_and_known_for_counts() -> None:
    task = put_together({"msg": message(id="t", payload=b"{}")})
    assert (task.retried, task.max_retry) == (0, 0)
    assert (task.timeout_s, task.deadline, task.retention_s) == (None, None, None)
    assert (task.completed_at, task.last_failed_at, task.type) == (None, None, None)
    assert (task.group, task.unique_key, task.ttl_s) == (None, None, None)
    undecodable = put_together({"msg": b"garbage"})
    assert (undecodable.retried, undecodable.max_retry, undecodable.payload) == (None, None, None)


def test_fields_of_the_hash_come_before_those_of_the_message() -> None:
    msg = message(
        id="t", completed_at=5, last_failed_at=6, error_msg="inside", retried=9, payload=b"{}"
    )
    task = put_together(
        {
            "msg": msg,
            "completed_at": b"1795484001",
            "last_failed_at": b"1795484002",
            "error_msg": b"outside",
            "retried": b"3",
        },
        ttl_ms=1_500,
    )
    assert (task.completed_at, task.last_failed_at) == (1795484001, 1795484002)
    assert (task.error, task.retried, task.ttl_s) == (Blob(b"outside", 7), 9, 1.5)


def test_unknown_state() -> None:
    assert put_together({"msg": MSG, "state": b"dancing"}).state is None
    assert put_together({"msg": MSG}).state is None
    assert put_together({"msg": MSG, "state": b"retry"}).state is TaskState.RETRY
