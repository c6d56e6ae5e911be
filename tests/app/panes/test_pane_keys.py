"""Every key of the panes, on a real server: focus, movement, filter, order, state, zoom."""

from __future__ import annotations

import pytest
from redis import Redis

from runqy_tui.model import QueueKey
from tests.app.driving import app_on, keys_of, title, watching


async def test_digits_and_tab_move_between_panes(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        assert hand.front.number == 2
        there = [("1", 1), ("3", 3), ("2", 2), ("4", 4), ("2", 2), ("tab", 3), ("tab", 4)]
        back = [("tab", 1), ("tab", 2), ("shift+tab", 1), ("shift+tab", 4), ("shift+tab", 3)]
        for key, number in (*there, *back):
            await hand.press(key)
            in_findings = hand.main.findings_pane.has_focus_within
            assert (4 if in_findings else hand.front.number) == number, key


async def test_keys_move_the_selection(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("3")
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        moves = (
            *(("j", 1), ("down", 2), ("k", 1), ("up", 0), ("up", 0)),
            *(("G", 29), ("down", 29), ("g", 0), ("end", 29), ("home", 0)),
        )
        for key, index in moves:
            await hand.press(key)
            assert hand.tasks.selected == f"low-{index:02}", key
        half = hand.tasks.page_height // 2
        for key, index in (("ctrl+d", half), ("ctrl+d", 2 * half), ("ctrl+u", half)):
            await hand.press(key)
            assert hand.tasks.selected == f"low-{index:02}", key
        await hand.press("pageup", "pagedown")
        assert hand.tasks.selected == f"low-{hand.tasks.page_height:02}"
        await hand.sees(f"▌low-{hand.tasks.page_height:02}")


async def test_the_tasks_follow_the_selected_queue(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: hand.queues.selected == QueueKey("beta.default"))
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        await hand.press("j")
        await hand.until(lambda: keys_of(hand.tasks) == ["high-1", "high-2"])
        assert "alpha.high" in title(hand.tasks_pane)
        await hand.press("j")
        await hand.until(lambda: len(hand.tasks.rows) == 30)


@pytest.mark.parametrize(
    ("pane", "needle", "rest"),
    [
        ("1", "sick", ["sick:2"]),
        ("2", "alph", [QueueKey("alpha.high"), QueueKey("alpha.low")]),
    ],
)
async def test_a_filter_works_while_it_is_typed(
    scene_url: str, pane: str, needle: str, rest: list[object]
) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press(pane)
        table = hand.front.table
        everything = keys_of(table)
        await hand.press("slash", needle[0])
        assert len(table.rows) <= len(everything)
        await hand.type(needle[1:])
        assert keys_of(table) == rest
        await hand.press("enter")
        assert hand.main.focused is table
        assert keys_of(table) == rest
        assert f"{len(rest)} match" in title(hand.front)
        await hand.polls()
        assert keys_of(table) == rest, "the filter outlives a poll"
        await hand.press("escape")
        assert keys_of(table) == everything
        assert hand.main.focused is table


async def test_the_tasks_follow_what_a_filter_selects(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        await hand.press("2", "slash")
        await hand.type("high")
        assert hand.queues.selected == QueueKey("alpha.high")
        await hand.until(lambda: keys_of(hand.tasks) == ["high-1", "high-2"])


async def test_a_filter_of_tasks_works_while_it_is_typed(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("3")
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        await hand.press("slash")
        await hand.type("low-1")
        wanted = [f"low-1{at}" for at in range(10)]
        await hand.until(lambda: keys_of(hand.tasks) == wanted)
        await hand.press("enter")
        await hand.sees("10 match")
        await hand.polls()
        assert keys_of(hand.tasks) == wanted
        await hand.press("escape")
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        await hand.press("slash")
        await hand.type("nowhere")
        await hand.sees('No match for "nowhere" in the first 1,000 tasks.')
        await hand.press("escape")
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        assert hand.main.focused is hand.tasks


async def test_a_filter_of_nothing_says_so(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("slash")
        await hand.type("nowhere")
        await hand.sees('No match for "nowhere". Esc clears the filter.')
        await hand.press("escape")
        await hand.misses("nowhere")


async def test_s_goes_through_the_columns_and_shift_s_turns_round(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        by_trouble = keys_of(hand.queues)
        assert by_trouble[0] == QueueKey("beta.default")
        await hand.press("s")
        names = [key.name for key in keys_of(hand.queues)]
        assert names == sorted(names)
        assert "by queue ▲" in title(hand.front)
        await hand.press("S")
        assert [key.name for key in keys_of(hand.queues)] == sorted(names, reverse=True)
        assert "by queue ▼" in title(hand.front)
        await hand.press("s")
        assert "by pending ▼" in title(hand.front)
        assert keys_of(hand.queues)[0] == QueueKey("alpha.low")
        await hand.sees("PEND▼")
        sortable = hand.main.queues_pane._resource.sort_keys
        for _ in range(len(sortable) - 1):
            await hand.press("s")
        assert "by " not in title(hand.front)
        assert keys_of(hand.queues) == by_trouble


async def test_sorting_keeps_the_selection(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("G")
        chosen = hand.queues.selected
        for key in ("s", "S", "s", "s", "S"):
            await hand.press(key)
            assert hand.queues.selected == chosen, key


async def test_s_turns_a_list_of_tasks_round(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.press("3")
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        assert "oldest first" in title(hand.tasks_pane)
        for key, first, order in (
            ("s", "low-29", "newest first"),
            ("S", "low-00", "oldest first"),
        ):
            await hand.press(key)
            await hand.until(lambda first=first: keys_of(hand.tasks)[:1] == [first])  # type: ignore[misc]
            await hand.until(lambda order=order: order in title(hand.tasks_pane))  # type: ignore[misc]


async def test_brackets_and_arrows_choose_the_state(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.press("3")
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        await hand.press("right_square_bracket", "right", "l")
        await hand.until(lambda: keys_of(hand.tasks) == ["again-1"])
        await hand.sees("soonest first", "NEXT IN")
        await hand.press("left_square_bracket", "left", "h")
        await hand.until(lambda: len(hand.tasks.rows) == 30)
        await hand.press("left_square_bracket")
        await hand.sees("No aggregating tasks in alpha.low.")


async def test_an_empty_archive_says_why(writer: Redis, scene_url: str) -> None:
    writer.set("asynq:{alpha.low}:failed", 7)
    async with watching(app_on(scene_url)) as hand:
        hand.tasks_pane.show_queue(QueueKey("alpha.low"))
        await hand.press("3", *["l"] * 4)
        await hand.sees("though 7 failed")


async def test_a_click_chooses_a_state_and_a_title_sorts(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        await hand.pilot.click("StateTabs", offset=(_at(hand.text, "archived 1") - 1, 0))
        await hand.until(lambda: keys_of(hand.tasks) == ["dead-1"])
        assert hand.front.number == 3
        line = next(line for line in hand.lines if "QUEUE " in line)
        y = hand.lines.index(line)
        await hand.pilot.click(offset=(line.index("PEND"), y))
        assert "by pending ▼" in title(hand.main.queues_pane)


def _at(text: str, part: str) -> int:
    (line,) = (line for line in text.splitlines() if part in line)
    return line.index(part)


async def test_z_zooms_and_escape_takes_it_back(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("z")
        assert hand.queues.size.width > 110
        assert not hand.workers.is_on_screen
        await hand.sees("2 Queues 4", "1 Workers 3", "3 Tasks")
        await hand.press("slash", "a", "enter", "escape")
        assert hand.queues.size.width > 110, "Esc takes back the filter first"
        await hand.press("3")
        assert hand.tasks.size.width > 110
        await hand.press("escape")
        await hand.sees("─ 1 Workers 3", "─ 2 Queues 4", "─ 3 Tasks")
        assert hand.tasks.size.height < 30
        await hand.press("z", "z")
        assert hand.workers.size.height > 0


async def test_enter_opens_what_is_selected(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        for pane, modal, name in (
            ("1", "WorkerModal", "sick:2"),
            ("2", "QueueModal", "beta.default"),
            ("3", "TaskModal", "beta-1"),
        ):
            await hand.press(pane, "enter")
            await hand.opens(modal)
            await hand.sees(name)
            await hand.press("escape")
            await hand.opens("MainScreen")
            assert str(hand.front.number) == pane
