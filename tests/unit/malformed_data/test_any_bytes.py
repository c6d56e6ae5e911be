"""Any bytes in any field, any number: no exception, clean text, valid JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.diagnosis.diagnoser import Diagnoser, TaskChecks
from runqy_tui.model import (
    CheckedTask,
    CheckWindow,
    Counts,
    Dialect,
    Queue,
    QueueKey,
    RedisInfo,
    ServerHealth,
    Snapshot,
    TaskState,
    WindowCheck,
    Worker,
    WorkerState,
)
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.wire import replies
from runqy_tui.text import humanize
from tests.support.byte_inputs import ENTRIES, PART
from tests.support.dialect_writers import message
from tests.support.text_outputs import check_clean, check_forms

ODD = st.sampled_from(
    [
        b"\x1b[2J\x1b]52;c;eA==\x07",
        b"\xff\xfe\x80",
        "\u202e\u2066\u200b".encode(),
        b"[@click=app.quit]x[/]",
        b"9" * 19,
        b"-1",
        b"0",
        b"1e18",
        b"nan",
        b"inf",
        b"1795484106",
        b"1795484106123456789",
        b"map[a.high:10 a.low:1]",
        b"running",
        b"stopped",
        b"1",
        b"archived",
        b"active",
        b"# x\n```\n|a|b|",
        b'Traceback (most recent call last):\n  File "a.py", line 3, in f\nE: x',
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["a", "state", "gpus", "seq", "text", "ts", "src", "cpu_percent", "\ud800"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
MESSAGES = st.builds(
    message,
    type=st.binary(max_size=20),
    payload=st.binary(max_size=40),
    id=st.binary(max_size=20),
    queue=ODD,
    error_msg=ODD | st.binary(max_size=60),
    retry=st.integers(-(2**31), 2**31 - 1),
    last_failed_at=st.integers(-(2**63), 2**63 - 1),
    completed_at=st.integers(-(2**63), 2**63 - 1),
    deadline=st.integers(-(2**63), 2**63 - 1),
)
FIELD = st.binary(max_size=40) | ODD | JSON | MESSAGES


@pytest.mark.parametrize("entry", ENTRIES)
@settings(max_examples=20)
@given(st.lists(FIELD, max_size=26))
def test_any_fields(entry: str, fields: list[bytes]) -> None:
    ENTRIES[entry](PART.join(fields))


FLOATS = st.floats() | st.sampled_from([0.0, -1.0, 1e12, 1e15, 1e18, -1e18, 1e308, 2.0**63])


@given(FLOATS, FLOATS)
def test_any_number_as_text(value: float, now: float) -> None:
    for text_form in (
        humanize.age(value),
        humanize.span(value),
        humanize.size(value),
        humanize.percent(value),
        humanize.clock(value, now),
        humanize.moment(value),
    ):
        assert text_form
        assert len(text_form) < 60
        check_clean(text_form)


@given(st.integers() | FLOATS | st.text(max_size=12))
def test_any_number_of_a_hash(value: object) -> None:
    raw = str(value).encode("utf-8", "surrogatepass")
    whole, moment, score = field_parsing.whole(raw), field_parsing.moment(raw), replies.score(raw)
    assert whole is None or abs(whole) < 10**19
    assert moment is None or 0 < moment < 1e12
    assert score is None or math.isfinite(score)


@pytest.mark.parametrize(
    "started",
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-12-31", "0", "-1", "1e18"],
)
def test_starts_out_of_this_world(started: str) -> None:
    fields = {b"worker_id": b"w", b"queue": b"q", b"started": started.encode()}
    names = (b"worker_id", b"queue", b"started")
    for kept in (names, names[1:]):
        values = [fields[name] if name in kept else None for name in worker_parsing.FIELDS]
        parsed = worker_parsing.parse_hash("w", values)
        assert parsed is not None
        assert parsed.worker.started_at is None or parsed.worker.started_at > 0
        worker_parsing.classify(parsed.worker, None, None, 1795484106.0)


ANY_INT = st.none() | st.integers(-(10**19), 10**19) | st.sampled_from([0, 2**63, -(2**63) - 1])
TIME = st.none() | st.floats(1, 1e12, exclude_max=True) | st.just(1795484106.0)
SCORE = st.none() | st.floats(-1e15, 1e15)
LENGTH = st.none() | st.integers(0, 2**63)


@st.composite
def queues(draw: st.DrawFn, name: str) -> Queue:
    return Queue(
        QueueKey(name),
        draw(st.none() | st.sampled_from(list(Dialect))),
        Counts(*(draw(LENGTH) for _ in TaskState)),
        paused=draw(st.none() | st.booleans()),
        paused_at=draw(TIME),
        oldest_pending_since=draw(TIME),
        processed_today=draw(ANY_INT),
        failed_today=draw(ANY_INT),
        succeeded_today=draw(ANY_INT),
        processed_total=draw(ANY_INT),
        failed_total=draw(ANY_INT),
        succeeded_total=draw(ANY_INT),
        consumers=draw(st.sampled_from([(), ("w",), ("x",)])),
        next_retry_at=draw(SCORE),
        next_scheduled_at=draw(SCORE),
    )


@st.composite
def fleet_workers(draw: st.DrawFn) -> Worker:
    return Worker(
        "w",
        draw(st.sampled_from(list(Dialect))),
        draw(st.sampled_from(list(WorkerState))),
        started_at=draw(TIME),
        last_beat_at=draw(TIME),
        clock_offset_s=draw(SCORE),
        concurrency=draw(ANY_INT),
        queues={"q": draw(ANY_INT)},
        active_count=draw(ANY_INT),
        active_tasks=("t",),
    )


@st.composite
def audits(draw: st.DrawFn, now: float) -> WindowCheck:
    state = draw(st.sampled_from([TaskState.ACTIVE, TaskState.PENDING]))
    times: dict[str, Any] = {
        name: draw(TIME) for name in ("deadline", "pending_since", "completed_at", "last_failed_at")
    }
    task = CheckedTask(
        "t",
        missing=draw(st.booleans()),
        state=state,
        lease_expires_at=draw(SCORE),
        timeout_s=draw(st.none() | st.floats(1, 1e19)),
        pending_timeout_s=draw(st.none() | st.floats(1, 1e19)),
        **times,
    )
    return WindowCheck(CheckWindow(QueueKey("q"), state, 0, 10), now, 1, (task,))


@settings(max_examples=15)
@given(st.data())
def test_absurd_numbers_in_findings_and_rates(data: st.DataObject) -> None:
    """Three polls of anything, the clock jumping as it likes."""
    diagnoser = Diagnoser()
    now = 1795484106.0
    for _ in range(3):
        now += data.draw(st.sampled_from([0.0, 2.0, 60.0, -3600.0, 1e6]))
        health = ServerHealth(
            role="master",
            used_memory_bytes=data.draw(ANY_INT),
            maxmemory_bytes=data.draw(ANY_INT),
            evicted_keys=data.draw(ANY_INT),
        )
        elapsed = data.draw(st.floats(0, 1e6))
        snapshot = Snapshot(
            now,
            RedisInfo("h:1", elapsed_ms=elapsed),
            (data.draw(queues("q")), data.draw(queues("r"))),
            (data.draw(fleet_workers()),),
            health=health,
        )
        audit = data.draw(audits(now))
        check_forms(snapshot, diagnoser=diagnoser, checks=TaskChecks(windows=(audit,)))
