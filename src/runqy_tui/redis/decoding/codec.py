"""Protobuf bytes to small frozen objects, a ``msg`` of any size included.

Nothing here raises on bad data.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from runqy_tui.model import Blob
from runqy_tui.redis.decoding import proto
from runqy_tui.text.safe import decode

PAYLOAD_FIELD = 2
ERROR_FIELD = 7
_LENGTH_DELIMITED = 2
_FIXED = {1: 8, 5: 4}
"""Bytes of the wire types of fixed size."""


class TaskMessage(NamedTuple):
    """A decoded ``msg``. ``decodable`` is false for truncated bytes and garbage.

    Numbers are as encoded: 0 where the writer left the field out. Times are unix seconds.
    """

    decodable: bool = True
    type: str = ""
    payload: bytes = b""
    id: str = ""
    queue: str = ""
    retry: int = 0
    retried: int = 0
    error: bytes = b""
    timeout: int = 0
    deadline: int = 0
    unique_key: str = ""
    last_failed_at: int = 0
    retention: int = 0
    completed_at: int = 0
    group: str = ""
    headers: Mapping[str, str] = MappingProxyType({})


UNDECODABLE = TaskMessage(decodable=False)


class ServerInfo(NamedTuple):
    """The heartbeat of an asynq server."""

    host: str
    pid: int
    server_id: str
    concurrency: int
    queues: Mapping[str, int]
    status: str
    started_at: float | None
    active_count: int


class WorkerInfo(NamedTuple):
    """One task an asynq server works on."""

    task_id: str
    task_type: str
    queue: str
    started_at: float | None
    deadline: float | None


class Cut(NamedTuple):
    """The field at which a partly read message ends.

    ``start`` is where its tag stands, ``offset`` and ``length`` locate its value; the message goes
    on at ``offset + length``.
    """

    field: int
    start: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """Where the next field begins."""
        return self.offset + self.length


def decode_task(data: bytes) -> TaskMessage:
    """Decode a ``msg``. What names neither type, id, queue nor payload is taken for garbage."""
    message = _parse(proto.TaskMessage, data)
    if message is None or not (message.type or message.id or message.queue or message.payload):
        return UNDECODABLE
    return TaskMessage(
        type=decode(message.type),
        payload=message.payload,
        id=decode(message.id),
        queue=decode(message.queue),
        retry=message.retry,
        retried=message.retried,
        error=message.error_msg,
        timeout=message.timeout,
        deadline=message.deadline,
        unique_key=decode(message.unique_key),
        last_failed_at=message.last_failed_at,
        retention=message.retention,
        completed_at=message.completed_at,
        group=decode(message.group_key),
        headers={decode(entry.key): decode(entry.value) for entry in message.headers},
    )


def decode_server(data: bytes) -> ServerInfo | None:
    """Decode a ``ServerInfo``, ``None`` where the bytes are none."""
    message = _parse(proto.ServerInfo, data)
    if message is None or not (message.host or message.server_id):
        return None
    return ServerInfo(
        host=decode(message.host),
        pid=message.pid,
        server_id=decode(message.server_id),
        concurrency=message.concurrency,
        queues={decode(entry.key): entry.value for entry in message.queues},
        status=decode(message.status),
        started_at=_moment(message.start_time),
        active_count=message.active_worker_count,
    )


def decode_worker(data: bytes) -> WorkerInfo | None:
    """Decode a ``WorkerInfo``, ``None`` where the bytes are none."""
    message = _parse(proto.WorkerInfo, data)
    if message is None or not message.task_id:
        return None
    return WorkerInfo(
        task_id=decode(message.task_id),
        task_type=decode(message.task_type),
        queue=decode(message.queue),
        started_at=_moment(message.start_time),
        deadline=_moment(message.deadline),
    )


def split_oversized(head: bytes) -> Cut | None:
    """Find the value that the first bytes of a message do not hold in full.

    Protobuf is concatenative: ``head[:cut.start]`` and everything from ``cut.end`` on, read apart,
    parse together into the message without that field. ``None`` where the bytes make no sense or
    hold only whole fields.
    """
    position = 0
    while position < len(head):
        kind, offset, length = _field_at(head, position)
        if kind < 0:
            return None
        if offset + length > len(head):
            number = _varint(head, position)[0] >> 3
            return Cut(number, position, offset, length) if kind == _LENGTH_DELIMITED else None
        position = offset + length
    return None


def whole_fields(head: bytes) -> bytes:
    """The first bytes of a message without the field that they do not hold in full."""
    position = 0
    while position < len(head):
        kind, offset, length = _field_at(head, position)
        if kind < 0 or offset + length > len(head):
            break
        position = offset + length
    return head[:position]


def _field_at(data: bytes, start: int) -> tuple[int, int, int]:
    """Wire type, offset and length of the value whose tag stands at ``start``; type -1 for none."""
    tag, position = _varint(data, start)
    kind = tag & 7
    if kind == _LENGTH_DELIMITED:
        length, position = _varint(data, position)
    elif kind == 0:
        _, end = _varint(data, position)
        position, length = (position, end - position) if end >= 0 else (-1, 0)
    else:
        length = _FIXED.get(kind, -1)
    return (-1, 0, 0) if position < 0 or length < 0 else (kind, position, length)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Value and next position; position -1 where the varint has no end."""
    value = 0
    if position < 0:
        return 0, -1
    if position < len(data) and (byte := data[position]) < 0x80:
        return byte, position + 1
    for shift in range(0, 70, 7):
        if position >= len(data):
            return 0, -1
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    return 0, -1


