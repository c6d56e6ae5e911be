"""The table in a running app: selection, dirty lines, mouse, hostile and wide text."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widgets import Input

from runqy_tui.tui.widgets.columns import Column
from runqy_tui.tui.widgets.paint import ASCII
from runqy_tui.tui.widgets.rows import Cell, ListRows, Rows
from runqy_tui.tui.widgets.table import Table

COLUMNS = (
    Column("name", "NAME", 12, grow=1, sortable=True),
    Column("state", "STATE", 8, importance=1),
    Column("count", "COUNT", 6, importance=2, align="right", sortable=True),
)


class CountingTable(Table):
    """Counts the lines that were asked for."""

    painted = 0

    def render_line(self, y: int) -> Strip:
        self.painted += 1
        return super().render_line(y)


class TableApp(App[None]):
    """One table, a second widget to take the focus, and all messages in order."""

    CSS = """
    Input { dock: bottom; }
    #t.-aged > .table--fine { color: #ff0000; }
    """

    def __init__(self, rows: Rows | None = None, placeholder: str = "") -> None:
        super().__init__()
        self.table = CountingTable(COLUMNS, placeholder=placeholder, id="t")
        if rows is not None:
            self.table.set_rows(rows)
        self.seen: list[tuple[Hashable, ...]] = []

    def compose(self) -> ComposeResult:
        yield self.table
        yield Input()

    def on_mount(self) -> None:
        self.table.focus()

    @on(Table.Selected, "#t")
    def note_selected(self, message: Table.Selected) -> None:
        self.seen.append(("selected", message.key))

    def on_table_opened(self, message: Table.Opened) -> None:
        self.seen.append(("opened", message.key))

    def on_table_selection_gone(self, message: Table.SelectionGone) -> None:
        self.seen.append(("gone", message.key, message.index))

    def on_table_sort_requested(self, message: Table.SortRequested) -> None:
        self.seen.append(("sort", message.column_key))

    def on_table_need_rows(self, message: Table.NeedRows) -> None:
        self.seen.append(("need", message.first, message.last))


def cell(name: str, column: str) -> Cell:
    return {"name": Cell(name), "state": Cell("fine", "fine"), "count": Cell("1,024", "dim")}[
        column
    ]


def rows(names: Sequence[str]) -> ListRows[str]:
    return ListRows(names, str, cell)


def names(count: int) -> list[str]:
    return [f"row-{number:03}" for number in range(count)]


def lines(table: Table) -> list[str]:
    return [table.render_line(y).text for y in range(table.view_size.height)]


def line_of(table: Table, text: str) -> int:
    """Line of the widget that shows a text."""
    (found,) = (y for y, line in enumerate(lines(table)) if text in line)
    return found


async def test_the_first_rows_select_the_first_row_once() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows([]))
        await pilot.pause()
        assert app.table.selected is None
        app.table.set_rows(rows(["b", "c"]))
        await pilot.pause()
        assert app.table.selected == "b"
        app.table.set_rows(rows(["a", "b", "c"]))
        await pilot.pause()
        assert app.seen == [("selected", "b")]


async def test_rows_given_before_the_mount_are_announced() -> None:
    app = TableApp(rows(["a", "b"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
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
        await pilot.pause()
        assert app.table.selected == key
        assert line_of(app.table, key) == line
        assert lines(app.table)[line].startswith("▌")
        app.table.set_rows(rows(sorted(names(100), reverse=True)))
        await pilot.pause()
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
        await pilot.pause()
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
        await pilot.pause()
        assert app.table.selected == "b"
        assert app.seen[-2:] == [("gone", "b", 1), ("selected", "b")]


async def test_reset_starts_at_the_top_of_another_list() -> None:
    app = TableApp(rows(names(50)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("G")
        app.table.set_rows(rows(["x", "y"]), reset=True)
        await pilot.pause()
        assert app.table.selected == "x"
        assert app.table.top == 0
        assert not [seen for seen in app.seen if seen[0] == "gone"]


async def test_trouble_that_arrives_at_the_top_is_seen_while_nobody_works_on_the_table() -> None:
    app = TableApp(rows(names(50)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows(["trouble", *names(50)]))
        await pilot.pause()
        assert "trouble" in lines(app.table)[1]
        assert app.table.selected == "row-000"
        await pilot.press("j", "k")
        before = line_of(app.table, "row-000")
        app.table.set_rows(rows(["more trouble", "trouble", *names(50)]))
        await pilot.pause()
        assert line_of(app.table, "row-000") == before


async def test_what_is_in_view_stays_when_the_selection_is_not_in_view() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        for _ in range(10):
            app.table._on_mouse_scroll_down(wheel(app.table))
        await pilot.pause()
        assert app.table.selected == "row-000"
        before = lines(app.table)
        assert not any("row-000" in line for line in before)
        app.table.set_rows(rows(["n1", "n2", *names(100)]))
        await pilot.pause()
        assert lines(app.table) == before


def wheel(table: Table):  # type: ignore[no-untyped-def]
    from textual.events import MouseScrollDown

    return MouseScrollDown(table, 3, 3, 0, 0, 0, False, False, False)


async def test_only_lines_that_differ_are_painted() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 45)) as pilot:
        table = app.table
        await pilot.pause()

        async def painted() -> int:
            await pilot.pause()
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
        await pilot.pause()
        app.table.painted = 0
        app.table.set_rows(rows(["new", *names(100)]))
        await pilot.pause()
        assert app.table.painted == 0
        assert any(str(app.table.selected) in line for line in lines(app.table))


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
        await pilot.pause()
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


def click(table: Table, y: int, chain: int) -> None:
    from textual.events import Click

    at = table.content_region.offset
    table.on_click(
        Click(table, 5, y, 0, 0, 1, False, False, False, at.x + 5, at.y + y, chain=chain)
    )


async def test_a_second_click_on_another_object_does_not_open_it() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        click(app.table, 6, 1)
        click(app.table, 6, 2)
        await pilot.pause()
        assert app.seen[-1] == ("opened", "row-005")
        app.seen.clear()
        app.table.set_rows(rows(names(100)[::-1]), reset=True)
        click(app.table, 6, 2)
        await pilot.pause()
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


async def test_the_sorted_column_has_an_arrow() -> None:
    app = TableApp(rows(["a"]))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_sort("name")
        await pilot.pause()
        assert "NAME▲" in lines(app.table)[0]
        app.table.set_sort("count", descending=True)
        await pilot.pause()
        assert "COUNT▼" in lines(app.table)[0]
        assert "NAME▲" not in lines(app.table)[0]


HOSTILE = [
    "\x1b]52;c;aGVsbG8=\x07 clipboard",
    "\x1b[2Jcleared",
    "[@click=app.quit]press[/]",
    "[/x] unmatched",
    "\u202eevil\u202c bidi",
    "\udc9b31m lone \ud800",
    "a\nb\tc\r\x00\x7f\x9b",
    "e" + "\u0301" * 5000,
    "\u200b" * 300 + "zero",
    "x" * 1_000_000,
]


async def test_hostile_text_is_only_text() -> None:
    app = TableApp(rows(HOSTILE), placeholder="\x1b[31m[/x]")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press(*"jjj")
        for line in lines(app.table):
            assert line.isprintable()
            assert cell_len(line) == 60 - 1
            assert len(line) < 60 * 6
            line.encode("utf-8")
        assert app.return_value is None
        app.table.set_rows(rows([]))
        await pilot.pause()
        assert "␛[31m[/x]" in "".join(lines(app.table))


async def test_wide_characters_keep_the_columns_aligned() -> None:
    texts = [
        "plain",
        "日本語のキュー名が長い長い長い長い長い長い長い長い長い",
        "e\u0301tat",
        "한국어",
        "⚠\ufe0f sign",
        "🚲 bike",
    ]
    app = TableApp(rows(texts))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        head, *shown = lines(app.table)[: 1 + len(texts)]
        at = head.index("STATE")
        for line in shown:
            assert cell_len(line) == 39
            assert cell_len(line[: line.index("fine")]) == at


@dataclass
class Million:
    """A million rows of which only asked-for ones are loaded."""

    loaded: set[int] = field(default_factory=set)
    size: int = 1_000_000
    asked: int = 0

    def __len__(self) -> int:
        return self.size

    def key(self, index: int) -> Hashable | None:
        assert 0 <= index < self.size
        return f"id-{index}" if index in self.loaded else None

    def cells(self, index: int, columns: Sequence[str]) -> Sequence[Cell] | None:
        self.asked += 1
        if index not in self.loaded:
            return None
        return [Cell(f"id-{index}") for _ in columns]

    def index_of(self, key: Hashable) -> int | None:
        index = int(str(key)[3:])
        return index if index in self.loaded else None


async def test_a_million_rows_cost_what_is_visible() -> None:
    provider = Million(loaded=set(range(100)))
    app = TableApp()
    async with app.run_test(size=(60, 24)) as pilot:
        began = time.perf_counter()
        app.table.set_rows(provider)
        await pilot.pause()
        assert app.table.selected == "id-0"
        assert provider.asked < 200
        await pilot.press("G")
        assert time.perf_counter() - began < 2
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
        await pilot.pause()
        assert app.table.selected == "id-999997"
        assert app.seen == [("selected", "id-999997")]


async def test_a_selection_on_a_page_that_is_not_loaded_is_not_reported_as_gone() -> None:
    provider = Million(loaded=set(range(100)))
    app = TableApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.table.set_rows(provider)
        await pilot.press("j")
        app.table.set_rows(Million())
        await pilot.pause()
        assert app.table.selected == "id-1"
        assert app.seen[-1][0] == "need"
        app.table.set_rows(provider)
        await pilot.pause()
        assert app.table.selected == "id-1"
        assert not [seen for seen in app.seen if seen[0] == "gone"]


async def test_the_placeholder_says_why_there_is_nothing() -> None:
    app = TableApp(
        rows([]), placeholder="No tasks are archived.\nThey come here after the last retry."
    )
    async with app.run_test(size=(30, 12)) as pilot:
        await pilot.pause()
        text = " ".join(line.strip() for line in lines(app.table))
        assert "No tasks are archived. They come here after the last retry." in text
        app.table.placeholder = "Loading"
        await pilot.pause()
        assert any("Loading" in line for line in lines(app.table))
        assert not any("archived" in line for line in lines(app.table))
        await pilot.press("j", "k", "G", "g", "enter", "ctrl+d")
        assert app.seen == []


@pytest.mark.parametrize("size", [(20, 3), (200, 60), (1, 1), (3, 2), (80, 24)])
async def test_any_size_will_do(size: tuple[int, int]) -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.styles.border = ("round", "red")
        await pilot.press("G")
        for now in (size, (80, 24), size):
            await pilot.resize_terminal(*now)
            await pilot.press("k", "j")
            width = app.table.view_size.width
            assert all(cell_len(line) == max(0, width) for line in lines(app.table))
            assert app.table.selected == "row-099"


async def test_the_selected_row_stays_in_view_when_the_terminal_shrinks() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press(*["j"] * 30)
        await pilot.resize_terminal(80, 12)
        assert line_of(app.table, "row-030") > 0


async def test_less_important_columns_give_way() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(80, 12)) as pilot:
        for width, titles in [
            (80, ["NAME", "STATE", "COUNT"]),
            (25, ["NAME", "STATE"]),
            (18, ["NAME"]),
        ]:
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            assert lines(app.table)[0].split() == titles


async def test_the_cursor_differs_without_focus_and_by_a_sign() -> None:
    app = TableApp(rows(names(5)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        focused = app.table.render_line(1)
        app.query_one(Input).focus()
        await pilot.pause()
        resting = app.table.render_line(1)
        assert focused.text[0] == "▌"
        assert resting.text[0] == "▏"
        assert backgrounds(focused) != backgrounds(resting) != backgrounds(app.table.render_line(2))


def backgrounds(strip: Strip) -> set[object]:
    return {segment.style.bgcolor for segment in strip if segment.style is not None}


async def test_a_theme_change_draws_everything_anew() -> None:
    app = TableApp(rows(names(5)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        for theme in ("textual-light", "ansi-dark", "nord", "textual-dark"):
            before = [app.table.render_line(y) for y in range(4)]
            app.theme = theme
            await pilot.pause()
            after = [app.table.render_line(y) for y in range(4)]
            styles = (
                [[segment.style for segment in strip] for strip in before],
                [[segment.style for segment in strip] for strip in after],
            )
            assert all(one != two for one, two in zip(*styles, strict=True)), theme


async def test_no_color_marks_the_cursor_by_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TableApp(rows(names(5)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        styles = [segment.style for segment in app.table.render_line(1)]
        assert all(style is not None and style.reverse for style in styles)


async def test_ascii_signs() -> None:
    table = Table(COLUMNS, glyphs=ASCII)
    table.set_rows(rows(["a" * 300, "b"]))
    table.set_sort("name")

    class AsciiApp(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    async with AsciiApp().run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert all(line.isascii() for line in lines(table))
        assert lines(table)[1].startswith(("-", ">"))


async def test_select_brings_a_key_into_view() -> None:
    app = TableApp(rows(names(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.table.select("row-070")
        assert not app.table.select("nowhere")
        await pilot.pause()
        assert app.table.selected == "row-070"
        assert line_of(app.table, "row-070") > 0


async def test_other_columns_can_be_shown() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_columns([Column("count", "N", 7), Column("name", "WHO", 10)])
        await pilot.pause()
        assert lines(app.table)[0].split() == ["N", "WHO"]
        assert lines(app.table)[1].split() == ["▌1,024", "row-000"]


async def test_columns_stay_where_they_are_while_data_moves() -> None:
    app = TableApp(rows(["a"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        head = lines(app.table)[0]
        for count in (0, 5, 500, 2):
            app.table.set_rows(rows(names(count)))
            await pilot.pause()
            assert lines(app.table)[0] == head


def test_the_bindings_have_ids_and_only_open_is_in_the_footer() -> None:
    from textual.binding import Binding

    bindings = [binding for binding in Table.BINDINGS if isinstance(binding, Binding)]
    assert len(bindings) == len(Table.BINDINGS)
    ids = sorted(str(binding.id) for binding in bindings)
    assert all(one != two for one, two in pairwise(ids))
    assert all(binding.description and binding.tooltip for binding in bindings)
    assert {binding.id for binding in bindings if binding.show} == {"table.open"}


def on_screen(app: TableApp) -> list[str]:
    """Lines of the table as the compositor has them, painted lines from its cache."""
    region = app.table.scrollable_content_region
    strips = app.screen._compositor.render_strips()
    return [strips[y].crop(region.x, region.right).text for y in region.line_range]


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
            await pilot.pause()
            expected = lines(app.table)
            assert on_screen(app) == expected


async def test_rows_that_change_while_the_table_is_hidden_show_when_it_is_back() -> None:
    app = TableApp(rows(names(60)))
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.press("j")
        app.table.display = False
        await pilot.pause()
        app.table.set_rows(rows(["x", *names(60)]))
        await pilot.pause()
        app.table.display = True
        await pilot.pause()
        assert on_screen(app)[1:4] == lines(app.table)[1:4]
        assert "x" in on_screen(app)[1]
        assert app.table.selected == "row-001"


async def test_a_class_that_changes_only_a_cell_style_is_painted() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        app.table.painted = 0
        app.table.add_class("-unknown")
        await pilot.pause()
        app.table.add_class("-aged")
        await pilot.pause()
        assert app.table.painted > 0
        styles = {segment.text.strip(): segment.style for segment in app.table.render_line(2)}
        color = styles["fine"].color if styles["fine"] is not None else None
        assert color is not None
        assert color.triplet is not None
        assert color.triplet.hex == "#ff0000"
