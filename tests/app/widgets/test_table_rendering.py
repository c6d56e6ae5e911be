"""How the table is drawn: untrusted and wide text, any size, any theme."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widgets import Input

from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.line_painter import ASCII
from runqy_tui.tui.widgets.table import Table
from tests.app.driving import settle
from tests.app.widgets.table_app import (
    COLUMNS,
    TableApp,
    lines,
    names,
    rows,
)


async def test_the_sorted_column_has_an_arrow() -> None:
    app = TableApp(rows(["a"]))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_sort("name")
        await settle(pilot)
        assert "NAME▲" in lines(app.table)[0]
        app.table.set_sort("count", descending=True)
        await settle(pilot)
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
        await settle(pilot)
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
        await settle(pilot)
        head, *shown = lines(app.table)[: 1 + len(texts)]
        at = head.index("STATE")
        for line in shown:
            assert cell_len(line) == 39
            assert cell_len(line[: line.index("fine")]) == at


async def test_the_placeholder_says_why_there_is_nothing() -> None:
    app = TableApp(
        rows([]), placeholder="No tasks are archived.\nThey come here after the last retry."
    )
    async with app.run_test(size=(30, 12)) as pilot:
        await settle(pilot)
        text = " ".join(line.strip() for line in lines(app.table))
        assert "No tasks are archived. They come here after the last retry." in text
        app.table.placeholder = "Loading"
        await settle(pilot)
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


async def test_less_important_columns_give_way() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(80, 12)) as pilot:
        for width, titles in [
            (80, ["NAME", "STATE", "COUNT"]),
            (25, ["NAME", "STATE"]),
            (18, ["NAME"]),
        ]:
            await pilot.resize_terminal(width, 12)
            await settle(pilot)
            assert lines(app.table)[0].split() == titles


async def test_the_cursor_differs_without_focus_and_by_a_sign() -> None:
    app = TableApp(rows(names(5)))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        focused = app.table.render_line(1)
        app.query_one(Input).focus()
        await settle(pilot)
        resting = app.table.render_line(1)
        assert focused.text[0] == "▌"
        assert resting.text[0] == "▏"
        assert backgrounds(focused) != backgrounds(resting) != backgrounds(app.table.render_line(2))


def backgrounds(strip: Strip) -> set[object]:
    return {segment.style.bgcolor for segment in strip if segment.style is not None}


async def test_a_theme_change_draws_everything_anew() -> None:
    app = TableApp(rows(names(5)))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        for theme in ("textual-light", "ansi-dark", "nord", "textual-dark"):
            before = [app.table.render_line(y) for y in range(4)]
            app.theme = theme
            await settle(pilot)
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
        await settle(pilot)
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
        await settle(pilot)
        assert all(line.isascii() for line in lines(table))
        assert lines(table)[1].startswith(("-", ">"))


async def test_other_columns_can_be_shown() -> None:
    app = TableApp(rows(names(3)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_columns([ColumnLayout("count", "N", 7), ColumnLayout("name", "WHO", 10)])
        await settle(pilot)
        assert lines(app.table)[0].split() == ["N", "WHO"]
        assert lines(app.table)[1].split() == ["▌1,024", "row-000"]


async def test_columns_stay_where_they_are_while_data_moves() -> None:
    app = TableApp(rows(["a"]))
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        head = lines(app.table)[0]
        for count in (0, 5, 500, 2):
            app.table.set_rows(rows(names(count)))
            await settle(pilot)
            assert lines(app.table)[0] == head
