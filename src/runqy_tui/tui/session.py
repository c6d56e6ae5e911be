"""What every screen shares: settings, the store, the poller and the news of each poll."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.signal import Signal

from runqy_tui.alerts.alert_states import AlertBoard, Alerts
from runqy_tui.config import INTERVALS_S, Settings
from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.monitor.store import Store, View
from runqy_tui.tui.bandwidth import LowBandwidth
from runqy_tui.tui.incident_report import PollLog


@dataclass(slots=True)
class Session:
    """Handed to screens and panes; none of them ever holds a Redis client.

    ``polled`` is published with the view to show after every poll and on freeze and thaw.
    """

    settings: Settings
    store: Store
    poller: Poller
    polled: Signal[View]
    triage: Diagnoser
    alerts: Alerts
    log: PollLog = field(default_factory=PollLog)
    bandwidth: LowBandwidth = field(default_factory=LowBandwidth)
    _acknowledged: set[str] = field(default_factory=set)

    @property
    def view(self) -> View:
        """What to show now."""
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

    async def take(self, result: PollResult) -> None:
        """Take in a poll: for the screen, and for the alerts, which wait for the closer looks."""
        if not result.early:
            self.log.note(result)
            if result.diagnosis is not None:
                await self.alerts.update(result.diagnosis, self.triage.history)
        self.store.apply(result)
        self._acknowledge_again()
        self.polled.publish(self.view)

    def acknowledge(self, *finding_ids: str) -> None:
        """Acknowledge findings here and now; each returns if it gets worse."""
        snapshot, tracker = self.store.live.snapshot, self.triage.tracker
        if snapshot is None:
            return
        now = snapshot.taken_at
        known = [finding_id for finding_id in finding_ids if tracker.acknowledge(finding_id, now)]
        if known:
            self.store.acknowledge(dict.fromkeys(known, now))
            self._acknowledged.update(known)
            self.polled.publish(self.view)

    def _acknowledge_again(self) -> None:
        """Carry over what was acknowledged while this poll was being taken in."""
        if not self._acknowledged:
            return
        told = {finding.id: finding.acknowledged_at for finding in self.store.live.findings}
        moments = {
            finding_id: at
            for finding_id in self._acknowledged
            if (at := self.triage.tracker.acknowledged_at(finding_id)) is not None
            and told.get(finding_id, at) is None
        }
        if moments:
            self.store.acknowledge(moments)
        self._acknowledged.clear()

    def change_interval(self, step: int) -> float:
        """Move to the next slower (+1) or faster (-1) interval; return it in seconds."""
        now = self.poller.interval_s
        if step > 0:
            later = [value for value in INTERVALS_S if value > now]
            self.poller.interval_s = later[0] if later else now
        else:
            sooner = [value for value in INTERVALS_S if value < now]
            self.poller.interval_s = sooner[-1] if sooner else now
        self.poller.wake()
        return self.poller.interval_s

    def toggle_freeze(self) -> bool:
        """Freeze or thaw the screen; polling goes on. Return whether it is frozen now."""
        if self.store.frozen:
            self.store.thaw()
        else:
            self.store.freeze()
        self.polled.publish(self.view)
        return self.store.frozen
