"""Stateful diagnosis: turns each poll into history, durations and findings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.diagnosis.assessment import Assessment, assess
from runqy_tui.diagnosis.findings.detector_context import (
    ActiveTimes,
    DetectorContext,
    ServerHistory,
    Thresholds,
)
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.diagnosis.findings.tracker import FindingTracker
from runqy_tui.model import (
    ActiveTask,
    CheckedTask,
    Dialect,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
    WorkerState,
)
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.reader_protocol import TaskCheckReader
from runqy_tui.observation.durations import Durations, ObservedDurations
from runqy_tui.observation.history import History, Trend
from runqy_tui.observation.task_sampling import TaskSampler
from runqy_tui.runtime.cooperative import batches, yield_to_loop

OUTCOMES_PER_POLL = 200
"""Tasks that left their active list whose outcome is read per poll."""
SERVERS_PER_POLL = 2
"""asynq servers read per poll for the exact starts of their tasks."""


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Everything known at one poll. ``durations`` holds only queues whose tasks were seen to end.

    ``assessment`` classifies each worker and queue by the findings; ``None`` where it was not
    computed. ``unread``: in one line why some tasks could not be checked, else ``None``.
    """

    snapshot: Snapshot
    findings: tuple[Finding, ...] = ()
    trends: Mapping[QueueKey, Trend] = field(default_factory=dict)
    durations: Mapping[QueueKey, ObservedDurations] = field(default_factory=dict)
    unread: str | None = None
    assessment: Assessment | None = None


class TaskChecks(NamedTuple):
    """What was read of single tasks beside one poll; ``outcomes`` are in the order of ``ids``.

    ``windows``: checks of listed tasks. ``started``: exact starts that asynq servers report.
    ``unread``: why some of it is missing, in one line.
    """

    windows: Sequence[WindowCheck] = ()
    started: Sequence[ActiveTask] = ()
    ids: Sequence[tuple[QueueKey, str]] = ()
    outcomes: Sequence[CheckedTask] = ()
    unread: str | None = None


