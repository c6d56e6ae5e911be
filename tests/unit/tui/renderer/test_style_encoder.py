"""Every change of style and every cursor move has the right result, in the fewest bytes."""

from __future__ import annotations

import itertools
import random

import pytest
from rich.color import ColorSystem
from rich.style import Style

from runqy_tui.tui.renderer.encoder import move_cursor
from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, StyleEncoder, style_change
from tests.support.replay import Terminal, random_style

STYLES = StyleEncoder(ColorSystem.TRUECOLOR)


def look_after(*sequences: str) -> object:
    terminal = Terminal(3, 1)
    terminal.feed("".join(sequences) + "x")
    return terminal.looks()[0][0]


def test_any_style_change_ends_in_the_new_style() -> None:
    dice = random.Random(7)
    cell_styles = [STYLES.encode(random_style(dice))[0] for _ in range(60)]
    for old, new in itertools.pairwise(cell_styles):
        assert look_after(style_change(None, old), style_change(old, new)) == look_after(
            style_change(None, new)
        )


def test_bold_and_dim_share_the_code_that_ends_them() -> None:
    both, dim = CellStyle(flags=0b11), CellStyle(flags=0b10)
    assert style_change(both, dim) in ("\x1b[22;2m", "\x1b[;2m")
    assert style_change(dim, both) == "\x1b[1m"
    assert style_change(dim, PLAIN) == "\x1b[m"
    assert style_change(PLAIN, PLAIN) == ""


def test_colours_follow_the_terminal() -> None:
    style = Style.parse("#ff0000 on #00ff00")
    assert StyleEncoder(ColorSystem.STANDARD).encode(style)[0][:2] == ("30", "42")
    assert StyleEncoder(ColorSystem.EIGHT_BIT).encode(style)[0][:2] == ("38;5;196", "48;5;46")
    assert StyleEncoder(None).encode(style) == (PLAIN, PLAIN)


def test_cell_styles_of_equal_styles_are_one_object() -> None:
    first, second = Style.parse("bold red"), Style.parse("bold") + Style.parse("red")
    assert STYLES.encode(first)[0] is STYLES.encode(second)[0]


def test_the_number_of_cached_styles_is_limited() -> None:
    style_encoder = StyleEncoder(ColorSystem.TRUECOLOR)
    for number in range(10_000):
        style_encoder.encode(Style.parse(f"#{number:06x}"))
    assert len(style_encoder._encoded) <= 4096


PLACES = [(y, x) for y in (0, 1, 4, 11) for x in (0, 1, 2, 9, 10, 37, 39)]


@pytest.mark.parametrize("start", [(None, None), (3, None), *PLACES])
def test_any_move_ends_where_it_should(start: tuple[int | None, int | None]) -> None:
    for to in PLACES:
        terminal = Terminal(40, 12)
        row, column = start
        if row is not None:
            # In the last column of an unknown state, as after a character written there.
            terminal.feed(f"\x1b[{row + 1};{40 if column is None else column + 1}H")
            if column is None:
                terminal.feed("x")
        sequence = move_cursor(row, column, *to)
        terminal.feed(sequence)
        cursor = terminal.screen.cursor
        assert (cursor.y, cursor.x) == to, repr(sequence)
        assert len(sequence) <= len(f"\x1b[{to[0] + 1};{to[1] + 1}H")
