"""Polls in the background and keeps what a scrape will see."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from time import monotonic

from prometheus_client import CollectorRegistry

from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.exporter.collector import MAX_SERIES, RunqyCollector
from runqy_tui.exporter.scrape_state import (
    MonotonicCounters,
    ScrapeFrame,
    ScrapeHistogram,
    ScrapeState,
    tally,
)
from runqy_tui.exporter.web_server import ListenAddress, listen
from runqy_tui.model import QueueKey
from runqy_tui.model.errors import ConfigError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.text.safe import safe_line

PATIENCE_LEAST_S = 15.0


class MetricsPoller:
    """Polls until cancelled. ``status`` may be read from any thread: it is replaced, not changed.

    Args:
        open_reader: connects; a failure is tried again, but for settings that cannot be right.
        interval_s: seconds between polls.
        say: takes a line for whoever reads the log; untrusted text may be in it.
    """

    def __init__(
        self,
        open_reader: Callable[[], Awaitable[Reader]],
        interval_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.status = ScrapeState()
        self.patience_s = max(PATIENCE_LEAST_S, 3 * interval_s)
        self._open_reader = open_reader
        self._say = say
        self._triage = Diagnoser()
        self._poller = Poller(self._open, self._took, interval_s, self._triage)
        self._ledger = MonotonicCounters()
        self._hopeless: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Poll.

        Raises:
            ConfigError: the settings name no Redis that could ever be reached.
        """
        self._hopeless = asyncio.get_running_loop().create_future()
        polling = asyncio.ensure_future(self._poller.run())
        try:
            await asyncio.wait((polling, self._hopeless), return_when=asyncio.FIRST_COMPLETED)
            (self._hopeless if self._hopeless.done() else polling).result()
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    def sick(self) -> str | None:
        """Why ``/healthz`` must say no, ``None`` where the last poll was good and recent."""
        return self.status.sick(monotonic(), self.patience_s)

    async def _open(self) -> Reader:
        try:
            return await self._open_reader()
        except ConfigError as error:
            if self._hopeless is not None and not self._hopeless.done():
                self._hopeless.set_exception(error)
            raise

    async def _took(self, result: PollResult) -> None:
        before = self.status
        self.status = replace(
            before,
            polls=before.polls + 1,
            errors=before.errors + (result.diagnosis is None),
            error=result.error,
        )
        if result.error is not None and result.error != before.error:
            self._say(f"{result.error} Trying again.")
        elif result.error is None and before.error is not None:
            self._say("Redis answers again.")
        if result.diagnosis is not None:
            frame = self._frame(result.diagnosis, result.at)
            took_s = frame.snapshot.redis.elapsed_ms / 1000
            self.status = replace(self.status, frame=frame, poll_s=took_s)

    def _frame(self, diagnosis: Diagnosis, at: float) -> ScrapeFrame:
        snapshot = diagnosis.snapshot
        histograms = ((queue.key, self._histogram(queue.key)) for queue in snapshot.queues)
        return ScrapeFrame(
            snapshot=snapshot,
            received_at=at,
            totals=self._ledger.take(snapshot.queues),
            histograms={key: found for key, found in histograms if found is not None},
            findings=tally(diagnosis.findings),
        )

    def _histogram(self, queue: QueueKey) -> ScrapeHistogram | None:
        found = self._triage.durations.histogram(queue)
        if found is None:
            return None
        bounds, counts, total_s, count = found
        return ScrapeHistogram(tuple(zip(bounds, counts, strict=True)), total_s, count)


async def serve(
    open_reader: Callable[[], Awaitable[Reader]],
    address: ListenAddress,
    interval_s: float,
    max_series: int = MAX_SERIES,
) -> None:
    """Serve until SIGTERM or SIGINT, and then end in peace.

    Raises:
        ListenError: the address cannot be listened on.
        ConfigError: the settings name no Redis that could ever be reached.
    """
    stopped = _stop_signal()
    watch = MetricsPoller(open_reader, interval_s, say)
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
