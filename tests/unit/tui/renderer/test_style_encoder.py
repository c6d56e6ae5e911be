"""Every way from one pen or place to another ends where it should, in the fewest bytes."""

from __future__ import annotations

import itertools
import random

import pytest
from rich.color import ColorSystem
from rich.style import Style

from runqy_tui.tui.renderer.encoder import move
from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, StyleEncoder, change
from tests.support.replay import Terminal, random_style

PENS = StyleEncoder(ColorSystem.TRUECOLOR)


def look_after(*sequences: str) -> object:
    terminal = Terminal(3, 1)
    terminal.feed("".join(sequences) + "x")
    return terminal.looks()[0][0]


def test_any_change_of_pen_ends_in_the_new_one() -> None:
    dice = random.Random(7)
    pens = [PENS.of(random_style(dice))[0] for _ in range(60)]
    for old, new in itertools.pairwise(pens):
        assert look_after(change(None, old), change(old, new)) == look_after(change(None, new))


def test_bold_and_dim_share_the_code_that_ends_them() -> None:
    both, dim = CellStyle(flags=0b11), CellStyle(flags=0b10)
    assert change(both, dim) in ("\x1b[22;2m", "\x1b[;2m")
    assert change(dim, both) == "\x1b[1m"
    assert change(dim, PLAIN) == "\x1b[m"
    assert change(PLAIN, PLAIN) == ""


def test_colours_follow_the_terminal() -> None:
    style = Style.parse("#ff0000 on #00ff00")
    assert StyleEncoder(ColorSystem.STANDARD).of(style)[0][:2] == ("30", "42")
    assert StyleEncoder(ColorSystem.EIGHT_BIT).of(style)[0][:2] == ("38;5;196", "48;5;46")
    assert StyleEncoder(None).of(style) == (PLAIN, PLAIN)


def test_pens_of_equal_styles_are_one_object() -> None:
    first, second = Style.parse("bold red"), Style.parse("bold") + Style.parse("red")
    assert PENS.of(first)[0] is PENS.of(second)[0]


def test_many_styles_are_forgotten_in_time() -> None:
    pens = StyleEncoder(ColorSystem.TRUECOLOR)
    for number in range(10_000):
        pens.of(Style.parse(f"#{number:06x}"))
    assert len(pens._of) <= 4096


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
        way = move(row, column, *to)
        terminal.feed(way)
        cursor = terminal.screen.cursor
        assert (cursor.y, cursor.x) == to, repr(way)
        assert len(way) <= len(f"\x1b[{to[0] + 1};{to[1] + 1}H")
