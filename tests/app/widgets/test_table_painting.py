"""The table repaints the lines that differ and no others, and never anything stale."""

from __future__ import annotations

from tests.app.driving import settle
from tests.app.widgets.table_app import (
    Million,
    TableApp,
    lines,
    names,
    on_screen,
    rows,
)


async def test_only_lines_that_differ_are_painted() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 45)) as pilot:
        table = app.table
        await settle(pilot)

        async def painted() -> int:
            await settle(pilot)
            count, table.painted = table.painted, 0
            return count

        await painted()
        table.set_rows(rows(names(100)))
        assert await painted() == 0
        changed = names(100)
        changed[20] = "another"
        table.set_rows(rows(changed))
        assert await painted() == 1
        await pilot.press("j")
        assert await painted() == 2
        table.set_rows(rows([*names(100), "one more below the view"]))
        assert await painted() == 1  # row 20 again; the scrollbar is a widget of its own
        table.set_sort("name", descending=True)
        assert await painted() == 1


async def test_inserting_above_a_scrolled_view_paints_nothing() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press(*["ctrl+d"] * 4)
        await settle(pilot)
        app.table.painted = 0
        app.table.set_rows(rows(["new", *names(100)]))
        await settle(pilot)
        assert app.table.painted == 0
        assert any(str(app.table.selected) in line for line in lines(app.table))


async def test_a_million_rows_cost_what_is_visible() -> None:
    provider = Million(loaded=set(range(100)))
    app = TableApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.table.set_rows(provider)
        await settle(pilot)
        assert app.table.selected == "id-0"
        assert provider.asked < 200
        await pilot.press("G")
        assert provider.asked < 400
        assert app.table.selected is None
        assert app.table.cursor_index == 999_999
        height = app.table.page_height
        assert app.seen[-1] == ("need", 1_000_000 - height, 999_999)
        assert sum("…" in line for line in lines(app.table)) == height
        app.seen.clear()
        await pilot.press("k", "k", "enter")
        assert [seen for seen in app.seen if seen[0] != "need"] == []
        assert len(app.seen) == 0, "the window has not changed"
        provider.loaded |= set(range(999_900, 1_000_000))
        app.table.set_rows(provider)
        await settle(pilot)
        assert app.table.selected == "id-999997"
        assert app.seen == [("selected", "id-999997")]


async def test_a_selection_on_a_page_that_is_not_loaded_is_not_reported_as_gone() -> None:
    provider = Million(loaded=set(range(100)))
    app = TableApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.table.set_rows(provider)
        await pilot.press("j")
        app.table.set_rows(Million())
        await settle(pilot)
        assert app.table.selected == "id-1"
        assert app.seen[-1][0] == "need"
        app.table.set_rows(provider)
        await settle(pilot)
        assert app.table.selected == "id-1"
        assert not [seen for seen in app.seen if seen[0] == "gone"]


async def test_what_is_on_the_screen_is_what_the_rows_say() -> None:
    app = TableApp(rows(names(60)))
    async with app.run_test(size=(60, 15)) as pilot:
        app.table.styles.border = ("round", "red")
        present = names(60)
        for step in range(30):
            present = [*present[step % 5 :], f"new-{step}", *present[: step % 5]]
            del present[step % 7]
            app.table.set_rows(rows(present))
            app.table.set_sort("name", descending=bool(step % 2))
            if step % 3 == 0:
                app.table.action_page(0.5 if step % 2 else -0.5)
            if step % 4 == 0:
                app.table.scroll_to(y=step, animate=False)
            await settle(pilot)
            expected = lines(app.table)
            assert on_screen(app) == expected


async def test_rows_that_change_while_the_table_is_hidden_show_when_it_is_back() -> None:
    app = TableApp(rows(names(60)))
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.press("j")
        app.table.display = False
        await settle(pilot)
        app.table.set_rows(rows(["x", *names(60)]))
        await settle(pilot)
        app.table.display = True
        await settle(pilot)
        assert on_screen(app)[1:4] == lines(app.table)[1:4]
        assert "x" in on_screen(app)[1]
        assert app.table.selected == "row-001"


async def test_a_class_that_changes_only_a_cell_style_is_painted() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        app.table.painted = 0
        app.table.add_class("-unknown")
        await settle(pilot)
        app.table.add_class("-aged")
        await settle(pilot)
        assert app.table.painted > 0
        styles = {segment.text.strip(): segment.style for segment in app.table.render_line(2)}
        color = styles["fine"].color if styles["fine"] is not None else None
        assert color is not None
        assert color.triplet is not None
        assert color.triplet.hex == "#ff0000"
