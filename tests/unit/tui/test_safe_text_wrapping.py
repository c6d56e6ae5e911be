"""Long values in a few lines: cut between words, and nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.tui.safe_text import line, width, wrap


def test_between_words() -> None:
    assert wrap("breaker open: restart by hand", 14) == ["breaker open: ", "restart by ", "hand"]
    assert wrap("breaker open", 12) == ["breaker open"]
    assert wrap("breaker open", 7) == ["breaker", " open"]


def test_a_word_that_is_too_long_is_cut_anywhere() -> None:
    assert wrap("abcdefgh ij", 3) == ["abc", "def", "gh ", "ij"]
    assert wrap("漢字かな", 3) == ["漢", "字", "か", "な"]
    assert wrap("漢字", 1) == ["漢", "字"]
    assert wrap("", 5) == [""]


@given(st.text(), st.integers(2, 20))
def test_nothing_is_lost_and_nothing_sticks_out(text: str, cells: int) -> None:
    safe = line(text)
    lines = wrap(safe, cells)
    assert "".join(lines) == safe
    assert all(width(part) <= cells for part in lines)
