"""State shared by all screens: settings, the store, the poller and the signal of each poll."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from textual.signal import Signal

from runqy_tui import __version__
from runqy_tui.alerts.alert_states import AlertBoard, Alerts
from runqy_tui.config import INTERVALS_S, Settings
from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.monitor.store import Store, View
from runqy_tui.tui.bandwidth import LowBandwidth

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis
    from runqy_tui.report.report_model import MonitorStatistics

_POLLS_KEPT = 100

Step = Callable[[int], Hashable | None]
"""Moves the selection of a list by rows; returns the newly selected key, ``None`` without one."""

OpenObject = Callable[[Subject, Step | None], bool]
"""Opens the window of an object, with the list to step through; returns whether it has one."""


class PollLog:
    """Durations, round trips and failures of the polls: the monitor's own health, for a report.

    ``diagnosis`` is that of the latest successful poll, ``None`` before there was one.
    """

    def __init__(self) -> None:
        self.diagnosis: Diagnosis | None = None
        self._started = monotonic()
        self._polls = self._failures = 0
        self._last_error: str | None = None
        self._poll_ms: deque[float] = deque(maxlen=_POLLS_KEPT)
        self._round_trips: deque[int] = deque(maxlen=_POLLS_KEPT)

    def record(self, result: PollResult) -> None:
        """Record one poll."""
        self._polls += 1
        if result.snapshot is None:
            self._failures += 1
            self._last_error = result.error
            return
        self.diagnosis = result.diagnosis
        self._poll_ms.append(result.snapshot.redis.elapsed_ms)
        self._round_trips.append(result.snapshot.redis.round_trips)

    def summary(self) -> MonitorStatistics:
        """Return totals since the start, and the figures of the latest 100 polls."""
        from runqy_tui.report.report_model import MonitorStatistics

        return MonitorStatistics(
            version=__version__,
            polls=self._polls,
            failures=self._failures,
            watched_s=monotonic() - self._started,
            poll_ms=tuple(self._poll_ms),
            round_trips=tuple(self._round_trips),
            last_error=self._last_error,
        )


@dataclass(slots=True)
class Session:
    """Passed to all screens and panes; none of them ever holds a Redis client.

    ``polled`` is published with the view to show after every poll, and on freeze and resume.
    ``open_object`` lets windows open each other without importing each other.
    """

    settings: Settings
    store: Store
    poller: Poller
    polled: Signal[View]
    diagnoser: Diagnoser
    alerts: Alerts
    open_object: OpenObject
    log: PollLog = field(default_factory=PollLog)
    bandwidth: LowBandwidth = field(default_factory=LowBandwidth)
    _acknowledged: set[str] = field(default_factory=set)

    @property
    def view(self) -> View:
        """The view to show now: the frozen one, or the latest."""
        return self.store.view

    @property
    def reader(self) -> Reader:
        """The connected reader.

        Raises:
            ConnectionFailedError: there is no connection yet.
        """
        if self.poller.reader is None:
            raise ConnectionFailedError("Not connected to Redis yet.")
        return self.poller.reader

    @property
    def board(self) -> AlertBoard:
        """Alerts as of the latest poll."""
        return self.alerts.board

    async def apply(self, result: PollResult) -> None:
        """Apply a poll to the store and publish it; evaluate the alerts unless it is a ``preview``.

        A preview comes before single tasks were checked, on which alerts may depend.
        """
        if not result.preview:
            self.log.record(result)
            if result.diagnosis is not None:
                await self.alerts.update(result.diagnosis, self.diagnoser.history)
        self.store.apply(result)
        self._restore_acknowledged()
        self.polled.publish(self.view)

    def acknowledge(self, *finding_ids: str) -> None:
        """Acknowledge findings in this session; each returns if it gets worse."""
        snapshot, tracker = self.store.live.snapshot, self.diagnoser.tracker
        if snapshot is None:
            return
        now = snapshot.taken_at
        known = [finding_id for finding_id in finding_ids if tracker.acknowledge(finding_id, now)]
        if known:
            self.store.acknowledge(dict.fromkeys(known, now))
            self._acknowledged.update(known)
            self.polled.publish(self.view)

    def _restore_acknowledged(self) -> None:
        """Carry over what was acknowledged while the latest poll was being diagnosed."""
        if not self._acknowledged:
            return
        stored = {finding.id: finding.acknowledged_at for finding in self.store.live.findings}
        missing = {
            finding_id: at
            for finding_id in self._acknowledged
            if (at := self.diagnoser.tracker.acknowledged_at(finding_id)) is not None
            and stored.get(finding_id, at) is None
        }
        if missing:
            self.store.acknowledge(missing)
        self._acknowledged.clear()

    def change_interval(self, step: int) -> float:
        """Move to the next slower (+1) or faster (-1) interval; return it in seconds."""
        now = self.poller.interval_s
        if step > 0:
            slower = [value for value in INTERVALS_S if value > now]
            self.poller.interval_s = slower[0] if slower else now
        else:
            faster = [value for value in INTERVALS_S if value < now]
            self.poller.interval_s = faster[-1] if faster else now
        self.poller.wake()
        return self.poller.interval_s

    def toggle_freeze(self) -> bool:
        """Freeze or resume the display while polling continues; return whether it is frozen."""
        if self.store.frozen:
            self.store.thaw()
        else:
            self.store.freeze()
        self.polled.publish(self.view)
        return self.store.frozen

    async def write_report(self, folder: Path) -> tuple[Path, Path] | None:
        """Write an incident report as Markdown and JSON; ``None`` before the first diagnosis.

        Raises:
            CannotCreateError: the files cannot be created.
            RunqyTuiError: Redis cannot be read.
        """
        from runqy_tui.report import default_path, make_report, write_report

        log, history = self.log, self.diagnoser.history
        if log.diagnosis is None:
            return None
        report = await make_report(self.reader, log.diagnosis, history, statistics=log.summary())
        return write_report(report, default_path(folder, time()))
