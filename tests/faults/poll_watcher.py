"""Watches one Redis as the monitor does, poll by poll, and checks what is said of a failure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

import pytest

from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.model import Snapshot
from runqy_tui.monitor import poller as polling
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.monitor.store import Store
from runqy_tui.redis.reader import open_reader
from tests.support.servers import RealServer

FORM = r"Redis at {where} [^:]+: [^.].*\. [^.].*\."
PATIENCE_S = 45.0
"""How long a condition may take before a test fails; a fast machine never waits for it."""


class Seen:
    """What the polls brought: results, and the store that a screen would show."""

    def __init__(self) -> None:
        self.results: list[PollResult] = []
        self.store = Store()
        self.poller: Poller
        self._news = asyncio.Event()

    async def take(self, result: PollResult) -> None:
        self.results.append(result)
        self.store.apply(result)
        self._news.set()

    @property
    def last(self) -> PollResult:
        return self.results[-1]

    @property
    def snapshot(self) -> Snapshot:
        """The last good data: a failure leaves it."""
        found = self.store.live.snapshot
        assert found is not None
        return found

    @property
    def findings(self) -> set[str]:
        return {finding.id for finding in self.store.live.findings}

    async def until(self, condition: Callable[[], object], what: str = "") -> float:
        """Wait for a poll that makes it true; gives the seconds that took."""
        began = monotonic()
        while not (self.results and condition()):
            self._news.clear()
            left = began + PATIENCE_S - monotonic()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                last = self.results[-1].error if self.results else "no result"
                raise AssertionError(f"never came true: {what}; last: {last}") from None
        return monotonic() - began

    async def live(self) -> float:
        """Wait for a good poll that began from now on."""
        before = len(self.results)
        return await self.until(
            lambda: len(self.results) > before and self.last.error is None, "a good poll"
        )

    async def lost(self, part: str) -> str:
        """Wait for a failure that says this; gives the sentence."""
        await self.until(lambda: part in (self.last.error or ""), part)
        return str(self.last.error)

    async def polls(self, count: int) -> None:
        """Wait for so many results more."""
        enough = len(self.results) + count
        await self.until(lambda: len(self.results) >= enough, f"{count} polls")


@asynccontextmanager
async def watching(
    url: str,
    *,
    interval: float = 0.05,
    timeout: float = 1.0,  # noqa: ASYNC109
    diagnoser: bool = True,
    **options: Any,
) -> AsyncIterator[Seen]:
    """Poll until the end of the block, with short pauses after failures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polling, "BACKOFF_FIRST_S", 0.03)
        patch.setattr(polling, "BACKOFF_LIMIT_S", 0.1)
        seen = Seen()
        seen.poller = Poller(
            lambda: open_reader(url, timeout=timeout, **options),
            seen.take,
            interval,
            Diagnoser() if diagnoser else None,
        )
        running = asyncio.create_task(seen.poller.run())
        try:
            yield seen
            assert not running.done(), running
            for sentence in {result.error for result in seen.results if result.error}:
                assert re.fullmatch(FORM.format(where=r"\S+"), sentence), sentence
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def well_said(sentence: str, server: RealServer | int | str) -> None:
    """Assert that a failure reads ``Redis at HOST does X: cause. Mend.``, in one line."""
    where = f"127.0.0.1:{server.port if isinstance(server, RealServer) else server}"
    if isinstance(server, str):
        where = server
    assert re.fullmatch(FORM.format(where=re.escape(where)), sentence), sentence
    assert len(sentence) < 260, sentence
    assert not re.search(r"Traceback|Error\b|Exception|0x[0-9a-f]+|\n", sentence), sentence
