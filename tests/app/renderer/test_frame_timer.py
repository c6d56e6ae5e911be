"""Screens request frames from their frame timer, and a key's frame is urgent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runqy_tui.tui.renderer.frame_timer import FrameTimer
from runqy_tui.tui.screens import main_screen
from runqy_tui.tui.screens.base_screen import BaseScreen
from runqy_tui.tui.screens.main_screen import MainScreen
from tests.app.driving import app_on, watching


@pytest.mark.parametrize("key", ["", "question_mark", "ctrl+p"])
async def test_textual_requests_frames_from_our_timer(
    task_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[FrameTimer] = []
    resume = FrameTimer.resume

    def count(timer: FrameTimer) -> None:
        asked.append(timer)
        resume(timer)

    async with watching(app_on(task_url)) as hand:
        if key:
            await hand.press(key)
        screen = hand.screen
        assert isinstance(screen, BaseScreen)
        monkeypatch.setattr(FrameTimer, "resume", count)
        screen.refresh()
        await hand.until(lambda: screen.frame_timer in asked, "asked for a frame")
        # Textual's own timer paints in step with a clock that makes a key wait.
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert "screen_update" not in names


async def test_a_key_expedites_the_frame_of_the_screen_in_front(
    task_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expedited: list[FrameTimer] = []

    def note(timer: FrameTimer) -> None:
        expedited.append(timer)

    monkeypatch.setattr(FrameTimer, "expedite", note)
    async with watching(app_on(task_url)) as hand:
        main_screen: Any = hand.screen
        await hand.press("down")
        assert expedited == [main_screen.frame_timer]
        await hand.press("question_mark", "down")
        help_window: Any = hand.screen
        timers = [main_screen.frame_timer, main_screen.frame_timer, help_window.frame_timer]
        assert expedited == timers


async def test_a_fault_while_painting_is_the_apps(
    task_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(app_on(task_url)) as hand:
        faults: list[Exception] = []
        monkeypatch.setattr(hand.app, "_handle_exception", faults.append)
        fault = RuntimeError("planted")

        def fail() -> None:
            raise fault

        with monkeypatch.context() as broken:
            broken.setattr(hand.screen, "_on_timer_update", fail)
            hand.screen.refresh()
            await hand.until(lambda: fault in faults, "the fault was heard of")


async def test_the_first_data_is_painted_with_its_tasks(
    scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[int, int]] = []
    paint = BaseScreen.paint_now

    def count(screen: BaseScreen) -> None:
        if isinstance(screen, MainScreen):
            panes = (screen.queues_pane, screen.tasks_pane)
            painted.append((len(panes[0].table.rows), len(panes[1].table.rows)))
        paint(screen)

    monkeypatch.setattr(BaseScreen, "paint_now", count)
    monkeypatch.setattr(main_screen, "FIRST_TASKS_S", 10.0)  # however slow the machine is
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: any(queues for queues, _ in painted), "queues are shown")
    queues, tasks = next(found for found in painted if found[0])
    assert queues
    assert tasks
