"""Replies of a large batch, read from the socket by hiredis without a detour for each of them.

redis-py makes the connection (address, TLS, login) and takes a coroutine, a timer and some checks
per reply; a poll of a large fleet has twenty thousand. What is used of its inside is looked at
here once per connection: where it differs, replies are read the plain way.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from runqy_tui.redis.wire.faults import concerns_all
from runqy_tui.redis.wire.replies import Reply

_CHUNK = 65_536
"""Bytes parsed in one go. The stream holds little more, so that others get turns in between."""
_GONE = "Connection closed by server."

try:
    from redis._parsers.hiredis import NOT_ENOUGH_DATA
except ImportError:  # another redis-py
    NOT_ENOUGH_DATA = None


class Lean:
    """The stream and the parser of one connection of redis-py."""

    __slots__ = ("_gets", "_reader", "_stream")

    def __init__(self, stream: asyncio.StreamReader, reader: Any) -> None:
        self._stream = stream
        self._reader = reader
        self._gets = reader.gets

    async def read(self, count: int, patience: float) -> list[Reply]:
        """Read replies, waiting at most ``patience`` seconds for any part of them."""
        loop = asyncio.get_running_loop()
        replies: list[Reply] = []
        async with asyncio.timeout(patience) as timer:
            while True:
                if self._take(replies, count):
                    return replies
                chunk = await self._stream.read(_CHUNK)
                if not chunk:
                    raise RedisConnectionError(_GONE)
                self._reader.feed(chunk)
                timer.reschedule(loop.time() + patience)

    def _take(self, replies: list[Reply], count: int) -> bool:
        gets = self._gets
        while len(replies) < count:
            reply = gets()
            if reply is NOT_ENOUGH_DATA:
                return False
            if isinstance(reply, Exception) and _ends_all(reply):
                raise reply
            replies.append(reply)
        return True


def _ends_all(error: Exception) -> bool:
    return not isinstance(error, ResponseError) or concerns_all(error)


def lean(connection: Any) -> Lean | None:
    """The inside of a connected connection, ``None`` where it is not what it is known to be."""
    stream, parser = getattr(connection, "_reader", None), getattr(connection, "_parser", None)
    reader = getattr(parser, "_reader", None)
    known = (
        NOT_ENOUGH_DATA is not None
        and isinstance(stream, asyncio.StreamReader)
        and getattr(parser, "_stream", None) is stream
        and all(hasattr(reader, name) for name in ("feed", "gets", "has_data"))
    )
    return Lean(stream, reader) if known and isinstance(stream, asyncio.StreamReader) else None
