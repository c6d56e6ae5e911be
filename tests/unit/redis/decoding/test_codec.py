"""The protobuf messages: whole, doubled, cut, and of any bytes."""

from __future__ import annotations

import pytest

from runqy_tui.model import Blob
from runqy_tui.redis.decoding import proto
from runqy_tui.redis.decoding.codec import (
    UNDECODABLE,
    Cut,
    TaskMessage,
    cut_of,
    decode_server,
    decode_task,
    decode_worker,
    open_parts,
    open_whole,
    split_oversized,
)
from runqy_tui.text.safe import encode
from tests.support.dialect_writers import message

WHOLE = message(
    type="email:send",
    payload=b'{"a": 1}',
    id="id-1",
    queue="critical",
    retry=25,
    retried=2,
    error_msg="boom",
    timeout=1800,
    deadline=1795485000,
    unique_key="u",
    last_failed_at=1795484000,
    retention=3600,
    completed_at=1795484001,
    group_key="g",
    headers=[{"key": b"k", "value": b"v"}, {"key": b"k2", "value": b""}],
)


def test_every_field() -> None:
    assert decode_task(WHOLE) == TaskMessage(
        type="email:send",
        payload=b'{"a": 1}',
        id="id-1",
        queue="critical",
        retry=25,
        retried=2,
        error=b"boom",
        timeout=1800,
        deadline=1795485000,
        unique_key="u",
        last_failed_at=1795484000,
        retention=3600,
        completed_at=1795484001,
        group="g",
        headers={"k": "v", "k2": ""},
    )


def test_wire_form_is_that_of_asynq() -> None:
    """Bytes as Go's encoder writes them: map entries as messages, strings as bytes."""
    raw = b"\x0a\x01t\x12\x02{}\x1a\x01i\x28\x03\x7a\x06\x0a\x01k\x12\x01v"
    assert decode_task(raw) == TaskMessage(
        type="t", payload=b"{}", id="i", retry=3, headers={"k": "v"}
    )


def test_field_13_twice_the_last_wins() -> None:
    doubled = WHOLE + b"\x68" + b"\x07"
    assert decode_task(doubled).completed_at == 7
    assert decode_task(doubled).type == "email:send"


def test_text_that_is_no_utf8_survives() -> None:
    raw = message(type=b"\xff\xfe", id=b"\x80", payload=b"x", headers=[{"key": b"\xff"}])
    decoded = decode_task(raw)
    assert encode(decoded.type) == b"\xff\xfe"
    assert encode(decoded.id) == b"\x80"
    assert [encode(key) for key in decoded.headers] == [b"\xff"]


def test_negative_numbers() -> None:
    assert decode_task(message(id="i", retry=-1, timeout=-5)).timeout == -5


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"hello", b"\xff" * 12, b"\x0a\x7f", b"\x08\x01", WHOLE[:-1], WHOLE[:9]]
)
def test_garbage(raw: bytes) -> None:
    assert decode_task(raw) is UNDECODABLE
    assert not UNDECODABLE.decodable


def test_unknown_fields_do_no_harm() -> None:
    assert decode_task(WHOLE + b"\xa2\x06\x03abc").id == "id-1"


def test_server_info() -> None:
    raw = proto.ServerInfo(
        host=b"vm",
        pid=7,
        server_id=b"uuid",
        concurrency=6,
        queues=[{"key": b"low", "value": 1}],
        status=b"active",
        start_time={"seconds": 1795483921, "nanos": 500_000_000},
        active_worker_count=2,
    ).SerializeToString()
    info = decode_server(raw)
    assert info is not None
    assert (info.host, info.pid, info.server_id, info.concurrency) == ("vm", 7, "uuid", 6)
    assert (info.queues, info.status, info.active_count) == ({"low": 1}, "active", 2)
    assert info.started_at == 1795483921.5
    assert decode_server(b"") is None
    assert decode_server(raw[:-1]) is None


