"""Windows that open and close all day: nothing stays of them, and no key of theirs does harm."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest
from textual._styles_cache import StylesCache
from textual.css.query import NoMatches
from textual.events import Click, MouseDown
from textual.notifications import Notification
from textual.widgets import Static, _toast

from runqy_tui.model import QueueKey
from runqy_tui.tui.screens.base_screen import is_late_error
from runqy_tui.tui.screens.key_reference import HelpModal
from runqy_tui.tui.screens.task_modal import TaskModal
from runqy_tui.tui.widgets.keys_footer import KeysFooter
from tests.app.driving import app_on, watching

KEYS = ("search", "search_next(1)", "write", "step(1)", "tab(1)")


async def test_a_closed_window_leaves_no_keys_behind(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        for _ in range(6):
            await hand.press("a", "escape")

        def gone() -> bool:
            gc.collect()
            footers = [one for one in gc.get_objects() if isinstance(one, KeysFooter)]
            shown = sum(footer.is_attached for footer in footers)
            return 0 < shown <= len(footers) <= 2 * shown

        await hand.until(gone, "the footers of closed windows go")  # the last is just closing


async def test_what_was_drawn_of_closed_windows_is_forgotten(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        counts = []
        for _ in range(3):
            for key in ("a", "w", "question_mark", "e", "ctrl+p"):
                await hand.press(key, "escape")
            await hand.settle()
            gc.collect()
            counts.append(sum(isinstance(one, StylesCache) for one in gc.get_objects()))
        assert counts[2] <= counts[0] + 20, counts  # fifty more where all are kept


async def test_a_key_before_the_widgets_of_a_window_or_after_them_does_nothing(
    task_url: str,
) -> None:
    async with watching(app_on(task_url)) as hand:
        for _ in range(2):
            modal = TaskModal(hand.app.session, "the-task", QueueKey("a.default"))
            hand.app.push_screen(modal)
            for action in KEYS:
                await hand.app.run_action(action, modal)
            await hand.settle()
            await hand.sees("pending for")
            await hand.press("escape")
            for action in KEYS:
                await hand.app.run_action(action, modal)
        assert hand.app.fault is None


async def test_a_window_that_is_closed_before_it_is_there_ends_nothing(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        for _ in range(3):
            hand.app.push_screen(TaskModal(hand.app.session, "the-task", QueueKey("a.default")))
            hand.app.pop_screen()
            await hand.settle()
        await hand.open_task()


async def test_windows_above_each_other_show_what_is_below(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.press("e", "question_mark", "a", "question_mark")
        assert len(hand.app.screen_stack) == 5
        for window in hand.app.screen_stack:
            for other in hand.app.screen_stack:
                other._set_dirty(other.size.region)  # as an answer that arrives in it does
            window.refresh()
            hand.screen.refresh()
            await hand.settle()
            assert hand.app.fault is None
            assert "data" in hand.lines[0], hand.text


async def test_a_press_on_what_is_being_removed_ends_nothing(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.press("question_mark")
        text = hand.screen.query_one(Static)
        x, y = text.region.x + 2, text.region.y + 1
        removed = text.remove()  # until it is, the screen still finds it at its old place
        while text.parent is not None:  # noqa: ASYNC110 -- nobody tells it before
            await asyncio.sleep(0)
        assert hand.screen.get_widget_at(x, y)[0] is text
        hand.screen._forward_event(MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y))
        await removed
        await hand.settle()
        assert hand.app.fault is None


async def test_a_double_click_beside_the_palette_closes_the_palette_alone(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        await hand.press("a", "ctrl+p")
        below, palette = hand.app.screen_stack[-2:]
        for _ in range(2):  # both have arrived before the first one is acted on
            palette._forward_event(MouseDown(None, 0, 0, 0, 0, 1, False, False, False, 0, 0))
            palette.post_message(Click(None, 0, 0, 0, 0, 1, False, False, False, 0, 0))
        await hand.until(lambda: palette not in hand.app.screen_stack, "the palette closed")
        await hand.settle()
        assert hand.app.screen_stack[-1] is below
        assert hand.app.fault is None


async def test_an_answer_for_a_closed_window_ends_nothing(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        window = HelpModal(hand.screen)

        async def late() -> None:
            window.query_one("#nowhere")

        hand.app.push_screen(window)
        await hand.settle()
        with pytest.raises(NoMatches) as seen:
            await late()
        assert not is_late_error(seen.value, hand.app.screen_stack)  # an open one is to have it
        await hand.press("escape")
        worker = hand.app.run_worker(late())
        await hand.until(lambda: worker.is_finished, "the answer came")
        await hand.press("question_mark")
        await hand.sees("Esc closes")


async def test_a_message_that_comes_after_its_time_shows_and_goes(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        late = Notification("too late", raised_at=time.time() - 60)
        toast = _toast.Toast(late)
        assert toast._timeout > 0, "a timer of less than nothing never ends"
        hand.screen.query_one(_toast.ToastRack).display = True
        await hand.screen.query_one(_toast.ToastRack).mount(_toast.ToastHolder(toast))
        await hand.until(lambda: not hand.screen.query(_toast.Toast), "it has gone")


async def test_a_message_that_ends_in_a_window_leaves_nothing_below_it(task_url: str) -> None:
    async with watching(app_on(task_url)) as hand:
        below = hand.main.query_one(_toast.ToastRack)
        hand.app.notify("seen by both", timeout=60)
        await hand.until(lambda: below.query(_toast.Toast), "it is shown")
        await hand.press("question_mark")
        await hand.until(lambda: hand.screen.query(_toast.Toast), "it is shown in the window too")
        hand.screen.query_one(_toast.Toast)._expire()
        await hand.press("escape")
        await hand.until(lambda: not below.query(_toast.Toast), "it has gone")
        await hand.until(lambda: not below.query(_toast.ToastHolder), "nor is there its holder")
