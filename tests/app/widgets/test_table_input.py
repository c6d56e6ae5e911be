"""Keys and mouse of the table."""

from __future__ import annotations

from itertools import pairwise

from runqy_tui.tui.widgets.table import Table
from tests.app.driving import settle
from tests.app.widgets.table_app import (
    TableApp,
    click,
    lines,
    names,
    rows,
    wheel,
)


async def test_keys_move_by_rows_half_pages_pages_and_to_the_ends() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 23)) as pilot:  # 20 lines for the table, 19 rows
        page = app.table.page_height
        assert page == 19
        for key, index in [
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("up", 0),
            ("up", 0),
            ("ctrl+d", page // 2),
            ("pagedown", page // 2 + page),
            ("ctrl+u", page),
            ("pageup", 0),
            ("G", 99),
            ("down", 99),
            ("home", 0),
            ("end", 99),
            ("g", 0),
        ]:
            await pilot.press(key)
            assert app.table.selected == f"row-{index:03}", key
            assert any("▌" in line for line in lines(app.table))


async def test_the_wheel_scrolls_and_leaves_the_selection() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot._post_mouse_events([type(wheel(app.table))], app.table, offset=(3, 3))
        await settle(pilot)
        assert app.table.top > 0
        assert app.table.selected == "row-000"


async def test_clicks_select_and_a_second_click_opens() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(app.table, offset=(5, 4))
        assert app.table.selected == "row-003"
        assert app.seen[-1] == ("selected", "row-003")
        await pilot.click(app.table, offset=(5, 5), times=2)
        assert app.seen[-1] == ("opened", "row-004")


async def test_a_second_click_on_another_object_does_not_open_it() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        click(app.table, 6, 1)
        click(app.table, 6, 2)
        await settle(pilot)
        assert app.seen[-1] == ("opened", "row-005")
        app.seen.clear()
        app.table.set_rows(rows(names(100)[::-1]), reset=True)
        click(app.table, 6, 2)
        await settle(pilot)
        assert app.seen == [("selected", "row-099"), ("selected", "row-094")]


async def test_clicks_below_the_rows_and_on_titles() -> None:
    app = TableApp(rows(["a", "b"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(app.table, offset=(5, 8))
        assert app.table.selected == "a"
        await pilot.click(app.table, offset=(2, 0))
        assert app.seen[-1] == ("sort", "name")
        app.seen.clear()
        await pilot.click(app.table, offset=(lines(app.table)[0].index("STATE"), 0))
        assert app.seen == []


def test_the_bindings_have_ids_and_only_open_is_in_the_footer() -> None:
    from textual.binding import Binding

    bindings = [binding for binding in Table.BINDINGS if isinstance(binding, Binding)]
    assert len(bindings) == len(Table.BINDINGS)
    ids = sorted(str(binding.id) for binding in bindings)
    assert all(one != two for one, two in pairwise(ids))
    assert all(binding.description and binding.tooltip for binding in bindings)
    assert {binding.id for binding in bindings if binding.show} == {"table.open"}
