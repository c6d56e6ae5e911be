"""The poller's time: pure waiting and retrying, over a reader that only counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import cast

import pytest

from runqy_tui.model import Snapshot
from runqy_tui.model.errors import ConfigError, ConnectionFailedError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor import poller as module
from runqy_tui.monitor.poller import BACKOFF_LIMIT_S, Poller, PollResult, backoff
from tests.support.builders import snapshot

LONG_S = 60.0


class CountingReader:
    """All that the poller uses of a reader.

    Answers overviews after ``slow_s``; each entry of ``faults`` is raised once instead.
    """

    address = "counter:6379"
    deadline_s = 0.0

    def __init__(self, slow_s: float = 0.0, faults: list[Exception] | None = None) -> None:
        self.slow_s = slow_s
        self.faults = faults or []
        self.polls = 0
        self.at_once = 0
        self.most_at_once = 0
        self.closed = 0

    async def overview(self) -> Snapshot:
        self.polls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.slow_s)
            if self.faults:
                raise self.faults.pop(0)
            return snapshot(taken_at=float(self.polls))
        finally:
            self.at_once -= 1

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


class Watch:
    """A poller at work, its results, and the moment each came."""

    def __init__(self, open_reader: Callable[[], Awaitable[Reader]], interval_s: float) -> None:
        self.poller = Poller(open_reader, self._publish, interval_s)
        self.results: list[PollResult] = []
        self.times: list[float] = []
        self._news = asyncio.Event()

    async def _publish(self, result: PollResult) -> None:
        self.results.append(result)
        self.times.append(monotonic())
        self._news.set()

    async def until(self, count: int, within_s: float = 2.0) -> list[PollResult]:
        async with asyncio.timeout(within_s):
            while len(self.results) < count:
                self._news.clear()
                await self._news.wait()
        return self.results


@asynccontextmanager
async def polling(
    reader: CountingReader, interval_s: float, opening: list[Exception] | None = None
) -> AsyncIterator[Watch]:
    """A running poller; each entry of ``opening`` fails one attempt to open the reader."""
    faults = opening or []

    async def open_reader() -> Reader:
        if faults:
            raise faults.pop(0)
        return cast("Reader", reader)

    watch = Watch(open_reader, interval_s)
    running = asyncio.create_task(watch.poller.run())
    try:
        yield watch
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.002)


async def test_polls_begin_at_once_and_an_interval_apart() -> None:
    reader = CountingReader()
    began = monotonic()
    async with polling(reader, 0.06) as watch:
        await watch.until(3)
    assert watch.times[2] - began >= 0.11
    assert [result.snapshot.taken_at for result in watch.results if result.snapshot] == [1, 2, 3]
    assert all(result.error is None and result.retry_in_s is None for result in watch.results)


async def test_a_poll_slower_than_the_interval_has_no_second_beside_it() -> None:
    reader = CountingReader(slow_s=0.05)
    began = monotonic()
    async with polling(reader, 0.001) as watch:
        await watch.until(3)
    assert watch.times[2] - began >= 3 * 0.05 + 2 * 0.05 - 0.01  # with a pause after each
    assert reader.most_at_once == 1
    assert reader.polls == 3


async def test_a_poll_that_hangs_is_ended_by_the_deadline(
    monkeypatch: pytest.MonkeyPatch, quick_backoff: None
) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.03)
    reader = CountingReader(slow_s=LONG_S)
    async with polling(reader, LONG_S) as watch:
        first, second = (await watch.until(2))[:2]
    assert first.error is not None
    assert first.error.startswith("Redis at counter:6379 did not answer a poll within 0.03 s: ")
    assert "--timeout" in first.error
    assert (first.snapshot, first.failures, second.failures) == (None, 1, 2)
    assert (reader.most_at_once, reader.at_once) == (1, 0)
    assert reader.polls >= 2


async def test_failures_back_off_and_success_forgets_them(quick_backoff: None) -> None:
    faults: list[Exception] = [ConnectionFailedError(f"fault {n}") for n in range(4)]
    reader = CountingReader(faults=faults)
    async with polling(reader, 0.05) as watch:
        results = list(await watch.until(5))
        reader.faults = [ConnectionFailedError("again")]
        await watch.until(6)
    assert [result.error for result in results] == [*(f"fault {n}" for n in range(4)), None]
    assert [result.failures for result in results] == [1, 2, 3, 4, 0]
    for number, result in enumerate(results[:4]):
        pause = 0.002 * 2**number
        assert result.retry_in_s is not None
        assert 0.8 * pause <= result.retry_in_s <= 1.2 * pause
    waited = [after - before for before, after in zip(watch.times, watch.times[1:], strict=False)]
    promised = [result.retry_in_s or 0.0 for result in results[:4]]
    assert all(wait >= promise - 0.001 for wait, promise in zip(waited, promised, strict=False))
    assert (watch.results[5].error, watch.results[5].failures) == ("again", 1)


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 15.0), (7, 15.0)]
)
def test_the_pause_doubles_up_to_its_limit(failures: int, pause: float) -> None:
    assert backoff(failures, lambda: 0.5) == pytest.approx(pause)
    assert backoff(failures, lambda: 0.0) == pytest.approx(0.8 * pause)
    assert backoff(failures, lambda: 1.0) == pytest.approx(1.2 * pause)


def test_the_pause_stays_within_its_bounds_for_ever_and_varies() -> None:
    pauses = [backoff(10**6) for _ in range(200)]
    assert all(0.8 * BACKOFF_LIMIT_S <= pause <= 1.2 * BACKOFF_LIMIT_S for pause in pauses)
    assert max(pauses) - min(pauses) > 0.1 * BACKOFF_LIMIT_S


async def test_wake_cuts_the_interval_short() -> None:
    async with polling(CountingReader(), LONG_S) as watch:
        await watch.until(1)
        watch.poller.wake()
        await watch.until(2)
        with pytest.raises(TimeoutError):
            await watch.until(3, within_s=0.05)  # one wake is one poll


async def test_wake_cuts_the_back_off_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", LONG_S)
    monkeypatch.setattr(module, "BACKOFF_LIMIT_S", LONG_S)
    reader = CountingReader(faults=[ConnectionFailedError("down")])
    async with polling(reader, LONG_S) as watch:
        await watch.until(1)
        watch.poller.wake()
        results = await watch.until(2)
    assert [result.error for result in results] == ["down", None]


async def test_wake_during_a_poll_is_not_lost() -> None:
    reader = CountingReader(slow_s=0.03)
    async with polling(reader, LONG_S) as watch:
        await asyncio.sleep(0.01)
        watch.poller.wake()
        await watch.until(2)
    assert reader.most_at_once == 1


async def test_a_new_interval_is_felt_after_wake() -> None:
    async with polling(CountingReader(), LONG_S) as watch:
        await watch.until(1)
        watch.poller.interval_s = 0.05
        watch.poller.wake()
        await watch.until(4)


async def test_cancelling_closes_the_reader_in_whatever_it_does() -> None:
    for slow_s in (0.0, LONG_S):
        reader = CountingReader(slow_s=slow_s)
        async with polling(reader, LONG_S):
            await asyncio.sleep(0.01)
            assert reader.closed == 0
        assert (reader.closed, reader.at_once) == (1, 0)


async def test_a_reader_that_did_not_open_is_opened_again(quick_backoff: None) -> None:
    reader = CountingReader()
    opening: list[Exception] = [ConnectionFailedError("refused"), ConfigError("bad url")]
    async with polling(reader, LONG_S, opening) as watch:
        results = await watch.until(3)
        assert watch.poller.reader is cast("Reader", reader)
    assert [result.error for result in results] == ["refused", "bad url", None]
    assert reader.closed == 1


async def test_a_reader_that_opened_is_kept_through_failures(quick_backoff: None) -> None:
    reader = CountingReader(faults=[ConnectionFailedError("down")] * 3)
    opened = 0

    async def open_reader() -> Reader:
        nonlocal opened
        opened += 1
        return cast("Reader", reader)

    watch = Watch(open_reader, LONG_S)
    running = asyncio.create_task(watch.poller.run())
    await watch.until(4)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert (opened, reader.closed) == (1, 1)


async def test_cancelling_before_a_reader_opened_has_nothing_to_close() -> None:
    reader = CountingReader()
    async with polling(reader, LONG_S, [ConnectionFailedError("down")] * 99) as watch:
        await watch.until(1)
    assert reader.closed == 0
    assert watch.poller.reader is None


async def test_a_fault_of_the_program_itself_is_not_taken_for_a_lost_link() -> None:
    reader = CountingReader(faults=[ZeroDivisionError("a bug")])
    watch = Watch(lambda: _ready(reader), LONG_S)
    with pytest.raises(ZeroDivisionError):
        await watch.poller.run()
    assert reader.closed == 1
    assert watch.results == []


async def _ready(reader: CountingReader) -> Reader:
    return cast("Reader", reader)
