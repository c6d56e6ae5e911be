"""A network that fails: a TCP proxy before a real server, bad in whatever way a test asks for.

It runs in a thread of its own, so that it serves tests with a loop, without one, and programs in
another process. What is set counts from the next bytes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType

_CHUNK = 65_536
_PATIENCE_S = 10.0


@dataclass
class Way:
    """One direction.

    ``delay_s`` for each chunk of bytes, as a distance does; ``rate`` in bytes a second, a trickle;
    ``swallow``: bytes go nowhere; ``cut_after``: so many more, then the connection is reset;
    ``change`` rewrites a chunk. ``passed`` counts bytes that got through.
    """

    delay_s: float = 0.0
    rate: float | None = None
    swallow: bool = False
    cut_after: int | None = None
    change: Callable[[bytes], bytes] | None = None
    passed: int = 0


@dataclass
class Proxy:
    """``with Proxy(port) as proxy``: ``proxy.url`` leads to the server on ``port``.

    ``up`` leads to the server, ``down`` back from it. ``accepted`` counts connections, ``most``
    is how many were open at once. ``refuse`` closes new connections at once.
    """

    upstream: int
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    accepted: int = 0
    most: int = 0
    refuse: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        """``redis://127.0.0.1:PORT/0``."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._writers)

    def __enter__(self) -> Proxy:
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()

    def swallow(self, nothing_passes: bool) -> None:
        """Accept and answer nothing, as behind a firewall that forgot a connection."""
        self.up.swallow = self.down.swallow = nothing_passes

    def cut(self) -> None:
        """Reset every connection that is open now."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _close(self) -> None:
        self._server.close()
        self._abort_all()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refuse:
            sink.transport.abort()
            return
        self._writers.add(sink)
        self.most = max(self.most, len(self._writers))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            sink.transport.abort()
            self._writers.discard(sink)
            return
        pumps = [
            asyncio.ensure_future(_pump(self.up, source, writer)),
            asyncio.ensure_future(_pump(self.down, reader, sink)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._writers.discard(sink)
            writer.transport.abort()
            sink.transport.abort()


async def _pump(way: Way, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry bytes until either end closes; a distance delays them all alike."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    reading = asyncio.ensure_future(_take(way, source, under_way))
    try:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0.0, due - monotonic()))
            if not data or not await _pass(way, data, sink):
                return
    except OSError:
        return
    finally:
        reading.cancel()


async def _take(
    way: Way, source: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]
) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            under_way.put_nowait((monotonic() + way.delay_s, data))
    under_way.put_nowait((monotonic(), b""))


async def _pass(way: Way, data: bytes, sink: asyncio.StreamWriter) -> bool:
    """Write one chunk; false where the connection is to be cut."""
    if way.swallow:
        return True
    if way.change is not None:
        data = way.change(data)
    cut, way.cut_after = way.cut_after, None
    for piece in _pieces(way, data[:cut]):
        sink.write(piece)
        await sink.drain()
        way.passed += len(piece)
        if way.rate is not None:
            await asyncio.sleep(len(piece) / way.rate)
    if cut is None or len(data) > cut:
        return cut is None
    way.cut_after = cut - len(data)
    return True


def _pieces(way: Way, data: bytes) -> Iterator[bytes]:
    """What a rate lets through in a twentieth of a second, or all of it."""
    size = len(data) if way.rate is None else max(1, int(way.rate / 20))
    for start in range(0, len(data), max(1, size)):
        yield data[start : start + size]
