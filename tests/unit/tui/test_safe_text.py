"""The door: whatever goes in, what comes out is printable and exactly as wide as promised."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from runqy_tui.tui import safe_text

ANY_TEXT = st.text(st.characters(), max_size=60)


@settings(deadline=None)
@given(
    ANY_TEXT,
    st.integers(0, 40),
    st.sampled_from(["left", "right"]),
    st.sampled_from(["start", "end"]),
)
@example("日本語", 4, "left", "start")
@example("日本語", 4, "right", "end")
@example("e\u0301" * 30, 5, "left", "end")
@example("\udc80\x1b[31m\u202e", 9, "left", "start")
def test_fit_is_exactly_as_wide_as_asked(
    value: str, cells: int, align: safe_text.Align, keep: safe_text.Keep
) -> None:
    fitted = safe_text.fit(value, cells, align, keep=keep)
    assert cell_len(fitted) == cells
    assert all(char.isprintable() or unicodedata.category(char) == "Zs" for char in fitted)
    fitted.encode("utf-8")
    assert safe_text.fit(fitted, cells) == fitted


@settings(deadline=None)
@given(ANY_TEXT)
def test_line_is_one_safe_line_and_stays_what_it_is(value: str) -> None:
    safe = safe_text.line(value)
    assert not set(safe) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}
    assert not set(safe) & set("\u200b\u200e\u200f\u202a\u202e\u2028\ufe0e\ufe0f")
    assert safe_text.line(safe) == safe
    safe.encode("utf-8")


@settings(deadline=None)
@given(ANY_TEXT)
def test_content_is_text_and_never_markup(value: str) -> None:
    assert safe_text.content(f"[b]{value}[/x]").plain == safe_text.line(f"[b]{value}[/x]")
    assert safe_text.content(f"[b]{value}[/x]").plain.startswith("[b]")
    assert safe_text.content_block(value).plain == safe_text.block(value)


@settings(deadline=None)
@given(ANY_TEXT, st.integers(1, 12))
def test_pieces_lose_nothing_and_fit(value: str, cells: int) -> None:
    safe = safe_text.line(value)
    pieces = safe_text.split_cells(safe, cells)
    assert "".join(pieces) == safe
    assert all(cell_len(piece) <= max(cells, 2) for piece in pieces)


@pytest.mark.parametrize(
    ("value", "cells", "align", "keep", "fitted"),
    [
        ("queue", 8, "left", "start", "queue   "),
        ("queue", 8, "right", "start", "   queue"),
        ("inference.low", 8, "left", "start", "inferen…"),
        ("inference.low", 8, "left", "end", "…nce.low"),
        ("日本語", 5, "left", "start", "日本…"),
        ("日本語", 4, "left", "start", "日… "),
        ("日本語", 4, "right", "end", " …語"),
        ("a\nb", 4, "left", "start", "a␊b "),
        ("x", 0, "left", "start", ""),
        ("xy", 1, "left", "start", "…"),
        ("", 3, "left", "start", "   "),
        ("⚠\ufe0f!", 3, "left", "start", "⚠! "),
    ],
)
def test_fit_by_example(
    value: str, cells: int, align: safe_text.Align, keep: safe_text.Keep, fitted: str
) -> None:
    assert safe_text.fit(value, cells, align, keep=keep) == fitted


def test_piled_up_marks_become_visible() -> None:
    assert safe_text.line("e\u0301\u0302") == "e\u0301\u0302"
    assert safe_text.line("e" + "\u0301" * 6) == "e" + "\u0301" * 4 + "‹0301›" * 2
    assert safe_text.line("\u0301x") == "‹0301›x"
    assert len(safe_text.fit("e" + "\u0301" * 100_000, 5)) < 60


@pytest.mark.timeout(20)  # a guard against hanging, no measure
def test_the_cost_of_fitting_does_not_depend_on_the_length() -> None:
    for value in ("x" * 10_000_000, "日" * 5_000_000, "\u0301" * 5_000_000):
        for _ in range(1_000):
            assert safe_text.width(safe_text.fit(value, 40)) == 40
            assert safe_text.width(safe_text.fit(value, 40, keep="end")) == 40


def test_styles_and_other_marks() -> None:
    assert safe_text.content("[/x]", "bold").plain == "[/x]"
    assert safe_text.content("x", "bold").spans[0].style == "bold"
    assert safe_text.fit("inference", 4, mark="~") == "inf~"
    assert safe_text.block("a\tb\r\nc\x1b") == "a   b\nc␛"


def test_the_shortcut_covers_no_marks() -> None:
    shortcut = [chr(code) for code in range(0x20000) if safe_text._MARKLESS.fullmatch(chr(code))]
    assert len(shortcut) > 40_000
    assert all(cell_len(char) >= 1 for char in shortcut)
