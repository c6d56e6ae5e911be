"""The parts of the text view that need no terminal: dump, highlighting, wrapping, lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.tui.safe_text import line
from runqy_tui.tui.widgets.highlight import Kind, highlight_spans
from runqy_tui.tui.widgets.text_lines import (
    HexLines,
    TextLines,
    Wrapping,
    hex_rows,
    hexdump,
    text_column,
)


def test_a_dump() -> None:
    assert list(hexdump(b"\x00\x1b]52;c;AAAA\x07\xff~ next")) == [
        "0000  00 1b 5d 35 32 3b 63 3b  41 41 41 41 07 ff 7e 20  ..]52;c;AAAA..~ ",
        "0010  6e 65 78 74                                       next",
    ]
    assert list(hexdump(b"")) == []


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_a_dump_contains_the_bytes(data: bytes) -> None:
    dumped = list(hexdump(data))
    assert len(dumped) == hex_rows(data)
    assert b"".join(bytes.fromhex(row[6:54]) for row in dumped) == data
    assert all(row.isascii() and row.isprintable() for row in dumped)
    assert "".join(row[text_column(len(data)) :] for row in dumped) == "".join(
        chr(code) if 0x20 <= code < 0x7F else "." for code in data
    )


def test_offsets_of_a_large_dump_line_up() -> None:
    lines = HexLines(bytes(10_000_000))
    assert len(lines) == 625_000
    assert lines.display_text(624_999).startswith("989670  00 00")
    assert lines.display_text(0).startswith("000000  00 00")
    assert len(lines.display_text(0)) == text_column(10_000_000) + 16


def found(kind: Kind, text: str) -> list[tuple[str, str]]:
    return [(span.tone, text[span.start : span.end]) for span in highlight_spans(kind, text)]


def test_json_is_highlighted() -> None:
    assert found("json", '  "key": "a \\" b",') == [("key", '"key"'), ("string", '"a \\" b"')]
    assert found("json", '  "n": -1.5e3, true, null') == [
        *[("key", '"n"'), ("number", "-1.5e3"), ("literal", "true"), ("literal", "null")]
    ]
    assert found("json", '"unterminated') == [("string", '"unterminated')]


def test_tracebacks_are_highlighted() -> None:
    assert found("traceback", "Traceback (most recent call last):")[0][0] == "dim"
    assert found("traceback", '  File "/srv/task.py", line 3, in run') == [
        ("path", '"/srv/task.py", line 3')
    ]
    assert found("traceback", "    raise ValueError(x)") == []
    assert found("traceback", "    ~~~~^^^") == [("warning", "    ~~~~^^^")]
    assert found("traceback", "httpx.ConnectError: upstream 503") == [
        ("error", "httpx.ConnectError: upstream 503")
    ]


def test_logs_are_highlighted_by_level() -> None:
    assert found("log", "12:00 ERROR no space") == [("error", "ERROR")]
    assert found("log", "WARNING: slow") == [("warning", "WARNING")]
    assert found("log", "TERROR and INFO") == []
    assert found("plain", "ERROR") == []
    assert found("log", "ERROR " * 1_000) == [], "overlong"


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(["json", "traceback", "log", "hex"]))
def test_spans_lie_within_the_line(text: str, kind: Kind) -> None:
    safe = line(text)
    assert all(0 <= span.start <= span.end <= len(safe) for span in highlight_spans(kind, safe))


@pytest.mark.timeout(20)  # a guard against hanging, no measure
@pytest.mark.parametrize("kind", ["json", "traceback", "log", "hex"])
@pytest.mark.parametrize(
    "text", ['"' * 2_000, '"\\' * 1_000, " |" * 1_000, "a." * 1_000, "^~" * 1_000, "-" * 2_000]
)
def test_highlighting_is_linear_on_adversarial_lines(kind: Kind, text: str) -> None:
    for span in highlight_spans(kind, text):
        assert 0 <= span.start < span.end <= len(text)


def test_lines_are_made_safe() -> None:
    lines = TextLines("a\tb\r\n\x1b[31mred\x1b[0m\n\x1b]0;t\x07\n" + "é" * 5_000)
    assert lines.display_text(0) == "a   b"
    assert lines.display_text(1) == "␛[31mred␛[0m"
    assert lines.display_text(2) == "␛]0;t␇"
    assert lines.display_text(3).endswith("é… (904 more characters on this line)")
    colored = TextLines("\x1b[1;31mred\x1b[0m\x1b[2J\x1b[38:2::1:2:3mx\x1b[31", colored=True)
    assert colored.display_text(0) == "red␛[2Jx␛[31"
    lines.extend(["x\ny"])
    assert lines.display_text(4) == "x␊y"


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30), min_size=1),
    st.integers(2, 20),
)
def test_wrapping_shows_every_character_once(texts: list[str], cells: int) -> None:
    lines = TextLines("\n".join(texts))
    if not len(lines):
        return
    wrapping = Wrapping(lines, cells)
    while not wrapping.complete:
        wrapping.measure(0)
    display_text: dict[int, str] = {}
    for row in range(wrapping.rows):
        index, piece = wrapping.locate(row)
        text, start = wrapping.piece(index, piece)
        assert start == len(display_text.get(index, ""))
        assert wrapping.row_of(index, start) == row
        display_text[index] = display_text.get(index, "") + text
    assert [display_text[index] for index in range(len(lines))] == [
        lines.display_text(at) for at in range(len(lines))
    ]


def test_dropped_lines_take_their_rows_along() -> None:
    lines = TextLines("aaaa\nb\ncc\ndddddd")
    wrapping = Wrapping(lines, 2)
    wrapping.measure()
    assert wrapping.rows == 2 + 1 + 1 + 3
    assert wrapping.dropped(2) == 3
    lines.drop(2)
    assert wrapping.rows == 4
    assert wrapping.piece(*wrapping.locate(1)) == ("dd", 0)


def test_search_in_bytes_crosses_the_lines_of_a_dump() -> None:
    lines = HexLines(b"." * 14 + b"NEEDLE" + b"." * 30 + b"needle")
    assert list(lines.search(re.compile("needle", re.IGNORECASE))) == [(0, 0), (3, 0)]
    assert list(lines.search(re.compile("needle"))) == [(3, 0)]
