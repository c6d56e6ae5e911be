"""Readings take turns: one at a time, the newest wanted next, and none broken off in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import pytest
from textual.app import App
from textual.widget import Widget

from runqy_tui.tui.tables import coalescing_loader as module
from runqy_tui.tui.tables.coalescing_loader import CoalescingLoader

LONG_S = 10_000.0


@dataclass
class Desk:
    """What is wanted, and what was read; a reading takes until :meth:`answer`."""

    wanted: str | None = None
    asked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    answers: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def reading(self, wanted: str) -> None:
        self.asked.append(wanted)
        try:
            await self.answers.get()
        except asyncio.CancelledError:
            self.broken_off.append(wanted)
            raise
        self.read.append(wanted)

    def answer(self) -> None:
        self.answers.put_nowait(None)


@asynccontextmanager
async def _at(desk: Desk) -> AsyncIterator[CoalescingLoader[str]]:
    app, widget = App[None](), Widget()
    async with app.run_test() as pilot:
        await app.mount(widget)
        await pilot.pause()
        yield CoalescingLoader(widget, lambda: desk.wanted, desk.reading)
        app.workers.cancel_all()


async def _until(desk: Desk, *asked: str) -> None:
    deadline = monotonic() + 15
    while desk.asked != [*asked]:
        assert monotonic() < deadline, desk
        await asyncio.sleep(0.005)


async def _nothing_more(desk: Desk) -> None:
    before = list(desk.asked)
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.asked == before


async def test_nothing_is_read_while_nothing_is_wanted() -> None:
    desk = Desk()
    async with _at(desk) as turns:
        turns.ask()
        turns.change()
        await _nothing_more(desk)
        assert desk.asked == []


async def test_a_first_change_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_S", LONG_S)
    desk = Desk("a")
    async with _at(desk) as turns:
        turns.change()
        await _until(desk, "a")


async def test_what_is_wanted_in_the_end_comes_next_and_what_was_between_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REST_S", 0.0)
    monkeypatch.setattr(module, "STUCK_S", LONG_S)
    desk = Desk("a")
    async with _at(desk) as turns:
        turns.change()
        await _until(desk, "a")
        for desk.wanted in "bcd":
            turns.change()
            await _nothing_more(desk)
        desk.answer()
        await _until(desk, "a", "d")
        desk.answer()
        await _nothing_more(desk)
        assert (desk.read[0], desk.broken_off) == ("a", [])


async def test_changes_in_a_rush_are_read_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_S", 0.05)
    desk = Desk("a")
    async with _at(desk) as turns:
        start = monotonic()
        while monotonic() < start + 0.5:
            turns.change()
            desk.answer()
            await asyncio.sleep(0.002)
        assert 1 < len(desk.asked) <= 1 + (monotonic() - start) / 0.05


async def test_a_poll_does_not_wait_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_S", LONG_S)
    desk = Desk("a")
    async with _at(desk) as turns:
        turns.change()
        desk.answer()
        await _until(desk, "a")
        desk.wanted = "b"
        turns.change()
        await _nothing_more(desk)
        turns.ask()
        await _until(desk, "a", "b")


async def test_one_that_is_stuck_makes_way_for_another_list_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STUCK_S", -1.0)
    desk = Desk("a")
    async with _at(desk) as turns:
        turns.ask()
        await _until(desk, "a")
        turns.ask()
        await _nothing_more(desk)
        assert desk.broken_off == []
        desk.wanted = "b"
        with suppress(asyncio.CancelledError):
            turns.ask()
        await _until(desk, "a", "b")
        assert desk.broken_off == ["a"]
