"""The text viewer in a running app: large, untrusted, wrapped, searched and followed texts."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.strip import Strip

from runqy_tui.tui.widgets.highlight import Kind
from runqy_tui.tui.widgets.text_view import TextView
from tests.app.driving import settle


class CountingView(TextView):
    """Counts the lines that were asked for."""

    painted = 0

    def render_line(self, y: int) -> Strip:
        self.painted += 1
        return super().render_line(y)


class ViewApp(App[None]):
    """One view, focused."""

    def __init__(self, view: CountingView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()


def lines(view: TextView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.view_size.height)]


def numbered(count: int) -> str:
    return "\n".join(f"line {number}" for number in range(count))


async def test_keys_scroll() -> None:
    app = ViewApp(CountingView(numbered(100)))
    async with app.run_test(size=(40, 20)) as pilot:
        for key, first in [
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("up", 0),
            ("up", 0),
            ("ctrl+d", 10),
            ("pagedown", 30),
            ("ctrl+u", 20),
            ("pageup", 0),
            ("G", 80),
            ("j", 80),
            ("g", 0),
            ("end", 80),
            ("home", 0),
        ]:
            await pilot.press(key)
            assert lines(app.view)[0] == f"line {first}", key


async def test_tab_keys_of_a_modal_are_left_alone() -> None:
    keys = {key for binding in TextView.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    assert not keys & {"left", "right", "n", "N", "slash", "/", "escape", "y", "w", "[", "]"}


async def test_long_lines_wrap_and_unwrap() -> None:
    text = "".join(f"{number:04}" for number in range(100)) + "\nnext"
    app = ViewApp(CountingView(text))
    async with app.run_test(size=(41, 20)) as pilot:
        display_text = lines(app.view)
        assert "".join(display_text[:10]) == text[:400]
        assert display_text[10] == "next"
        await pilot.press("W")
        assert lines(app.view)[:2] == [text[:40], "next"]
        await pilot.press("greater_than_sign")
        assert lines(app.view)[:2] == [text[20:60], ""]
        await pilot.press(*["shift+right"] * 50)
        assert lines(app.view)[0] == text[380:400]
        await pilot.press("less_than_sign", "shift+left")
        assert lines(app.view)[0] == text[340:380]
        await pilot.press("W")
        assert lines(app.view)[0] == text[:40]


async def test_wide_characters_wrap_and_scroll_aside_by_cells() -> None:
    app = ViewApp(CountingView("日本語" * 20 + "\nab"))
    async with app.run_test(size=(12, 20)) as pilot:
        display_text = lines(app.view)
        assert "".join(display_text) == "日本語" * 20 + "ab"
        assert all(cell_len(line) <= 11 for line in display_text)
        await pilot.press("W", ">")
        row = app.view.render_line(0)
        assert cell_len(row.text) == 11
        assert row.text == " 日本語日本"
        assert lines(app.view)[1] == ""


HOSTILE = (
    "\x1b]52;c;aGVsbG8=\x07\n\x1b[2J\x1b[31mred\n[@click=app.quit]x[/]\n[/y]\n\u202eabc\n"
    "\udc9b \ud800\na\tb\r\n\x00\x7f\x9b\ne" + "\u0301" * 3_000 + "\n" + "\u200b" * 3_000
)


@pytest.mark.parametrize("kind", ["plain", "json", "traceback", "log", "hex"])
@pytest.mark.parametrize("wrap", [True, False])
async def test_hostile_text_is_only_text(kind: Kind, wrap: bool) -> None:
    app = ViewApp(CountingView(HOSTILE, kind, wrap))
    async with app.run_test(size=(50, 40)) as pilot:
        for key in ("j", ">", "G", "W", "g"):
            await pilot.press(key)
            for y in range(40):
                strip = app.view.render_line(y)
                assert strip.text.isprintable()
                assert cell_len(strip.text) == 49
                strip.text.encode("utf-8")
        assert app.is_running


async def test_colours_of_logs_are_left_out_and_the_rest_is_shown() -> None:
    text = "\x1b[32mINFO\x1b[0m ok\n\x1b[2Jgone\x1b]0;title\x07"
    app = ViewApp(CountingView(text, "log"))
    async with app.run_test(size=(50, 10)):
        assert lines(app.view)[:2] == ["INFO ok", "␛[2Jgone␛]0;title␇"]


@pytest.mark.timeout(30)  # a guard against hanging, no measure
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0123456789 abcdefghij " * 95_000, "json"),
        ("\n".join(["a line of ordinary length, as logs have them, more or less"] * 35_000), "log"),
        ("\n".join(["キューの名前が長い長い長い"] * 150_000), "plain"),
        ("日" * 2_000_000, "plain"),
        ("\n" * 2_000_000, "plain"),
        ("\x1b[31m" * 400_000, "plain"),
        (bytes(range(256)) * 40_000, "hex"),
    ],
    ids=["one line", "many lines", "wide", "wide line", "empty lines", "escapes", "10 MB bytes"],
)
async def test_large_texts_open_at_once(text: str | bytes, kind: Kind) -> None:
    app = ViewApp(CountingView())
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.set_text(text, kind)
        await pilot.press("j")
        assert app.view.painted <= 4 * 24
        assert any(lines(app.view)) or not text.strip()
        await pilot.press("G")
        assert app.view.at_end
        await pilot.press("g")
        assert app.view.top == 0


async def test_search_goes_around_and_marks_what_it_found() -> None:
    app = ViewApp(CountingView(numbered(200)))
    async with app.run_test(size=(40, 20)) as pilot:
        assert app.view.search("LINE 17") == 0
        assert app.view.search("line 17") == 11
        await settle(pilot)
        assert app.view.search_position == (1, 11)
        assert "line 17" in lines(app.view)
        for _ in range(2):
            assert app.view.search_next()
        await settle(pilot)
        assert app.view.search_position == (3, 11)
        assert "line 171" in lines(app.view)
        assert marked(app.view) == {"line 17"}
        for _ in range(3):
            assert app.view.search_prev()
        assert app.view.search_position == (11, 11)
        assert app.view.search("") == 0
        assert not app.view.search_next()
        assert marked(app.view) == set()
        assert app.view.search_position == (0, 0)


def marked(view: TextView) -> set[str]:
    return {
        segment.text
        for y in range(view.view_size.height)
        for segment in view.render_line(y)
        if segment.style is not None and (segment.style.underline or segment.style.reverse)
    }


async def test_search_finds_its_way_within_one_long_line() -> None:
    text = "x" * 100_000 + "needle" + "x" * 100_000 + "Needle" + "y"
    for wrap in (True, False):
        app = ViewApp(CountingView(text, "plain", wrap))
        async with app.run_test(size=(40, 20)) as pilot:
            assert app.view.search("needle") == 2
            await settle(pilot)
            assert "needle" in "".join(lines(app.view))
            assert app.view.search_next()
            await settle(pilot)
            assert "Needle" in "".join(lines(app.view))


async def test_a_match_across_two_rows_is_marked_on_both() -> None:
    app = ViewApp(CountingView("x" * 37 + "needle" + "x"))
    async with app.run_test(size=(41, 10)) as pilot:
        app.view.search("needle")
        await settle(pilot)
        assert marked(app.view) == {"nee", "dle"}


async def test_search_in_a_dump_marks_the_text_side() -> None:
    app = ViewApp(CountingView(b"\xab\xcd ab " * 40, "hex"))
    async with app.run_test(size=(90, 10)) as pilot:
        assert app.view.search("ab") == 40
        await settle(pilot)
        for y in range(10):
            row = app.view.render_line(y)
            at = 0
            for segment in row:
                if segment.text == "ab" and segment.style is not None and segment.style.underline:
                    assert at >= 56
                at += len(segment.text)


async def test_a_log_is_followed_until_the_user_scrolls_away() -> None:
    app = ViewApp(CountingView(numbered(100), "log", follow=True))
    async with app.run_test(size=(40, 20)) as pilot:
        await settle(pilot)
        assert lines(app.view)[-1] == "line 99"
        app.view.append_lines(["more 1", "more 2"])
        await settle(pilot)
        assert lines(app.view)[-1] == "more 2"
        await pilot.press("k")
        before = lines(app.view)
        app.view.append_lines(["more 3"])
        await settle(pilot)
        assert lines(app.view) == before
        await pilot.press("G")
        app.view.append_lines(["long " * 20])
        await settle(pilot)
        assert app.view.at_end
        await pilot.resize_terminal(20, 10)
        await settle(pilot)
        assert app.view.at_end
        app.view.follow = False
        app.view.append_lines(["unseen"])
        await settle(pilot)
        assert "unseen" not in lines(app.view)
        app.view.follow = True
        await settle(pilot)
        assert lines(app.view)[-1] == "unseen"


async def test_an_endless_log_keeps_its_last_lines_and_the_place() -> None:
    app = ViewApp(CountingView("", "log", follow=True, keep=100))
    async with app.run_test(size=(40, 20)) as pilot:
        for number in range(500):
            app.view.append_lines([f"line {number}"])
        await settle(pilot)
        assert lines(app.view)[-1] == "line 499"
        assert len(app.view.lines) <= 125
        await pilot.press(*["k"] * 5)
        before = lines(app.view)
        for number in range(500, 530):
            app.view.append_lines([f"line {number}"])
        await settle(pilot)
        assert lines(app.view) == before


async def test_the_same_text_paints_nothing_and_an_added_line_one() -> None:
    app = ViewApp(CountingView(numbered(10)))
    async with app.run_test(size=(40, 20)) as pilot:
        await settle(pilot)
        app.view.painted = 0
        app.view.set_text(numbered(10))
        await settle(pilot)
        assert app.view.painted == 0
        app.view.append_lines(["more"])
        await settle(pilot)
        assert app.view.painted == 1


async def test_another_text_of_the_same_kind_stays_in_place() -> None:
    app = ViewApp(CountingView(numbered(100)))
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("ctrl+d")
        app.view.set_text(numbered(101))
        await settle(pilot)
        assert lines(app.view)[0] == "line 10"
        app.view.set_text("other", "traceback")
        await settle(pilot)
        assert lines(app.view)[:2] == ["other", ""]


async def test_a_resize_keeps_the_first_line() -> None:
    text = "\n".join(f"{number:03}" + "x" * 77 for number in range(100))
    app = ViewApp(CountingView(text))
    async with app.run_test(size=(101, 20)) as pilot:
        await pilot.press("ctrl+d", "ctrl+d")
        assert lines(app.view)[0].startswith("020")
        await pilot.resize_terminal(41, 20)
        await settle(pilot)
        assert lines(app.view)[0].startswith("020")
        assert lines(app.view)[2].startswith("021")


@pytest.mark.parametrize("size", [(1, 1), (20, 3), (2, 2), (200, 60)])
async def test_any_size_will_do(size: tuple[int, int]) -> None:
    app = ViewApp(CountingView("日本語" * 30 + "\n" + numbered(50)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.styles.border = ("round", "red")
        for now in (size, (80, 24), size):
            await pilot.resize_terminal(*now)
            await pilot.press("G", "W", ">", "g", "W")
            cells = app.view.view_size.width
            assert all(app.view.render_line(y).cell_length == max(0, cells) for y in range(3))


async def test_highlighting_follows_the_theme() -> None:
    app = ViewApp(CountingView('{\n  "key": "value",\n  "n": 1\n}', "json"))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        before = {segment.text: segment.style for segment in app.view.render_line(1)}
        assert before['"key"'] != before['"value"'] != before[","]
        app.theme = "textual-light"
        await settle(pilot)
        after = {segment.text: segment.style for segment in app.view.render_line(1)}
        assert before['"key"'] != after['"key"']


async def test_a_dump_takes_no_lines() -> None:
    app = ViewApp(CountingView(b"\x00\x01", "hex"))
    async with app.run_test(size=(90, 10)):
        with pytest.raises(TypeError, match="hex dump"):
            app.view.append_lines(["x"])
        assert lines(app.view)[0].startswith("0000  00 01")