def _parse(kind: Any, data: bytes) -> Any:
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message


def _moment(stamp: Any) -> float | None:
    """A Timestamp as unix seconds. Go's zero time (year 1) and absence are ``None``."""
    seconds = stamp.seconds + stamp.nanos / 1e9
    return seconds if 0 < seconds < 1e12 else None


class DecodedMessage(NamedTuple):
    """A decoded message; payload and error are cut to a limit, with their true sizes.

    ``complete`` is false where fields behind a large value could not be read.
    """

    message: TaskMessage
    payload: Blob | None = None
    error: Blob | None = None
    complete: bool = True


CLOSED = DecodedMessage(UNDECODABLE)


def open_whole(raw: bytes, limit: int) -> DecodedMessage:
    """A message that was read in full."""
    message = decode_task(raw)
    if not message.decodable:
        return CLOSED
    return _opened(message, None, b"", limit)


def cut_of(head: bytes, size: int) -> Cut | None:
    """Where a partly read message of ``size`` bytes goes on; ``None`` where it makes no sense."""
    cut = split_oversized(head)
    return cut if cut is not None and cut.end <= size else None


def open_parts(head: bytes, cut: Cut, tail: bytes | None, size: int, limit: int) -> DecodedMessage:
    """A message of which the first bytes and, from ``cut.end`` on, further ones were read."""
    whole_tail = tail is not None and cut.end + len(tail) >= size
    front = head[: cut.start]
    message = decode_task(front + tail) if tail is not None and whole_tail else UNDECODABLE
    if not message.decodable:
        whole_tail = False
        message = decode_task(front)
    if not message.decodable and cut.field == PAYLOAD_FIELD:
        # Nothing but the payload stands in front: that alone is enough to know it for a message.
        message = TaskMessage()
    if not message.decodable:
        return CLOSED
    return _opened(message, cut, head, limit, complete=whole_tail)


def _opened(
    message: TaskMessage, cut: Cut | None, head: bytes, limit: int, *, complete: bool = True
) -> DecodedMessage:
    payload = Blob(message.payload[:limit], len(message.payload))
    error = Blob(message.error[:limit], len(message.error)) if message.error else None
    if cut is not None:
        part = Blob(head[cut.offset :][:limit], cut.length)
        if cut.field == PAYLOAD_FIELD:
            payload = part
        elif cut.field == ERROR_FIELD:
            error = part
    return DecodedMessage(message, payload, error, complete)
