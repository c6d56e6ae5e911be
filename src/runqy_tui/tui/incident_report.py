"""How the polls went, kept for an incident report, which is imported only when asked for."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from runqy_tui import __version__
from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import PollResult
from runqy_tui.report import default_path, make_report, write_report

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis
    from runqy_tui.report.report_model import ReportWatch

_KEPT = 100


class PollLog:
    """How the polls went: the monitor's own health, for a report."""

    def __init__(self) -> None:
        self.diagnosis: Diagnosis | None = None
        self._started = monotonic()
        self._polls = self._failures = 0
        self._last_error: str | None = None
        self._poll_ms: deque[float] = deque(maxlen=_KEPT)
        self._round_trips: deque[int] = deque(maxlen=_KEPT)

    def note(self, result: PollResult) -> None:
        """Take note of one poll."""
        self._polls += 1
        if result.snapshot is None:
            self._failures += 1
            self._last_error = result.error
            return
        self.diagnosis = result.diagnosis
        self._poll_ms.append(result.snapshot.redis.elapsed_ms)
        self._round_trips.append(result.snapshot.redis.round_trips)

    def watch(self) -> ReportWatch:
        """Sum up."""
        from runqy_tui.report.report_model import ReportWatch

        return ReportWatch(
            version=__version__,
            polls=self._polls,
            failures=self._failures,
            watched_s=monotonic() - self._started,
            poll_ms=tuple(self._poll_ms),
            round_trips=tuple(self._round_trips),
            last_error=self._last_error,
        )


async def report_to(
    folder: Path, reader: Reader, triage: Diagnoser, log: PollLog
) -> tuple[Path, Path] | None:
    """Write a report into a folder; ``None`` where nothing is known yet.

    Raises:
        CannotCreateError: the files cannot be made.
    """
    if log.diagnosis is None:
        return None
    report = await make_report(reader, log.diagnosis, triage.history, watch=log.watch())
    return write_report(report, default_path(folder, time()))
