"""The bytes of single changes, and of cases in which the state of the terminal is unknown."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from runqy_tui.tui.renderer.cell_frame import CellFrame
from runqy_tui.tui.renderer.encoder import Encoder
from runqy_tui.tui.renderer.style_encoder import StyleEncoder
from tests.support.replay import Terminal

PENS = StyleEncoder(ColorSystem.TRUECOLOR)
BLUE = Style.parse("white on #000044")


def drawn(width: int = 40, height: int = 3) -> tuple[CellFrame, Encoder]:
    """A frame that the terminal already shows."""
    frame, encoder = CellFrame(width, height), Encoder()
    for y in range(height):
        frame.put(y, 0, [Segment("x" * width, BLUE)], PENS)
    encoder.encode(frame)
    return frame, encoder


def put(frame: CellFrame, y: int, x: int, text: str, style: Style | None = BLUE) -> None:
    frame.put(y, x, [Segment(text, style)], PENS)


def test_an_unchanged_frame_sends_nothing() -> None:
    frame, encoder = drawn()
    put(frame, 1, 0, "x" * 40)
    assert encoder.encode(frame) == ""


def test_one_cell_is_a_move_and_a_character() -> None:
    frame, encoder = drawn()
    put(frame, 1, 7, "7")
    assert encoder.encode(frame) == "\x1b[2;8H7"
    put(frame, 1, 8, "8")
    assert encoder.encode(frame) == "8"
    put(frame, 1, 10, "0")
    assert encoder.encode(frame) == "x0", "what lies between is shorter than a move"


def test_only_what_differs_in_style_is_switched() -> None:
    frame, encoder = drawn()
    put(frame, 0, 0, "a", BLUE + Style(bold=True))
    put(frame, 0, 1, "b", BLUE)
    assert encoder.encode(frame) == "\x1b[H\x1b[1ma\x1b[22mb"


def test_a_blank_needs_only_its_background() -> None:
    frame, encoder = drawn()
    put(frame, 0, 5, " ", Style.parse("bold red on #000044"))
    assert encoder.encode(frame) == "\x1b[1;6H "


def test_a_line_of_blanks_is_erased() -> None:
    frame, encoder = drawn()
    put(frame, 0, 5, " " * 35)
    assert encoder.encode(frame) == "\x1b[1;6H\x1b[K"


def test_colour_is_not_erased_where_the_terminal_would_not() -> None:
    frame, encoder = CellFrame(10, 1), Encoder(erases_with_colour=False)
    put(frame, 0, 0, " " * 10)
    assert encoder.encode(frame).endswith(" " * 10)


def test_the_cursor_position_is_unknown_after_the_last_column() -> None:
    frame, encoder = drawn()
    put(frame, 0, 39, "a")
    put(frame, 1, 0, "b")
    sent = encoder.encode(frame)
    assert sent == "\x1b[1;40Ha\r\nb"


def test_a_width_that_terminals_dispute_is_followed_by_an_absolute_move() -> None:
    frame, encoder = drawn()
    put(frame, 0, 0, "\N{GRINNING FACE}b漢c")
    assert encoder.encode(frame) == "\x1b[H\N{GRINNING FACE}\x1b[3Gb漢c"


def test_half_of_a_wide_character_is_a_blank() -> None:
    frame, encoder = drawn(6, 1)
    put(frame, 0, 0, "漢字xx")
    encoder.encode(frame)
    put(frame, 0, 1, "y")
    terminal = Terminal(6, 1)
    terminal.feed(Encoder().encode(frame))
    assert terminal.screen.display == [" y字xx"]
    put(frame, 0, 5, "漢")
    assert encoder.encode(frame).endswith(" "), "no room for it in the last column"


def test_a_link_is_opened_and_closed() -> None:
    frame, encoder = drawn()
    style = BLUE + Style(link="https://docs.runqy.com")
    put(frame, 0, 0, "ab", style)
    sent = encoder.encode(frame)
    assert sent.count("\x1b]8;id=") == 1
    assert ";https://docs.runqy.com\x1b\\" in sent
    assert "\x1b]8;;\x1b\\" in sent.partition("ab")[2]


def test_no_control_character_of_a_text_is_sent() -> None:
    frame, encoder = drawn(20, 1)
    put(frame, 0, 0, "a\x1b]52;c;x\x07b\x9b2Jc\ud800", None)
    sent = encoder.encode(frame)
    assert "\x1b]" not in sent
    assert not set(sent) & {"\x07", "\x9b", "\ud800"}


def test_after_invalidation_the_whole_frame_is_sent() -> None:
    frame, encoder = drawn()
    encoder.invalidate()
    sent = encoder.encode(frame)
    assert "\x1b[H\x1b[J" in sent
    assert sent.count("x" * 40) == 3


def test_parking_the_cursor_costs_nothing_where_it_is() -> None:
    frame, encoder = drawn()
    assert encoder.park_cursor(1, 5) == "\x1b[2;6H"
    assert encoder.park_cursor(1, 5) == ""
    put(frame, 1, 5, "a")
    assert encoder.encode(frame) == "a"
