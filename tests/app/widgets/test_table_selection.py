"""The selection of the table remains on its object, whatever changes in the rows."""

from __future__ import annotations

from tests.app.driving import settle
from tests.app.widgets.table_app import (
    TableApp,
    line_of,
    lines,
    names,
    rows,
    wheel,
)


async def test_the_first_rows_select_the_first_row_once() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows([]))
        await settle(pilot)
        assert app.table.selected is None
        app.table.set_rows(rows(["b", "c"]))
        await settle(pilot)
        assert app.table.selected == "b"
        app.table.set_rows(rows(["a", "b", "c"]))
        await settle(pilot)
        assert app.seen == [("selected", "b")]


async def test_rows_given_before_the_mount_are_announced() -> None:
    app = TableApp(rows(["a", "b"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        assert app.seen == [("selected", "a")]
        assert lines(app.table)[1].startswith("▌a")


async def test_the_selection_follows_its_key_and_keeps_its_line() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.press("ctrl+d", "ctrl+d", "j")
        key = app.table.selected
        assert isinstance(key, str)
        line = line_of(app.table, key)
        app.table.set_rows(rows([*names(100)[40:60], "new-1", "new-2", *names(100)[:30]]))
        await settle(pilot)
        assert app.table.selected == key
        assert line_of(app.table, key) == line
        assert lines(app.table)[line].startswith("▌")
        app.table.set_rows(rows(sorted(names(100), reverse=True)))
        await settle(pilot)
        assert app.table.selected == key
        assert line_of(app.table, key) == line


async def test_churn_never_moves_the_selection_to_another_object() -> None:
    app = TableApp(rows(names(60)))
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.press(*"jjjjj")
        present = names(60)
        for step in range(40):
            present = present[7:] + [f"new-{step}-{at}" for at in range(3)] + present[:7]
            present = [
                name for name in present if name == "row-005" or (sum(map(ord, name)) + step) % 11
            ]
            app.table.set_rows(rows(present))
            assert app.table.selected == "row-005"
            assert present[app.table.cursor_index] == "row-005"
            assert sum(line.startswith("▌") for line in lines(app.table)) == 1
            assert lines(app.table)[line_of(app.table, "row-005")].startswith("▌")
        await settle(pilot)
        assert app.seen[-1] == ("selected", "row-005")


async def test_a_selection_that_goes_selects_nothing_until_the_user_moves() -> None:
    app = TableApp(rows(["a", "b", "c", "d"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("j")
        app.seen.clear()
        app.table.set_rows(rows(["a", "c", "d"]))
        await pilot.press("enter")
        assert app.seen == [("gone", "b", 1)]
        assert app.table.selected is None
        assert app.table.gone == "b"
        assert not any("▌" in line for line in lines(app.table))
        app.table.set_rows(rows(["a", "c", "d", "e"]))
        await pilot.press("enter")
        assert app.seen == [("gone", "b", 1)]
        await pilot.press("j")
        assert app.table.selected == "c"
        assert app.table.gone is None


async def test_up_from_a_gone_row_selects_the_one_above() -> None:
    app = TableApp(rows(["a", "b", "c"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("j")
        app.table.set_rows(rows(["a", "c"]))
        await pilot.press("k")
        assert app.table.selected == "a"


async def test_a_selection_that_comes_back_is_selected_again() -> None:
    app = TableApp(rows(["a", "b", "c"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("j")
        app.table.set_rows(rows([]))
        app.table.set_rows(rows(["c", "a", "b"]))
        await settle(pilot)
        assert app.table.selected == "b"
        assert app.seen[-2:] == [("gone", "b", 1), ("selected", "b")]


async def test_reset_starts_at_the_top_of_another_list() -> None:
    app = TableApp(rows(names(50)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("G")
        app.table.set_rows(rows(["x", "y"]), reset=True)
        await settle(pilot)
        assert app.table.selected == "x"
        assert app.table.top == 0
        assert not [seen for seen in app.seen if seen[0] == "gone"]


async def test_trouble_that_arrives_at_the_top_is_seen_while_nobody_works_on_the_table() -> None:
    app = TableApp(rows(names(50)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows(["trouble", *names(50)]))
        await settle(pilot)
        assert "trouble" in lines(app.table)[1]
        assert app.table.selected == "row-000"
        await pilot.press("j", "k")
        before = line_of(app.table, "row-000")
        app.table.set_rows(rows(["more trouble", "trouble", *names(50)]))
        await settle(pilot)
        assert line_of(app.table, "row-000") == before


async def test_what_is_in_view_stays_when_the_selection_is_not_in_view() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        for _ in range(10):
            app.table._on_mouse_scroll_down(wheel(app.table))
        await settle(pilot)
        assert app.table.selected == "row-000"
        before = lines(app.table)
        assert not any("row-000" in line for line in before)
        app.table.set_rows(rows(["n1", "n2", *names(100)]))
        await settle(pilot)
        assert lines(app.table) == before


async def test_the_selected_row_stays_in_view_when_the_terminal_shrinks() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press(*["j"] * 30)
        await pilot.resize_terminal(80, 12)
        assert line_of(app.table, "row-030") > 0


async def test_select_brings_a_key_into_view() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.table.select("row-070")
        assert not app.table.select("nowhere")
        await settle(pilot)
        assert app.table.selected == "row-070"
        assert line_of(app.table, "row-070") > 0
