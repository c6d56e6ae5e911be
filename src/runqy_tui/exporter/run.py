"""``runqy-tui metrics``: serve until told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread

from prometheus_client import CollectorRegistry

from runqy_tui.exporter.collector import MAX_SERIES, RunqyCollector
from runqy_tui.exporter.listen import Address
from runqy_tui.exporter.watch import Watch
from runqy_tui.exporter.web import listen
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.text.safe import safe_line


async def serve(
    open_reader: Callable[[], Awaitable[Reader]],
    address: Address,
    interval_s: float,
    max_series: int = MAX_SERIES,
) -> None:
    """Serve until SIGTERM or SIGINT, and then end in peace.

    Raises:
        ListenError: the address cannot be listened on.
        ConfigError: the settings name no Redis that could ever be reached.
    """
    stopped = _stop_signal()
    watch = Watch(open_reader, interval_s, say)
    registry = CollectorRegistry()
    registry.register(RunqyCollector(lambda: watch.status, max_series, say))
    server = listen(address, registry, watch.sick)
    thread = Thread(target=server.serve_forever, args=(0.2,), name="metrics", daemon=True)
    thread.start()
    say(f"Serving http://{server.address}/metrics, polling every {interval_s:g} s.")
    watching = asyncio.ensure_future(watch.run())
    waiting = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((watching, waiting), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        for task in (watching, waiting):
            task.cancel()
        await asyncio.gather(watching, waiting, return_exceptions=True)
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def say(line: str) -> None:
    """Write a line to standard error, which is the log of a service; a full disk ends nothing."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"runqy-tui: {safe_line(line)}\n")
            sys.stderr.flush()
