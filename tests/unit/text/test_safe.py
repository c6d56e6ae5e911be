"""Untrusted text: whatever goes in, nothing that a terminal obeys comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runqy_tui.text.safe import decode, encode, few_marks, safe_block, safe_line

ANY_TEXT = st.text(st.characters(), max_size=80)
"""Every code point, lone surrogates included."""

CONTROLS = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BREAKS = set("\u2028\u2029\n\r\x0b\x0c\x85")
PLANES = (range(0x11000), range(0xE0000, 0xE1000), range(0x10FF00, 0x110000))
"""The planes with letters, tags and variation selectors, and the end of it all."""


def harmless(text: str, allowed: str = "") -> bool:
    return all(
        char.isprintable() or char in allowed or unicodedata.category(char) == "Zs" for char in text
    )


@settings(deadline=None)
@given(ANY_TEXT)
@example("\x1b]52;c;aGk=\x07")
@example("\udc80\ud800\udfff")
@example("a\nb\r\nc\tд")
@example("\U000e0041\u2066\ufeff\u180e")
def test_a_line_is_one_printable_line(value: str) -> None:
    safe = safe_line(value)
    assert harmless(safe)
    assert not set(safe) & (CONTROLS | BIDI | BREAKS)
    assert len(safe.splitlines()) <= 1
    assert safe.encode("utf-8").decode("utf-8") == safe
    assert safe_line(safe) == safe


def test_every_code_point_of_the_planes_in_use() -> None:
    safe = safe_line("".join(chr(code) for plane in PLANES for code in plane))
    assert harmless(safe)
    assert not set(safe) & (CONTROLS | BIDI | BREAKS)
    assert not any(0xD800 <= ord(char) <= 0xDFFF for char in safe)


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT)
@example("a\U000e0100", "\n")
def test_a_character_reads_the_same_whatever_stands_beside_it(one: str, other: str) -> None:
    assert safe_line(one + other) == safe_line(one) + safe_line(other)


@settings(deadline=None)
@given(ANY_TEXT)
@example("a\r\nb\rc\x0bd\u2028e\x85f")
def test_a_block_has_no_line_breaks_but_newlines(value: str) -> None:
    safe = safe_block(value)
    assert harmless(safe, "\n")
    assert not set(safe) & ((CONTROLS | BIDI | BREAKS) - {"\n"})
    assert safe.count("\n") == value.count("\n")
    assert len(safe.splitlines()) <= safe.count("\n") + 1
    assert safe_block(safe) == safe


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("inference.low", "inference.low"),
        ("日本語 é 🙂", "日本語 é 🙂"),
        ("\x1b[2J", "␛[2J"),
        ("a\tb\nc", "a␉b␊c"),
        ("\x00\x07\x7f", "␀␇␡"),
        ("\x9b1m", "‹9B›1m"),
        ("a\u202eb", "a‹202E›b"),
        ("\ud83d", "‹D83D›"),
        (b"\xff\xfe".decode("utf-8", "surrogateescape"), "‹FF›‹FE›"),
        ("\ue000", "‹E000›"),
        ("a\xa0b", "a\xa0b"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("", ""),
    ],
)
def test_a_line_by_example(value: str, line: str) -> None:
    assert safe_line(value) == line


@pytest.mark.parametrize(
    ("value", "block"),
    [
        ("a\r\nb\n", "a\nb\n"),
        ("a\rb", "a␍b"),
        ("if x:\n\ty", "if x:\n    y"),
        ("ab\tc", "ab  c"),
        ("\x1b[31mred\x1b[0m\n", "␛[31mred␛[0m\n"),
    ],
)
def test_a_block_by_example(value: str, block: str) -> None:
    assert safe_block(value) == block


@settings(deadline=None)
@given(st.binary(max_size=120))
@example(b"\xed\xa0\x80")  # a surrogate in UTF-8, which is not allowed there
@example(b"\xf4\x90\x80\x80")  # beyond the last code point
def test_bytes_survive_the_way_through_text(raw: bytes) -> None:
    assert encode(decode(raw)) == raw


@settings(deadline=None)
@given(st.binary(max_size=20), st.sampled_from(["\ud800", "\udbff", "\udc00", "\udc7f", "\udfff"]))
@example(b"\xff", "\ud800")
def test_a_foreign_surrogate_costs_only_itself(raw: bytes, foreign: str) -> None:
    assert encode(decode(raw) + foreign) == raw + b"?"


def test_a_pile_of_marks_is_told_and_not_piled() -> None:
    piled = "z" + "\u0351" * 6 + "e\u0301 漢"
    assert few_marks(piled) == "z" + "\u0351" * 4 + "‹0351›‹0351›e\u0301 漢"
    assert few_marks("plain") == "plain"
