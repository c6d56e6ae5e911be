"""Styles of cells as SGR parameters, and the shortest sequence from one style to another."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style

from runqy_tui.tui.compat.hooks import style_attributes
from runqy_tui.tui.renderer.ansi16 import ansi16_codes

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
"""Attribute bits, and the one code that switches them off together."""
_SEEN_ON_BLANK = 0b1111101111000
"""Attributes visible on a blank: underlines, blinking, reverse, strike, frames, overline."""

_MOST_STYLES = 4096


class CellStyle(NamedTuple):
    """SGR parameters of the colours, Rich's attribute bits, and ``params;uri`` of a link."""

    fg: str = "39"
    bg: str = "49"
    flags: int = 0
    link: str = ""

    @property
    def blank(self) -> CellStyle:
        """The simplest style that draws a blank in the same way: its background alone."""
        if self.flags & _SEEN_ON_BLANK or self.link:
            return self
        return CellStyle(bg=self.bg)

    def draws_blank_like(self, other: CellStyle) -> bool:
        """Whether a blank in this style equals one in ``other``, which is a :attr:`blank`."""
        return self is other or self == other or self.blank == other


PLAIN = CellStyle()


class StyleEncoder:
    """Converts Rich's styles for one colour system, each once.

    Args:
        colours: the terminal's colour system; ``None`` draws without colours and attributes.
    """

    def __init__(self, colours: ColorSystem | None) -> None:
        self._colours = colours
        self._encoded: dict[Style, tuple[CellStyle, CellStyle]] = {}
        self._unique: dict[CellStyle, CellStyle] = {PLAIN: PLAIN}

    def encode(self, style: Style | None) -> tuple[CellStyle, CellStyle]:
        """Return the style of a cell, and the style of its blanks."""
        if style is None or self._colours is None:
            return PLAIN, PLAIN
        found = self._encoded.get(style)
        if found is None:
            if len(self._encoded) >= _MOST_STYLES:
                self._encoded.clear()
                self._unique = {PLAIN: PLAIN}
            cell_style = _encode(style, self._colours)
            found = self._encoded[style] = (
                self._interned(cell_style),
                self._interned(cell_style.blank),
            )
        return found

    def _interned(self, cell_style: CellStyle) -> CellStyle:
        # One object for equal styles: comparing rows is faster where objects are identical.
        return self._unique.setdefault(cell_style, cell_style)


def _encode(style: Style, colours: ColorSystem) -> CellStyle:
    fg, bg = style.color, style.bgcolor
    link = f"id={style.link_id};{style.link}" if style.link else ""
    if colours is ColorSystem.STANDARD:
        fg_code, bg_code = ansi16_codes(fg, bg)
    else:
        fg_code = "39" if fg is None else ";".join(fg.downgrade(colours).get_ansi_codes())
        bg_code = (
            "49" if bg is None else ";".join(bg.downgrade(colours).get_ansi_codes(foreground=False))
        )
    return CellStyle(fg_code, bg_code, style_attributes(style), link)


@lru_cache(maxsize=2048)
def style_change(old: CellStyle | None, new: CellStyle) -> str:
    """Return the shortest sequence that changes the style; ``None`` is an unknown style."""
    if old == new:
        return ""
    # No frame leaves a link open, so there is none in an unknown style.
    old_link = PLAIN.link if old is None else old.link
    link = "" if old_link == new.link else f"\x1b]8;{new.link or ';'}\x1b\\"
    if old is None:
        return link + _full_sequence(new)
    if old[:3] == new[:3]:
        return link
    codes = [*([new.fg] if old.fg != new.fg else []), *([new.bg] if old.bg != new.bg else [])]
    codes += _attribute_codes(old.flags, new.flags)
    delta, whole = f"\x1b[{';'.join(codes)}m", _full_sequence(new)
    return link + min(delta, whole, key=len)


def _full_sequence(cell_style: CellStyle) -> str:
    codes = [code for bit, code in enumerate(_ON) if cell_style.flags >> bit & 1]
    codes += [
        *([cell_style.fg] if cell_style.fg != "39" else []),
        *([cell_style.bg] if cell_style.bg != "49" else []),
    ]
    return f"\x1b[;{';'.join(codes)}m" if codes else "\x1b[m"


def _attribute_codes(old: int, new: int) -> list[str]:
    codes: list[str] = []
    kept = old
    for bits, code in _OFF:
        if old & ~new & bits:
            codes.append(code)
            kept &= ~bits
    codes += [code for bit, code in enumerate(_ON) if new & ~kept & 1 << bit]
    return codes
