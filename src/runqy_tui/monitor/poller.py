"""The background poller: one poll at a time, with a deadline and a visible back-off.

A slow Redis is polled at longer intervals: see :func:`pause_after`.
The first poll is published before its task checks where those take long.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from runqy_tui.model import Snapshot
from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError
from runqy_tui.model.reader_protocol import InView, PrioritizingReader, Reader

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis

BACKOFF_FIRST_S = 0.5
BACKOFF_LIMIT_S = 15.0
DEADLINE_S = 10.0
"""Seconds for a poll with its task checks; longer if the reader's own deadline is."""

_MIN_PAUSE_S = 0.05
_PREVIEW_AFTER_S = 0.1
_REST_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PollResult:
    """Outcome of one poll: a snapshot, or the reason why there is none.

    ``diagnosis`` is of this snapshot, if the poller has a diagnoser. ``at`` is
    :func:`time.monotonic` when the poll ended; ``retry_in_s`` is the pause before the next try
    after a failure. ``preview``: the same snapshot follows with its task checks.
    """

    at: float
    snapshot: Snapshot | None = None
    diagnosis: Diagnosis | None = None
    error: str | None = None
    failures: int = 0
    retry_in_s: float | None = None
    preview: bool = False


def backoff(failures: int, jitter: Callable[[], float] = random.random) -> float:
    """Pause in seconds after ``failures`` consecutive failed polls: doubling, with ±20 % jitter.

    The jitter keeps a team's monitors from coming back to a restarted Redis all at once.
    """
    pause = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2.0 ** min(failures - 1, 10))
    return float(pause * (0.8 + 0.4 * jitter()))


def pause_after(interval_s: float, took_s: float) -> float:
    """Pause in seconds after a good poll that took ``took_s``.

    A late poll is not caught up, and a slow Redis has at least a third of the time for itself.
    """
    return max(interval_s - took_s, min(BACKOFF_LIMIT_S, _REST_SHARE * took_s), _MIN_PAUSE_S)


class Poller:
    """Polls for as long as its task runs; the reader is opened by the first poll.

    Args:
        open_reader: connects; called again only if it raised.
        publish: awaited with every result before the next poll.
        interval_s: seconds from the start of one poll to the start of the next. May be changed
            while running; :meth:`wake` makes the change felt at once.
        diagnoser: checks tasks and diagnoses after each good poll, within the same deadline.
    """

    def __init__(
        self,
        open_reader: Callable[[], Awaitable[Reader]],
        publish: Callable[[PollResult], Awaitable[None]],
        interval_s: float,
        diagnoser: Diagnoser | None = None,
    ) -> None:
        self.interval_s = interval_s
        self.reader: Reader | None = None
        self.diagnoser = diagnoser
        self._open_reader = open_reader
        self._publish = publish
        self._wake = asyncio.Event()
        self._failures = 0
        self._shown = False
        self._in_view: Callable[[], InView] = InView
        self._took_s = 0.0

    @property
    def pace_s(self) -> float:
        """Seconds between polls at present: a slow Redis is polled at longer intervals."""
        pace = round(self._took_s + pause_after(self.interval_s, self._took_s), 1)
        return max(self.interval_s, pace)

    def watch(self, in_view: Callable[[], InView]) -> None:
        """Set the function that names what is on the screen, asked before each poll."""
        self._in_view = in_view

    def wake(self) -> None:
        """Poll now instead of waiting for the interval or the back-off."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled, then close the reader.

        Raises CancelledError when cancelled, and whatever the publisher raises.
        """
        task = asyncio.current_task()
        try:
            while True:
                started = monotonic()
                result = await self._poll()
                if task is not None and task.cancelling():
                    # Python 3.11's wait_for, in redis-py, swallows one that comes as it ends.
                    raise asyncio.CancelledError
                await self._publish(result)
                pause = result.retry_in_s
                if pause is None:
                    self._took_s = monotonic() - started
                    pause = pause_after(self.interval_s, self._took_s)
                await self._sleep(pause)
        finally:
            if self.reader is not None:
                await self.reader.close()

    async def _poll(self) -> PollResult:
        started = monotonic()
        deadline = DEADLINE_S
        reader = self.reader
        try:
            async with asyncio.timeout(deadline) as timer:
                if reader is None:
                    reader = self.reader = await self._open_reader()
                deadline = max(deadline, reader.deadline_s)
                timer.reschedule(asyncio.get_running_loop().time() + deadline)
                if isinstance(reader, PrioritizingReader):
                    seen = self._in_view()
                    reader.prioritize(seen.queues, seen.workers)
                snapshot = await reader.overview()
        except RunqyTuiError as error:
            return self._failed(str(error))
        except TimeoutError:
            where = "" if reader is None else reader.address
            return self._failed(str(ConnectionFailedError.late("a poll", where, deadline)))
        diagnosis = await self._diagnose(reader, snapshot, deadline - (monotonic() - started))
        self._failures = 0
        return PollResult(at=monotonic(), snapshot=snapshot, diagnosis=diagnosis)

    async def _diagnose(
        self, reader: Reader, snapshot: Snapshot, left_s: float
    ) -> Diagnosis | None:
        """Diagnose a poll with task checks; without them if they take too long."""
        diagnoser = self.diagnoser
        if diagnoser is None:
            return None
        try:
            async with (
                self._preview(diagnoser, snapshot),
                asyncio.timeout(max(_MIN_PAUSE_S, left_s)),
            ):
                checks = await diagnoser.read_checks(reader, snapshot)
        except TimeoutError:
            late = ConnectionFailedError.late("all of it", reader.address, max(DEADLINE_S, left_s))
            return await diagnoser.update_unchecked(snapshot, str(late))
        return await diagnoser.update(snapshot, checks)

    @asynccontextmanager
    async def _preview(self, diagnoser: Diagnoser, snapshot: Snapshot) -> AsyncIterator[None]:
        """Publish the first snapshot of all if the block takes long.

        Over a slow link the task checks are as many round trips again.
        """
        if self._shown:
            yield
            return
        showing = asyncio.create_task(self._publish_preview(diagnoser, snapshot))
        try:
            yield
        finally:
            showing.cancel()
            self._shown = True
            (fault,) = await asyncio.gather(showing, return_exceptions=True)
        if isinstance(fault, Exception):
            raise fault  # as from any poll

    async def _publish_preview(self, diagnoser: Diagnoser, snapshot: Snapshot) -> None:
        await asyncio.sleep(_PREVIEW_AFTER_S)
        diagnosis = await diagnoser.preview(snapshot)
        await self._publish(PollResult(monotonic(), snapshot, diagnosis, preview=True))

    def _failed(self, error: str) -> PollResult:
        self._failures += 1
        return PollResult(
            at=monotonic(),
            error=error,
            failures=self._failures,
            retry_in_s=backoff(self._failures),
        )

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
