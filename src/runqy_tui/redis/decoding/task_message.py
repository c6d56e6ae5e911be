"""A task's ``msg`` of any size, with its payload apart."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model import Blob
from runqy_tui.redis.decoding.codec import (
    ERROR_FIELD,
    PAYLOAD_FIELD,
    UNDECODABLE,
    Cut,
    TaskMessage,
    decode_task,
    split_oversized,
)


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
