"""Listens between a reader and its server, and keeps what was sent, round trip by round trip.

So the floor can send exactly what the monitor sends, whatever that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import hiredis

_CHUNK = 1 << 20


class Recorder:
    """A relay on a port of its own. ``trips`` holds the bytes sent of each round trip so far."""

    def __init__(self, upstream: int) -> None:
        self.trips: list[bytes] = []
        self.port = 0
        self._upstream = upstream
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Recorder:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def take(self) -> list[bytes]:
        """The round trips since the last call."""
        taken, self.trips = self.trips, []
        return taken

    async def _serve(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        one = _Connection(self)
        for task in (_pump(source, writer, one.sent), _pump(reader, sink, one.answered)):
            running = asyncio.create_task(task)
            self._running.add(running)
            running.add_done_callback(self._running.discard)


class _Connection:
    """A round trip ends when as many replies as commands have passed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._commands, self._replies = hiredis.Reader(), hiredis.Reader()
        self._open = 0
        self._place = -1

    def sent(self, data: bytes) -> None:
        trips = self._recorder.trips
        if self._open == 0 or self._place >= len(trips):
            self._place = len(trips)
            trips.append(b"")
        trips[self._place] += data
        self._open += _count(self._commands, data)

    def answered(self, data: bytes) -> None:
        self._open -= _count(self._replies, data)


def _count(reader: hiredis.Reader, data: bytes) -> int:
    reader.feed(data)
    found = 0
    while reader.gets() is not False:
        found += 1
    return found


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, note: Callable[[bytes], None]
) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            note(data)
            sink.write(data)
            await sink.drain()
    sink.close()
