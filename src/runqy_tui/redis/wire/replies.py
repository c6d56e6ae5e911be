"""Tolerant parsers of raw replies: a reply of the wrong shape becomes ``None`` or empty.

A reply is what RESP2 carries: ``bytes``, ``int``, ``None``, a list of these, or the exception of a
command that Redis refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from redis.exceptions import NoPermissionError, ResponseError

from runqy_tui.redis.wire.error_translation import missing_command

Reply: TypeAlias = "bytes | int | list[Reply] | ResponseError | None"

_T = TypeVar("_T")


class ReplySlot(Generic[_T]):
    """Where the reply to one command of a batch is found, and what it is parsed to.

    ``replies[slot]`` is the reply as it came, ``slot.value(replies)`` what its parser makes of it.
    """

    __slots__ = ("_parse", "index")

    def __init__(self, index: int, parse: Callable[[Reply], _T]) -> None:
        self.index = index
        self._parse = parse

    def __index__(self) -> int:
        return self.index

    def value(self, replies: list[Reply]) -> _T:
        """The parsed reply; raises what the parser raises (those of this module raise nothing)."""
        return self._parse(replies[self.index])


def unparsed(reply: Reply) -> Reply:
    """The reply as it came."""
    return reply


def integer(reply: Reply) -> int | None:
    """An integer reply, such as a length."""
    return reply if isinstance(reply, int) else None


def data(reply: Reply) -> bytes | None:
    """A bulk reply; ``None`` where the key or field is absent or the command was refused."""
    return reply if isinstance(reply, bytes) else None


def items(reply: Reply) -> list[Reply]:
    """The elements of an array reply."""
    return reply if isinstance(reply, list) else []


def strings(reply: Reply) -> list[bytes]:
    """The bulk elements of an array reply."""
    return [item for item in items(reply) if isinstance(item, bytes)]


def scan_page(reply: Reply) -> tuple[int, list[bytes]] | None:
    """Cursor and elements of a SCAN or SSCAN step."""
    parts = items(reply)
    if len(parts) != 2:
        return None
    cursor = data(parts[0])
    return (int(cursor), strings(parts[1])) if cursor is not None and cursor.isdigit() else None


def score(reply: Reply) -> float | None:
    """A score of a sorted set; ``None`` for infinities and NaN, which are no moment in time."""
    raw = data(reply)
    if raw is None:
        return None
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None


def scored(reply: Reply) -> list[tuple[bytes, float | None]]:
    """Members with parsed scores, of a range read WITHSCORES."""
    return [(member, score(raw)) for member, raw in pairs(reply).items()]


def pairs(reply: Reply) -> dict[bytes, Reply]:
    """Members with raw scores, of a range read WITHSCORES."""
    parts = items(reply)
    return {
        member: raw
        for member, raw in zip(parts[::2], parts[1::2], strict=False)
        if isinstance(member, bytes)
    }


def clock(reply: Reply) -> float | None:
    """The unix seconds of a TIME reply."""
    parts = strings(reply)
    if len(parts) != 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return int(parts[0]) + int(parts[1]) / 1e6


def info_fields(reply: Reply) -> dict[str, str] | None:
    """The fields of an INFO reply; ``None`` if it was refused."""
    raw = data(reply)
    if raw is None:
        return None
    lines = raw.decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name: value.strip() for name, _, value in pairs}


def refused(reply: Reply) -> bool:
    """Whether the ACL forbids the command, or the server does not have it."""
    return isinstance(reply, NoPermissionError) or missing_command(reply) is not None


def wrong_type(reply: Reply) -> bool:
    """Whether the key holds another type than the command expects."""
    return isinstance(reply, ResponseError) and str(reply).startswith("WRONGTYPE")


class UnreachableError(ResponseError):
    """Stands for the reply of a cluster node that does not answer; one text per node."""