def test_worker_info() -> None:
    raw = proto.WorkerInfo(
        task_id=b"t1",
        task_type=b"report",
        queue=b"q",
        start_time={"seconds": 1795483921},
        deadline={"seconds": -62135596800},  # Go's zero time
    ).SerializeToString()
    info = decode_worker(raw)
    assert info is not None
    assert (info.task_id, info.task_type, info.queue) == ("t1", "report", "q")
    assert (info.started_at, info.deadline) == (1795483921, None)
    assert decode_worker(b"\xff") is None


def test_scheduler_entry() -> None:
    entry = proto.SchedulerEntry.FromString(
        b"\x0a\x02id\x12\x0a@every 30s\x1a\x04cron\x2a\x03o=1\x32\x02\x08\x07"
    )
    assert (entry.id, entry.spec, entry.task_type) == (b"id", b"@every 30s", b"cron")
    assert (list(entry.enqueue_options), entry.next_enqueue_time.seconds) == ([b"o=1"], 7)


def test_split_finds_the_value_that_goes_on() -> None:
    raw = message(type="t", payload=b"p" * 1_000, id="i", retry=3)
    for size in (7, 10, 500, 1_000):
        cut = split_oversized(raw[:size])
        assert cut == Cut(field=2, start=3, offset=6, length=1_000)
        assert raw[cut.end :] == b"\x1a\x01i\x28\x03"
        assert decode_task(raw[: cut.start] + raw[cut.end :]).retry == 3


@pytest.mark.parametrize("size", range(7))
def test_split_of_less_than_a_header(size: int) -> None:
    raw = message(type="t", payload=b"p" * 1_000)
    cut = split_oversized(raw[:size])
    assert cut is None or raw[cut.offset : cut.offset + cut.length] in (b"t", b"p" * 1_000)


def test_split_walks_over_every_wire_type() -> None:
    front = b"\x08\x96\x01" + b"\x11" + bytes(8) + b"\x1d" + bytes(4) + b"\x0a\x01t"
    assert split_oversized(front + b"\x12\x20abc") == Cut(2, len(front), len(front) + 2, 32)
    assert split_oversized(front) is None


@pytest.mark.parametrize("raw", [b"", b"\x0b", b"\xff" * 20, b"\x0a", b"\x0a\xff\xff"])
def test_split_of_nonsense(raw: bytes) -> None:
    assert split_oversized(raw) is None


def test_cut_beyond_the_message_is_a_truncated_message() -> None:
    raw = message(type="t", payload=b"p" * 1_000)
    assert cut_of(raw[:100], len(raw)) is not None
    assert cut_of(raw[:100], len(raw) - 1) is None


def test_opened_in_parts_equals_opened_whole() -> None:
    raw = message(type="t", payload=b"p" * 1_000, id="i", error_msg="e", headers=[{"key": b"k"}])
    whole = open_whole(raw, 50)
    cut = cut_of(raw[:100], len(raw))
    assert cut is not None
    parts = open_parts(raw[:100], cut, raw[cut.end :], len(raw), 50)
    assert parts.payload == whole.payload == Blob(b"p" * 50, 1_000)
    assert (parts.error, parts.complete) == (whole.error, True)
    assert parts.message.headers == whole.message.headers == {"k": ""}
    front_only = open_parts(raw[:100], cut, None, len(raw), 50)
    assert (front_only.message.type, front_only.complete) == ("t", False)
    assert front_only.message.id == ""


def test_payload_that_comes_first() -> None:
    raw = b"\x12\xe8\x07" + b"p" * 1_000 + b"\x0a\x01t"
    cut = cut_of(raw[:100], len(raw))
    assert cut is not None
    assert open_parts(raw[:100], cut, None, len(raw), 10).payload == Blob(b"p" * 10, 1_000)
    assert open_parts(raw[:100], cut, raw[cut.end :], len(raw), 10).message.type == "t"
