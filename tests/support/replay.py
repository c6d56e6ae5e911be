"""Frames at random, and a terminal (pyte) that says what a stream of bytes has made of it."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyte
from pyte.screens import Char
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from runqy_tui.tui.renderer.cell_frame import CellFrame
from runqy_tui.tui.renderer.encoder import Encoder
from runqy_tui.tui.renderer.style_encoder import StyleEncoder

Look = tuple[str, str, str, bool, bool, bool, bool, bool, bool]

_TEXTS = (
    " ", "  ", "a", "abc", "task-00017", "12,345", "─", "│", "●", "·", "…", "é", "ß",
    "漢", "漢字", "カナ", "한국", "e\u0301", "a\u0308b", "x" * 30, " " * 25, "    x",
)  # fmt: skip
_COLOURS = (None, "red", "#112233", "#1e1e2e", "color(200)", "bright_blue")
_ATTRIBUTES = ("bold", "italic", "underline", "strike", "reverse", "blink")


def random_style(dice: random.Random) -> Style | None:
    """Few colours, so that neighbours are often alike."""
    if dice.random() < 0.2:
        return None
    on: dict[str, Any] = {name: True for name in _ATTRIBUTES if dice.random() < 0.12}
    return Style(color=dice.choice(_COLOURS), bgcolor=dice.choice(_COLOURS), **on)


def random_segments(dice: random.Random) -> list[Segment]:
    """A few pieces of text."""
    return [Segment(dice.choice(_TEXTS), random_style(dice)) for _ in range(dice.randint(1, 5))]


def changes(frame: CellFrame, style_encoder: StyleEncoder, dice: random.Random) -> None:
    """Draw a few things at random places; at times over everything."""
    if dice.random() < 0.05:
        for y in range(frame.height):
            frame.put(y, 0, [Segment(" " * frame.width, random_style(dice))], style_encoder)
    for _ in range(dice.randint(0, 6)):
        y, x = dice.randrange(frame.height), dice.randrange(frame.width)
        frame.put(y, x, random_segments(dice), style_encoder)


class _Screen(pyte.Screen):
    """pyte erases in colour only what was written before; terminals erase all of it."""

    def erase_in_display(self, how: int = 0, *args: Any, **options: Any) -> None:
        if how == 0:
            for y in range(self.cursor.y, self.lines):
                for x in range(self.columns):
                    self.buffer[y][x] = self.cursor.attrs
        super().erase_in_display(how, *args, **options)


class Terminal:
    """A terminal that has been fed with a stream."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = _Screen(width, height)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        """Take a part of the stream."""
        # The line discipline of a terminal: a line feed returns the carriage as well.
        self._stream.feed(text.replace("\n", "\r\n"))

    def looks(self) -> list[list[Look]]:
        """What is seen of each cell."""
        buffer, default = self.screen.buffer, self.screen.default_char
        return [
            [_look(buffer[y].get(x, default)) for x in range(self.screen.columns)]
            for y in range(self.screen.lines)
        ]


def _look(char: Char) -> Look:
    data = unicodedata.normalize("NFC", char.data)
    seen = char.underscore or char.strikethrough or char.reverse or char.blink
    if data == " " and not seen:
        char = Char(" ", bg=char.bg)
    return (
        data, char.fg, char.bg, char.bold, char.italics, char.underscore, char.strikethrough,
        char.reverse, char.blink,
    )  # fmt: skip


@dataclass
class Run:
    """Frames at random, encoded one after the other."""

    seed: int
    width: int = 40
    height: int = 12
    erases_with_colour: bool = True
    colours: ColorSystem = ColorSystem.TRUECOLOR
    sizes: list[int] = field(default_factory=list)
    last: str = ""

    def frames(self, count: int) -> Iterator[tuple[int, list[list[Look]], list[list[Look]]]]:
        """Number, what is seen, and what a full repaint would show; for each frame."""
        dice = random.Random(self.seed)
        style_encoder = StyleEncoder(self.colours)
        encoder = Encoder(erases_with_colour=self.erases_with_colour)
        frame, terminal = self._fresh(dice, first=True)
        for number in range(count):
            if dice.random() < 0.01:
                frame, terminal = self._fresh(dice, first=False)
                encoder.invalidate()
            elif dice.random() < 0.01:
                terminal.feed("\x1b[0m\x1b[3;3Hsomebody else wrote here\x1b[7m")
                encoder.invalidate()
            changes(frame, style_encoder, dice)
            sent = encoder.encode(frame)
            self.last = sent
            self.sizes.append(len(sent.encode()))
            terminal.feed(sent)
            fresh = Terminal(frame.width, frame.height)
            fresh.feed(Encoder(erases_with_colour=self.erases_with_colour).encode(frame))
            yield number, terminal.looks(), fresh.looks()

    def _fresh(self, dice: random.Random, *, first: bool) -> tuple[CellFrame, Terminal]:
        width = self.width if first else dice.randint(1, 2 * self.width)
        height = self.height if first else dice.randint(1, 2 * self.height)
        return CellFrame(width, height), Terminal(width, height)
