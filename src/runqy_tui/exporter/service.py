"""The exporter as a service: polls in the background and answers scrapes from the last poll."""

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
    count_findings,
)
from runqy_tui.exporter.web_server import ListenAddress, listen
from runqy_tui.model import QueueKey
from runqy_tui.model.errors import ConfigError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.text.safe import safe_line

PATIENCE_LEAST_S = 15.0
"""``/healthz`` accepts a last poll at least this old, in seconds."""


class MetricsPoller:
    """Polls until cancelled. ``status`` may be read from any thread: it is replaced, not mutated.

    Args:
        open_reader: connects. Failures are retried, except for invalid settings.
        interval_s: seconds between polls.
        log: receives lines for the log, which may contain untrusted text.
    """

    def __init__(
        self,
        open_reader: Callable[[], Awaitable[Reader]],
        interval_s: float,
        log: Callable[[str], None],
    ) -> None:
        self.status = ScrapeState()
        self.patience_s = max(PATIENCE_LEAST_S, 3 * interval_s)
        self._open_reader = open_reader
        self._log = log
        self._diagnoser = Diagnoser()
        self._poller = Poller(self._open, self._publish, interval_s, self._diagnoser)
        self._counters = MonotonicCounters()
        self._invalid_settings: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Poll until cancelled.

        Raises:
            ConfigError: the settings are invalid, so that no retry can succeed.
        """
        self._invalid_settings = asyncio.get_running_loop().create_future()
        polling = asyncio.ensure_future(self._poller.run())
        try:
            await asyncio.wait(
                (polling, self._invalid_settings), return_when=asyncio.FIRST_COMPLETED
            )
            (self._invalid_settings if self._invalid_settings.done() else polling).result()
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    def health_problem(self) -> str | None:
        """Return why ``/healthz`` fails; ``None`` if the last poll was good and recent."""
        return self.status.health_problem(monotonic(), self.patience_s)

    async def _open(self) -> Reader:
        try:
            return await self._open_reader()
        except ConfigError as error:
            if self._invalid_settings is not None and not self._invalid_settings.done():
                self._invalid_settings.set_exception(error)
            raise

    async def _publish(self, result: PollResult) -> None:
        before = self.status
        self.status = replace(
            before,
            polls=before.polls + 1,
            errors=before.errors + (result.diagnosis is None),
            error=result.error,
        )
        if result.error is not None and result.error != before.error:
            self._log(f"{result.error} Trying again.")
        elif result.error is None and before.error is not None:
            self._log("Connection to Redis restored.")
        if result.diagnosis is not None:
            frame = self._build_frame(result.diagnosis, result.at)
            took_s = frame.snapshot.redis.elapsed_ms / 1000
            self.status = replace(self.status, frame=frame, poll_s=took_s)

    def _build_frame(self, diagnosis: Diagnosis, at: float) -> ScrapeFrame:
        snapshot = diagnosis.snapshot
        histograms = ((queue.key, self._histogram(queue.key)) for queue in snapshot.queues)
        return ScrapeFrame(
            snapshot=snapshot,
            received_at=at,
            totals=self._counters.update(snapshot.queues),
            histograms={key: found for key, found in histograms if found is not None},
            findings=count_findings(diagnosis.findings),
        )

    def _histogram(self, queue: QueueKey) -> ScrapeHistogram | None:
        found = self._diagnoser.durations.histogram(queue)
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
    """Serve until SIGTERM or SIGINT, then shut down cleanly.

    Raises:
        ListenError: the address cannot be listened on.
        ConfigError: the settings are invalid, so that no retry can succeed.
    """
    stopped = _stop_signal()
    poller = MetricsPoller(open_reader, interval_s, log_line)
    registry = CollectorRegistry()
    registry.register(RunqyCollector(lambda: poller.status, max_series, log_line))
    server = listen(address, registry, poller.health_problem)
    thread = Thread(target=server.serve_forever, args=(0.2,), name="metrics", daemon=True)
    thread.start()
    log_line(f"Serving http://{server.address}/metrics, polling every {interval_s:g} s.")
    polling = asyncio.ensure_future(poller.run())
    stopping = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((polling, stopping), return_when=asyncio.FIRST_COMPLETED)
        if polling.done():
            polling.result()
    finally:
        for task in (polling, stopping):
            task.cancel()
        await asyncio.gather(polling, stopping, return_exceptions=True)
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def log_line(line: str) -> None:
    """Write a line to standard error, the log of a service; write errors are ignored."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"runqy-tui: {safe_line(line)}\n")
            sys.stderr.flush()
