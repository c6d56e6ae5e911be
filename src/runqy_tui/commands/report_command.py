"""``runqy-tui report``: observes for a moment, then writes an incident report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic, time

from runqy_tui import __version__
from runqy_tui.alerts.rule import parse_span
from runqy_tui.commands.stdout import emit
from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError, UsageError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import DEADLINE_S
from runqy_tui.report.markdown import to_markdown
from runqy_tui.report.report_builder import make_report
from runqy_tui.report.report_files import check_path, default_path, write_report
from runqy_tui.report.report_model import MonitorStatistics, Report
from runqy_tui.text.safe import safe_line

OpenReader = Callable[[], Awaitable[Reader]]

USUAL_S = 2.0
"""Default duration, of three polls: rates need more than one."""
STEP_S = 1.0
LONGEST_S = 3_600.0
STANDARD_OUTPUT = "-"


async def report(
    open_reader: OpenReader, target: str | None, watch: str | None, *, with_payloads: bool
) -> None:
    """Write a report to a file and its JSON beside it, or its Markdown to standard output.

    Args:
        open_reader: connects.
        target: the Markdown file, ``-`` for standard output, or a new file here if ``None``.
        watch: duration of the observation, as in ``10s``; ``None`` means three polls.
        with_payloads: whether to include the example tasks' payloads and results.

    Raises:
        RunqyTuiError: Redis cannot be reached, or the file cannot be created.
    """
    watch_s = _watch_s(watch)
    path = _path(target)
    reader = await open_reader()
    try:
        observer = _ReportObserver(reader)
        await observer.run(watch_s)
        made = await observer.report(with_payloads)
    finally:
        await reader.close()
    if path is None:
        emit(to_markdown(made).rstrip("\n"))
        return
    written, beside = write_report(made, path)
    emit(f"Wrote {safe_line(str(written))} and {safe_line(beside.name)}")


def _watch_s(text: str | None) -> float:
    if text is None:
        return USUAL_S
    seconds = parse_span(text)
    if seconds is None or seconds > LONGEST_S:
        raise UsageError(f"--for {text[:40]!r} must be a time up to 1h, as in 10s or 5m.")
    return seconds


def _path(target: str | None) -> Path | None:
    """Return the Markdown file, ``None`` for standard output; checked before the observation."""
    if target == STANDARD_OUTPUT:
        return None
    path = default_path(Path.cwd(), time()) if target is None else Path(target)
    if path.suffix.lower() == ".json" or not path.name:
        raise UsageError(
            f"--output {target!r} must name the Markdown file; the JSON is written beside it."
        )
    check_path(path)
    return path


class _ReportObserver:
    """Diagnoses each poll and keeps statistics of the polls."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._diagnoser = Diagnoser()
        self._diagnosis: Diagnosis | None = None
        self._poll_ms: list[float] = []
        self._round_trips: list[int] = []
        self._failures = 0
        self._error: str | None = None
        self._started = monotonic()

    async def run(self, watch_s: float) -> None:
        """Poll once a second; only the first poll must succeed, a later failure is a gap."""
        polls = max(1, round(watch_s / STEP_S)) + 1
        step_s = watch_s / (polls - 1)
        self._started = monotonic()
        for poll in range(polls):
            late = monotonic() - self._started - poll * step_s
            if late > step_s and poll < polls - 1:
                continue  # Redis is slow: do not observe for longer than requested
            await asyncio.sleep(max(0.0, -late))
            await self._poll()

    @property
    def _deadline_s(self) -> float:
        return max(DEADLINE_S, self._reader.deadline_s)

    async def _poll(self) -> None:
        try:
            async with asyncio.timeout(self._deadline_s):
                snapshot = await self._reader.overview()
        except (RunqyTuiError, TimeoutError) as error:
            self._fail(error)
            return
        self._poll_ms.append(snapshot.redis.elapsed_ms)
        self._round_trips.append(snapshot.redis.round_trips)
        self._diagnosis = await self._diagnoser.diagnose(self._reader, snapshot)

    def _fail(self, error: RunqyTuiError | TimeoutError) -> None:
        timeout = ConnectionFailedError.late("a poll", self._reader.address, self._deadline_s)
        failure = error if isinstance(error, RunqyTuiError) else timeout
        if self._diagnosis is None:
            raise failure from None
        self._failures += 1
        self._error = str(failure)

    async def report(self, with_payloads: bool) -> Report:
        """Return the report of the observation."""
        if self._diagnosis is None:
            raise ConnectionFailedError("Redis did not answer.")
        statistics = MonitorStatistics(
            version=__version__,
            polls=len(self._poll_ms) + self._failures,
            failures=self._failures,
            watched_s=monotonic() - self._started,
            poll_ms=tuple(self._poll_ms),
            round_trips=tuple(self._round_trips),
            last_error=self._error,
        )
        return await make_report(
            self._reader,
            self._diagnosis,
            self._diagnoser.history,
            statistics=statistics,
            with_payloads=with_payloads,
        )
