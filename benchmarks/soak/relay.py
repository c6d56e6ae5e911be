"""The link between monitor and server, which can be slow, silent, cut or refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress

POLL = b"$9\r\nZREVRANGE\r\n$13\r\nasynq:servers\r\n"
"""A command that each poll sends once, and nothing else sends."""
_CHUNK = 65_536


class Relay:
    """Forwards connections to ``port`` on 127.0.0.1 and counts the polls that pass.

    ``delay_s`` is one way. ``silent``: nothing passes, though connections stay open.
    """

    def __init__(self) -> None:
        self.port = 0
        self.own_port = 0
        self.delay_s = 0.0
        self.polls = 0
        self.connects = 0
        self.cut_after: int | None = None
        self._loud = asyncio.Event()
        self._loud.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def up(self, port: int | None = None) -> None:
        """Accept connections, for the server on ``port`` or the previous one."""
        self.port = self.port if port is None else port
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.own_port)
            self.own_port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse connections, and end the open ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """End all connections with a reset."""
        for writer in self._writers:
            writer.transport.abort()

    def silence(self, on: bool) -> None:
        """Stop or resume forwarding."""
        if on:
            self._loud.clear()
        else:
            self._loud.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(back)
        ways = [
            asyncio.create_task(self._pump(reader, back, counting=True)),
            asyncio.create_task(self._pump(there, writer, counting=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, back):
                self._writers.discard(end)
                end.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counting: bool
    ) -> None:
        tail = b""
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                if counting:
                    seen = tail + chunk
                    self.polls += seen.count(POLL)
                    tail = seen[-len(POLL) + 1 :]
                elif self.cut_after is not None:
                    writer.write(chunk[: self.cut_after])
                    self.cut_after -= len(chunk)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        await writer.drain()
                        return
                    continue
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._loud.wait()
                writer.write(chunk)
                await writer.drain()