class Diagnoser:
    """Holds everything that is remembered between polls. One poll at a time, in one thread."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        self.history = History()
        self.durations = Durations()
        self.sampler = TaskSampler()
        self.tracker = FindingTracker()
        self._server_history = ServerHistory()
        self._active_times = ActiveTimes()
        self._next_server = 0

    async def diagnose(self, reader: TaskCheckReader, snapshot: Snapshot) -> Diagnosis:
        """Check some tasks of a poll and return the diagnosis of both.

        Costs at most five round trips, and two for each of two asynq servers. Checks that the
        reader cannot answer are left out: that is never an error.
        """
        return await self.update(snapshot, await self.read_checks(reader, snapshot))

    async def preview(self, snapshot: Snapshot) -> Diagnosis:
        """Diagnose a first poll alone, before any task is checked. Nothing is remembered of it."""
        return await Diagnoser(self.thresholds).update(snapshot)

    async def update_unchecked(self, snapshot: Snapshot, reason: str) -> Diagnosis:
        """Like :meth:`update` for a poll whose tasks could not be checked, for this reason."""
        return await self.update(snapshot, TaskChecks(unread=reason))

    async def update(self, snapshot: Snapshot, checks: TaskChecks | None = None) -> Diagnosis:
        """Add a poll and its task checks to what is remembered, and return the diagnosis.

        A Diagnoser whose update was cancelled is of no more use: the poll is half added.
        """
        checks = checks or TaskChecks()
        if snapshot.clock_jump_s:
            self._follow_clock(snapshot.clock_jump_s)
        await self.history.observe(snapshot)
        self.durations.keep({queue.key for queue in snapshot.queues}, snapshot.taken_at)
        self.sampler.observe(checks.windows)
        self.durations.settle(checks.ids, checks.outcomes, snapshot.taken_at)
        self._observe(snapshot, checks)
        await yield_to_loop()
        trends = await self._trends(snapshot)
        findings = await self._find(snapshot)
        assessment = await assess(snapshot, findings)
        return Diagnosis(
            snapshot=snapshot,
            findings=findings,
            trends=trends,
            durations=self._durations(snapshot),
            unread=checks.unread,
            assessment=assessment,
        )

    def _follow_clock(self, jump_s: float) -> None:
        """Redis's clock was set: move all moments, and drop what was measured across the jump."""
        self.tracker.shift(jump_s)
        self.durations.forget_running()
        self.sampler = TaskSampler()
        self._active_times = ActiveTimes()

    async def _trends(self, snapshot: Snapshot) -> dict[QueueKey, Trend]:
        """Compute what the detectors ask of the history too: they cannot yield to the loop."""
        history, window_s = self.history, self.thresholds.failure_window_s
        trends: dict[QueueKey, Trend] = {}
        for batch in batches(snapshot.queues):
            for queue in batch:
                trends[queue.key] = history.trend(queue.key)
                history.increase(queue.key, "failed", window_s)
            await yield_to_loop()
        return trends

    async def _find(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        self._server_history.observe(snapshot)
        self._active_times.observe(self.sampler.current)
        context = DetectorContext(
            snapshot=snapshot,
            history=self.history,
            checks=self.sampler.current,
            thresholds=self.thresholds,
            server_polls=self._server_history.polls,
            active_since=self._active_times.since,
        )
        # A clock that went back restarts the history: the findings were not present at the start.
        first_poll = self.history.started_at == snapshot.taken_at and not snapshot.clock_jump_s
        found = await diagnose(context)
        return await self.tracker.update(found, snapshot.taken_at, first_poll)

    async def read_checks(self, reader: TaskCheckReader, snapshot: Snapshot) -> TaskChecks:
        """Check some tasks of a poll, for :meth:`update`.

        Three independent requests: one that fails leaves the answers of the others.
        """
        checked: Sequence[WindowCheck] = ()
        started: Sequence[ActiveTask] = ()
        outcomes: Sequence[CheckedTask] = ()
        unread: list[str] = []
        # Tasks that left between the last poll and this one are read at the next.
        ids = self.durations.pending_outcomes(OUTCOMES_PER_POLL)
        await asyncio.sleep(0)  # the end of a poll and the plan both take long
        try:
            windows = self.sampler.plan(snapshot)
            checked = await reader.check_tasks(windows) if windows else ()
        except RunqyTuiError as error:
            unread.append(str(error))
        try:
            started = await self._read_started(reader, snapshot)
        except RunqyTuiError as error:
            unread.append(str(error))
        try:
            outcomes = await reader.read_outcomes(ids) if ids else ()
        except RunqyTuiError as error:
            unread.append(str(error))
            ids = []
        return TaskChecks(checked, started, ids, outcomes, unread[0] if unread else None)

    async def _read_started(self, reader: TaskCheckReader, snapshot: Snapshot) -> list[ActiveTask]:
        servers = [
            worker.id
            for worker in snapshot.workers
            if worker.dialect is Dialect.ASYNQ
            and worker.state is WorkerState.RUNNING
            and worker.active_count
        ]
        if not servers:
            return []
        start = self._next_server % len(servers)
        self._next_server = start + SERVERS_PER_POLL
        turn = (*servers[start:], *servers[:start])[:SERVERS_PER_POLL]
        return [task for server in turn for task in await reader.active_tasks(server)]

    def _observe(self, snapshot: Snapshot, checks: TaskChecks) -> None:
        self.durations.observe_started(checks.started)
        for queue in snapshot.queues:
            if queue.counts.active == 0 and queue.key not in snapshot.unread_queues:
                self.durations.observe_idle(queue.key, snapshot.taken_at)
        for check in checks.windows:
            if check.window.state is TaskState.ACTIVE:
                self.durations.observe_active(check)

    def _durations(self, snapshot: Snapshot) -> dict[QueueKey, ObservedDurations]:
        found = ((queue.key, self.durations.quantiles(queue.key)) for queue in snapshot.queues)
        return {key: observed for key, observed in found if observed is not None}
