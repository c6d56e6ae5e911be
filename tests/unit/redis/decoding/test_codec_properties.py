"""No bytes whatever make the decoders raise, and what is encoded decodes to itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.redis.decoding import codec, field_parsing
from runqy_tui.redis.decoding.codec import cut_of, open_parts, open_whole
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.text.safe import decode, encode
from tests.support.dialect_writers import message

INT64 = st.integers(-(2**63), 2**63 - 1)
MESSAGES = st.builds(
    message,
    type=st.binary(max_size=40),
    payload=st.binary(max_size=400),
    id=st.binary(min_size=1, max_size=40),
    queue=st.binary(max_size=40),
    retry=st.integers(-(2**31), 2**31 - 1),
    error_msg=st.binary(max_size=200),
    completed_at=INT64,
)


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    codec.decode_task(raw)
    codec.decode_server(raw)
    codec.decode_worker(raw)
    codec.split_oversized(raw)
    open_whole(raw, 10)


@given(MESSAGES, st.data())
def test_any_damage(raw: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(raw) - 1))
    broken = raw[:place] + data.draw(st.binary(max_size=4)) + raw[place + 1 :]
    decoded = codec.decode_task(broken)
    assert isinstance(decoded.type, str)
    assert isinstance(decoded.payload, bytes)


@given(st.binary(max_size=40), st.binary(max_size=400), INT64, INT64)
def test_round_trip(task_type: bytes, payload: bytes, first: int, last: int) -> None:
    raw = message(type=task_type, payload=payload, id=b"i", completed_at=first)
    raw += message(completed_at=last) if last else b""
    decoded = codec.decode_task(raw)
    assert encode(decoded.type) == task_type
    assert decoded.payload == payload
    assert decoded.completed_at == (last or first)


@settings(max_examples=200)
@given(MESSAGES, st.data())
def test_parts_make_the_whole(raw: bytes, data: st.DataObject) -> None:
    """Wherever a message is cut, header and tail together are the message without one field."""
    size = data.draw(st.integers(0, len(raw)))
    head = raw[:size]
    cut = cut_of(head, len(raw))
    if cut is None:
        return
    opened = open_parts(head, cut, raw[cut.end :], len(raw), 1_000)
    whole = open_whole(raw, 1_000)
    if not opened.message.decodable:
        return
    if cut.field == codec.PAYLOAD_FIELD:
        assert opened.payload is not None
        assert whole.payload is not None
        assert opened.payload.size == whole.payload.size
        assert whole.payload.data.startswith(opened.payload.data)
        assert opened.error == whole.error
    assert opened.message.retry == whole.message.retry
    assert opened.message.completed_at == whole.message.completed_at


@given(st.binary(max_size=200))
def test_any_field_of_a_hash(raw: bytes) -> None:
    field_parsing.whole(raw)
    field_parsing.moment(raw)
    field_parsing.pending_since(raw)
    field_parsing.flag(raw)
    field_parsing.json_object(raw)
    field_parsing.queues(raw)
    problems: list[str] = []
    worker_parsing.parse_metrics(raw, problems)
    worker_parsing.parse_recovery(raw, problems)


FIELDS = len(worker_parsing.FIELDS)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=60)), min_size=FIELDS, max_size=FIELDS))
def test_any_worker_hash(values: list[bytes | None]) -> None:
    parsed = worker_parsing.parse_hash("w", values)
    if parsed is None:
        assert values == [None] * FIELDS
    else:
        worker_parsing.classify(parsed.worker, None, None, 1795484106.0)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters=" "), min_size=1, max_size=20
).filter(lambda name: name == name.strip())


@given(st.dictionaries(NAMES, st.integers(-99, 9_999), max_size=8))
def test_go_maps(queues: dict[str, int]) -> None:
    printed = " ".join(f"{name}:{queues[name]}" for name in sorted(queues))
    found, clean = field_parsing.queues(encode(f"map[{printed}]"))
    assert (dict(found), clean) == (queues, True)


@given(st.binary(max_size=100))
def test_names_keep_their_bytes(raw: bytes) -> None:
    assert encode(decode(raw)) == raw
