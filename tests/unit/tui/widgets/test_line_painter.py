"""Only what differs is repainted, so lines outside the changed span must be equal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.strip import Strip

from runqy_tui.tui.widgets.columns import ColumnLayout, fit_columns
from runqy_tui.tui.widgets.line_painter import (
    ASCII,
    Painter,
    TableLine,
    changed_span,
    header_line,
    placeholder_lines,
)
from runqy_tui.tui.widgets.row_provider import Cell

COLUMNS = (
    ColumnLayout("sign", "", 1),
    ColumnLayout("name", "NAME", 8, grow=1),
    ColumnLayout("count", "COUNT", 6, align="right", importance=1),
    ColumnLayout("note", "NOTE", 10, importance=2),
)
TEXT = st.text(st.sampled_from("ab 日本é\u0301\x1b"), max_size=12)
CELLS = st.tuples(*[st.builds(Cell, TEXT, st.sampled_from(["", "dim", "critical"]))] * 4)
LINES = st.builds(TableLine, st.just("row"), CELLS, st.sampled_from(["", "cursor", "blurred"]))


def style_of(line_name: str, cell_name: str) -> Style:
    return Style.from_meta({"names": (line_name, cell_name)})


def painted(strip: Strip, start: int, end: int) -> list[tuple[str, object]]:
    """Characters of some cells with their styles."""
    return [
        (char, segment.style and segment.style.meta)
        for segment in strip.crop(start, end)
        for char in segment.text
    ]


@settings(deadline=None)
@given(LINES, LINES, st.integers(1, 60))
def test_nothing_differs_outside_the_changed_span(
    old: TableLine, new: TableLine, width: int
) -> None:
    slots = fit_columns(COLUMNS, width - 1)
    painter = Painter(style_of)
    before, after = painter.draw(old, slots, width), painter.draw(new, slots, width)
    assert before.cell_length == after.cell_length == width
    start, end = changed_span(old, new, slots, width)
    assert 0 <= start < end <= width
    if old != new:
        assert painted(before, 0, start) == painted(after, 0, start)
        assert painted(before, end, width) == painted(after, end, width)


def test_the_changed_span_is_tight() -> None:
    slots = fit_columns(COLUMNS, 40)
    cells = (Cell("x"), Cell("name"), Cell("1"), Cell("note"))
    old = TableLine("row", cells)
    at = 1 + 1 + 1 + slots[1][1] + 1
    other = TableLine("row", (*cells[:2], Cell("2"), cells[3]))
    assert changed_span(old, other, slots, 41) == (at, at + 6 + 1)
    assert changed_span(old, TableLine("row", cells, "cursor"), slots, 41) == (0, 41)
    assert changed_span(old, TableLine("loading"), slots, 41) == (0, 41)


def test_a_title_gives_way_to_the_arrow() -> None:
    slots = fit_columns((ColumnLayout("a", "LONG", 4), ColumnLayout("b", "AB", 6)), 11)
    assert [cell.text for cell in header_line(slots, "a", False).cells] == ["LO…▲", "AB"]
    assert [cell.text for cell in header_line(slots, "b", True, ASCII).cells] == ["LONG", "ABv"]


def test_a_placeholder_is_wrapped_at_words_after_a_third_of_the_blanks() -> None:
    texts = [
        line.cells[0].text if line.cells else ""
        for line in placeholder_lines("one two three\nfour", 8, 9)
    ]
    assert texts == ["", "", "one two", "three", "four"]
    assert [line.cells[0].text for line in placeholder_lines("abcdefghij", 4, 2)] == [
        "abcd",
        "efgh",
    ]
    assert placeholder_lines("x", 0, 0) == []
