"""The replies of a large batch, taken up while the rest of them is still on its way.

The server answers a poll of a large fleet for as long as it takes to make sense of the answers:
both at the same time take half as long. What was taken up can be let go of, too, so that Python
has fewer things to look through for garbage.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator
from itertools import islice
from math import inf
from typing import Any, Generic, TypeAlias, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.redis.wire.error_translation import concerns_all
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.runtime.cooperative import breathe

_T = TypeVar("_T")

Taking: TypeAlias = Generator[int, None, _T]
"""Work on replies in steps: each ``yield`` says how many it needs for the next one at the least.

Others may have a turn meanwhile.
"""

ALL = sys.maxsize
"""A step that needs every reply, however many there are."""


class StreamingParse(Generic[_T]):
    """Work on replies that goes as far as there are any: ``replies`` grows, from its beginning."""

    def __init__(self, taking: Callable[[list[Reply]], Taking[_T]]) -> None:
        self.replies: list[Reply] = []
        self._taking = taking(self.replies)
        self._needs = 0.0
        self._outcome: list[_T] = []
        self._fault: RunqyTuiError | None = None

    async def take(self) -> None:
        """Go on with the work as far as the replies reach."""
        while self._needs <= len(self.replies):
            await breathe()
            self._step()

    async def finish(self) -> _T:
        """Do the rest, once all replies are there; raises what the work raised."""
        while self._needs < inf:
            await breathe()
            self._step()
        if self._fault is not None:
            raise self._fault
        return self._outcome[0]

    def _step(self) -> None:
        try:
            self._needs = next(self._taking)
        except StopIteration as end:
            self._outcome, self._needs = [end.value], inf
        except RunqyTuiError as fault:
            # Said once all replies are in: a connection with unread ones is of no more use.
            self._fault, self._needs = fault, inf


_CHUNK = 262_144
"""Bytes taken in one go: what the loop reads from a socket at the most."""

_FED = 16_384
"""Bytes that the parser gets at a time: it moves all that it has left with each reply it gives."""

_SOUND = frozenset({int, bytes, list, type(None)})
_GONE = "Connection closed by server."

try:
    from redis._parsers.hiredis import NOT_ENOUGH_DATA
except ImportError:  # another redis-py
    NOT_ENOUGH_DATA = None


class FastConnection:
    """The streams and the parser of one connection of redis-py."""

    __slots__ = ("_gets", "_reader", "_stream", "_writer")

    def __init__(
        self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter, reader: Any
    ) -> None:
        self._stream = stream
        self._writer = writer
        self._reader = reader
        self._gets = reader.gets

    async def exchange(
        self, wire: bytes, count: int, patience: float, intake: StreamingParse[Any] | None = None
    ) -> list[Reply]:
        """Write commands and read their replies, waiting at most ``patience`` seconds for any part.

        Replies are read while commands are still on their way: a server that takes no more of
        them gives no more answers either.
        """
        loop = asyncio.get_running_loop()
        replies: list[Reply] = [] if intake is None else intake.replies
        async with asyncio.timeout(None) as timer:
            self._writer.write(wire)
            while True:
                timer.reschedule(loop.time() + patience)
                chunk = await self._stream.read(_CHUNK)
                timer.reschedule(None)  # what we do with it is not the server's time
                if not chunk:
                    raise RedisConnectionError(_GONE)
                for at in range(0, len(chunk), _FED):
                    await breathe()
                    self._reader.feed(chunk, at, min(_FED, len(chunk) - at))
                    replies += self._parsed(count - len(replies))
                    if intake is not None:
                        await intake.take()
                if len(replies) == count:
                    return replies

    def _parsed(self, most: int) -> list[Reply]:
        """Replies that are there in full."""
        found = list(islice(iter(self._gets, NOT_ENOUGH_DATA), most))
        if not _SOUND.issuperset(map(type, found)):
            for reply in found:
                if isinstance(reply, Exception) and _ends_all(reply):
                    raise reply
        return found


def _ends_all(error: Exception) -> bool:
    return not isinstance(error, ResponseError) or concerns_all(error)


def lean(connection: Any) -> FastConnection | None:
    """The inside of a connected connection, ``None`` where it is not what it is known to be."""
    stream, writer = getattr(connection, "_reader", None), getattr(connection, "_writer", None)
    parser = getattr(connection, "_parser", None)
    reader = getattr(parser, "_reader", None)
    if not (isinstance(stream, asyncio.StreamReader) and isinstance(writer, asyncio.StreamWriter)):
        return None
    known = (
        NOT_ENOUGH_DATA is not None
        and getattr(parser, "_stream", None) is stream
        and all(hasattr(reader, name) for name in ("feed", "gets", "has_data"))
    )
    return FastConnection(stream, writer, reader) if known else None
