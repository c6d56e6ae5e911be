"""Drives the app in tests: presses keys, waits for conditions, reads the screen as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.worker import WorkerError

from runqy_tui.config import Settings
from runqy_tui.monitor.poller import Poller
from runqy_tui.monitor.store import View
from runqy_tui.redis.reader import open_reader
from runqy_tui.tui.app import RunqyApp
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.panes.tasks_pane import TasksPane
from runqy_tui.tui.screens.main_screen import MainScreen
from runqy_tui.tui.screens.task_modal import TaskModal
from runqy_tui.tui.widgets.table import Table

WIDE = (120, 32)
SMALL = (80, 24)
_CHARACTERS = {"minus": "-", "space": " ", "full_stop": ".", "colon": ":"}
PATIENCE_S = 45.0
"""How long a condition may take before a test fails; a fast machine never waits for it."""


async def settle(pilot: Pilot[Any]) -> None:
    """Let everything that was sent to an app be worked off and painted.

    ``Pilot.pause`` goes by the CPU time of this process: on a busy machine, where it gets none, it
    takes the app for idle. It costs 80 ms a key besides.
    """
    app, quiet = pilot.app, 0
    while quiet < 5:
        await asyncio.sleep(0)
        pumps = [app, *app.screen.walk_children(with_self=True)]
        quiet = quiet + 1 if all(pump._message_queue.empty() for pump in pumps) else 0
    await pilot._wait_for_screen()
    app.screen._on_timer_update()


async def until(condition: Callable[[], object], what: Callable[[], str] = str) -> None:
    """Wait until a condition holds; ``what`` describes what was waited for if it never does."""
    deadline = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < deadline, f"never came true: {what()}"
        await asyncio.sleep(0.04)


@dataclass
class Hand:
    """An operator's hand and eye on a running app."""

    app: RunqyApp
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys, each one worked off before the next."""
        for key in keys:
            self.send(key)
            await self.settle()

    def send(self, key: str) -> None:
        """Press a key without waiting for what it does."""
        driver = self.app._driver
        assert driver is not None
        event = events.Key(key, _CHARACTERS.get(key, key if len(key) == 1 else None))
        event.set_sender(self.app)
        driver.send_message(event)

    async def type(self, text: str) -> None:
        """Type a text of letters, digits and dashes."""
        await self.press(*("minus" if char == "-" else char for char in text))

    async def settle(self) -> None:
        """Let everything that was sent be worked off."""
        await settle(self.pilot)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds."""

        def holds() -> object:
            assert self.app.fault is None, repr(self.app.fault)
            return condition()

        await until(holds, lambda: f"{what}\n{self.text}")

    async def sees(self, *parts: str) -> None:
        """Wait until the screen shows all of these."""
        await self.until(lambda: all(part in self.text for part in parts), f"on screen: {parts}")

    async def misses(self, *parts: str) -> None:
        """Wait until the screen shows none of these."""
        gone = lambda: not any(part in self.text for part in parts)  # noqa: E731
        await self.until(gone, f"gone from the screen: {parts}")

    async def polls(self, count: int = 2) -> None:
        """Wait for polls; of two, the second one began after this was called."""
        for _ in range(count):
            before = self.live.received_at
            await self.until(lambda before=before: self.live.received_at != before, "a poll")  # type: ignore[misc]

    @property
    def text(self) -> str:
        """The screen in front, as text."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen in front."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def notifications(self) -> list[str]:
        """What notifications say now."""
        return [note.message for note in self.app._notifications]

    async def hears(self, part: str) -> None:
        """Wait for a notification."""
        await self.until(
            lambda: any(part in message for message in self.notifications), f"said: {part}"
        )

    @property
    def screen(self) -> Screen[Any]:
        """The screen in front."""
        return self.app.screen

    @property
    def live(self) -> View:
        """What the latest poll brought, frozen or not."""
        return self.app.session.store.live

    @property
    def poller(self) -> Poller:
        """The app's poller."""
        return self.app.session.poller

    @property
    def main(self) -> MainScreen:
        """The main screen, in front or not."""
        (found,) = (screen for screen in self.app.screen_stack if isinstance(screen, MainScreen))
        return found

    @property
    def workers(self) -> Table:
        """The workers' table."""
        return self.main.workers_pane.table

    @property
    def queues(self) -> Table:
        """The queues' table."""
        return self.main.queues_pane.table

    @property
    def tasks(self) -> Table:
        """The tasks' table."""
        return self.main.tasks_pane.table

    @property
    def tasks_pane(self) -> TasksPane:
        """The pane of tasks."""
        return self.main.tasks_pane

    @property
    def front(self) -> Pane:
        """The pane that holds the focus."""
        focused = self.main.focused
        assert focused is not None
        (pane,) = (node for node in focused.ancestors if isinstance(node, Pane))
        return pane

    async def opens(self, name: str) -> None:
        """Wait until a screen of this class is in front."""
        await self.until(lambda: type(self.screen).__name__ == name, f"{name} in front")

    async def open_task(self, task_id: str = "the-task") -> None:
        """Go to the tasks and open the one that is selected."""
        await self.press("3")
        await self.until(lambda: self.tasks.selected == task_id, task_id)
        await self.press("enter")
        await self.opens("TaskModal")
        await self.sees(task_id)
        modal = self.screen
        assert isinstance(modal, TaskModal)
        await self.until(lambda: modal._seen or modal._gone_at, "the task is read")


def keys_of(table: Table) -> list[Any]:
    """Keys of all rows of a table."""
    return [table.rows.key(index) for index in range(len(table.rows))]


def subtitle(pane: Pane) -> str:
    """What a pane says in its lower border."""
    said = pane._border_subtitle
    return "" if said is None else str(said.plain).strip()


def title(pane: Pane) -> str:
    """What a pane says in its upper border."""
    said = pane._border_title
    return "" if said is None else str(said.plain)


def app_on(url: str, *, interval: float = 0.2, **settings: Any) -> RunqyApp:
    """Make an app that reads a real server, often."""
    chosen = Settings(url=url, interval_s=interval, **settings)
    return RunqyApp(chosen, lambda: open_reader(url, timeout=2.0))


@asynccontextmanager
async def watching(app: RunqyApp, size: tuple[int, int] = WIDE) -> AsyncIterator[Hand]:
    """Run an app until its first answer is on the screen."""
    async with running(app, size) as hand:
        await hand.until(lambda: hand.live.snapshot and not hand.live.checking, "the first answer")
        await hand.settle()
        yield hand


@asynccontextmanager
async def running(app: RunqyApp, size: tuple[int, int] = WIDE) -> AsyncIterator[Hand]:
    """Run an app."""
    async with app.run_test(size=size, notifications=True) as pilot:
        try:
            yield Hand(app, pilot)
        finally:
            await _wind_down(app)


async def _wind_down(app: RunqyApp) -> None:
    """End all work before the screens are taken down, as leaving does; the connection last."""
    poller = app.session.poller
    while workers := list(app.workers):
        for worker in workers:
            worker.cancel()
            with suppress(WorkerError):
                await worker.wait()
            app.workers._workers.discard(worker)
    # A message on its way may still ask for a page: it is told that there is no connection.
    reader, poller.reader = poller.reader, None
    if reader is not None:
        await reader.close()
