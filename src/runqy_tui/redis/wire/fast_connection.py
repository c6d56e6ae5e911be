"""Exchanges commands and replies over the socket and parser of a connection of redis-py.

Its own ``read_response`` costs more per reply than everything that is done with the reply. The
replies of a large batch can be parsed while later ones are still on their way
(:class:`ReplyStream`): the server takes as long to answer a poll of a large fleet as the client
takes to parse it, so that both at the same time take half as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from runqy_tui.redis.wire.error_translation import concerns_every_command
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.runtime.cooperative import yield_to_loop


class ReplyStream:
    """The replies of one batch in its order, readable before all of them have arrived.

    ``observe`` is called with each part as it arrives.
    """

    __slots__ = ("_count", "_observe", "_waiting", "replies")

    def __init__(self, count: int, observe: Callable[[list[Reply]], None] | None = None) -> None:
        self.replies: list[Reply] = []
        self._count = count
        self._observe = observe
        self._waiting: tuple[int, asyncio.Future[None]] | None = None

    def extend(self, found: list[Reply]) -> None:
        """Add replies that have arrived, and wake the task that waits for them."""
        self.replies += found
        if self._observe is not None:
            self._observe(found)
        if self._waiting is not None and len(self.replies) >= self._waiting[0]:
            (_, arrived), self._waiting = self._waiting, None
            if not arrived.done():
                arrived.set_result(None)

    async def until(self, count: int) -> None:
        """Wait for the first ``count`` replies, or for all where there are fewer in the batch.

        Yields to the event loop where they are there already. One task at a time may wait.
        """
        count = min(count, self._count)
        if len(self.replies) < count:
            arrived = asyncio.get_running_loop().create_future()
            self._waiting = count, arrived
            await arrived
        await yield_to_loop()


_CHUNK = 262_144
"""Bytes read at once: what the event loop reads from a socket at the most."""

_FED = 16_384
"""Bytes fed to the parser at a time: with each reply it moves all that it has not parsed yet."""

_PLAIN_TYPES = frozenset({int, bytes, list, type(None)})
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

    @classmethod
    def of(cls, connection: Any) -> FastConnection | None:
        """The fast access to a connected connection; ``None`` where redis-py has changed it."""
        stream: Any = getattr(connection, "_reader", None)
        writer: Any = getattr(connection, "_writer", None)
        parser = getattr(connection, "_parser", None)
        reader = getattr(parser, "_reader", None)
        streams = isinstance(stream, asyncio.StreamReader), isinstance(writer, asyncio.StreamWriter)
        recognised = (
            NOT_ENOUGH_DATA is not None
            and all(streams)
            and getattr(parser, "_stream", None) is stream
            and all(hasattr(reader, name) for name in ("feed", "gets", "has_data"))
        )
        return cls(stream, writer, reader) if recognised else None

    async def exchange(
        self, wire: bytes, count: int, timeout_s: float, incoming: ReplyStream | None = None
    ) -> list[Reply]:
        """Write commands and read their ``count`` replies, into ``incoming`` if there is one.

        Waits at most ``patience`` seconds for any part. Replies are read while commands are still
        being written: a server whose replies are not read stops reading commands.

        Raises TimeoutError, redis-py's ConnectionError where the server closes the connection, and
        the error of a reply that concerns every command.
        """
        loop = asyncio.get_running_loop()
        incoming = ReplyStream(count) if incoming is None else incoming
        replies = incoming.replies
        async with asyncio.timeout(None) as timer:
            self._writer.write(wire)
            while True:
                timer.reschedule(loop.time() + timeout_s)
                chunk = await self._stream.read(_CHUNK)
                timer.reschedule(None)  # parsing is not the server's time
                if not chunk:
                    raise RedisConnectionError(_GONE)
                for at in range(0, len(chunk), _FED):
                    await yield_to_loop()
                    self._reader.feed(chunk, at, min(_FED, len(chunk) - at))
                    incoming.extend(self._parse(count - len(replies)))
                if len(replies) == count:
                    return replies

    def _parse(self, most: int) -> list[Reply]:
        """Replies that have arrived in full."""
        found = list(islice(iter(self._gets, NOT_ENOUGH_DATA), most))
        if not _PLAIN_TYPES.issuperset(map(type, found)):
            for reply in found:
                if isinstance(reply, Exception) and _ends_all(reply):
                    raise reply
        return found


def _ends_all(error: Exception) -> bool:
    return not isinstance(error, ResponseError) or concerns_every_command(error)
