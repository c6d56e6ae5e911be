"""How a cell is drawn: colours, attributes and link, and the shortest way from one to another."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style

from runqy_tui.tui.compat.hooks import style_attributes
from runqy_tui.tui.renderer.ansi16 import sixteen

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""SGR codes in the order of Rich's attribute bits."""
_OFF = (
    (0b0000000000011, "22"),
    (0b0000000000100, "23"),
    (0b0001000001000, "24"),
    (0b0000000110000, "25"),
    (0b0000001000000, "27"),
    (0b0000010000000, "28"),
    (0b0000100000000, "29"),
    (0b0110000000000, "54"),
    (0b1000000000000, "55"),
)
"""Bits that one code switches off together."""
_SEEN_ON_BLANK = 0b1111101111000
"""Attributes that show on a blank: underlines, blinking, reverse, strike, frames, overline."""

_MOST_STYLES = 4096


class CellStyle(NamedTuple):
    """SGR parameters of the colours, Rich's attribute bits, and ``params;uri`` of a link."""

    fg: str = "39"
    bg: str = "49"
    flags: int = 0
    link: str = ""

    @property
    def blank(self) -> CellStyle:
        """The pen that draws the same blank; colour and weight of nothing are no difference."""
        if self.flags & _SEEN_ON_BLANK or self.link:
            return self
        return CellStyle(bg=self.bg)

    def draws_blank_like(self, other: CellStyle) -> bool:
        """Whether a blank of this pen looks like one of ``other``, itself a :attr:`blank`."""
        return self is other or self == other or self.blank == other


PLAIN = CellStyle()


class StyleEncoder:
    """Pens of Rich's styles in one colour system, each made once.

    Args:
        colours: the terminal's colour system; ``None`` draws without colour or attribute.
    """

    def __init__(self, colours: ColorSystem | None) -> None:
        self._colours = colours
        self._of: dict[Style, tuple[CellStyle, CellStyle]] = {}
        self._own: dict[CellStyle, CellStyle] = {PLAIN: PLAIN}

    def of(self, style: Style | None) -> tuple[CellStyle, CellStyle]:
        """The pen of a style, and the pen of its blanks."""
        if style is None or self._colours is None:
            return PLAIN, PLAIN
        found = self._of.get(style)
        if found is None:
            if len(self._of) >= _MOST_STYLES:
                self._of.clear()
                self._own = {PLAIN: PLAIN}
            pen = _pen(style, self._colours)
            found = self._of[style] = (self._kept(pen), self._kept(pen.blank))
        return found

    def _kept(self, pen: CellStyle) -> CellStyle:
        # One object for equal pens: rows are compared at each frame, by identity where it holds.
        return self._own.setdefault(pen, pen)


def _pen(style: Style, colours: ColorSystem) -> CellStyle:
    fg, bg = style.color, style.bgcolor
    link = f"id={style.link_id};{style.link}" if style.link else ""
    if colours is ColorSystem.STANDARD:
        ink, ground = sixteen(fg, bg)
    else:
        ink = "39" if fg is None else ";".join(fg.downgrade(colours).get_ansi_codes())
        ground = (
            "49" if bg is None else ";".join(bg.downgrade(colours).get_ansi_codes(foreground=False))
        )
    return CellStyle(ink, ground, style_attributes(style), link)


@lru_cache(maxsize=2048)
def change(old: CellStyle | None, new: CellStyle) -> str:
    """The shortest sequence that takes up ``new``; ``None`` is a pen of which nothing is known."""
    if old == new:
        return ""
    # No frame leaves a link open, so that none is where nothing is known.
    was = PLAIN.link if old is None else old.link
    link = "" if was == new.link else f"\x1b]8;{new.link or ';'}\x1b\\"
    if old is None:
        return link + _whole(new)
    if old[:3] == new[:3]:
        return link
    codes = [*([new.fg] if old.fg != new.fg else []), *([new.bg] if old.bg != new.bg else [])]
    codes += _switches(old.flags, new.flags)
    delta, whole = f"\x1b[{';'.join(codes)}m", _whole(new)
    return link + min(delta, whole, key=len)


def _whole(pen: CellStyle) -> str:
    codes = [code for bit, code in enumerate(_ON) if pen.flags >> bit & 1]
    codes += [*([pen.fg] if pen.fg != "39" else []), *([pen.bg] if pen.bg != "49" else [])]
    return f"\x1b[;{';'.join(codes)}m" if codes else "\x1b[m"


def _switches(old: int, new: int) -> list[str]:
    codes: list[str] = []
    kept = old
    for bits, code in _OFF:
        if old & ~new & bits:
            codes.append(code)
            kept &= ~bits
    codes += [code for bit, code in enumerate(_ON) if new & ~kept & 1 << bit]
    return codes
