"""Reduces colours to the 16 ANSI colours, for a foreground and its background together.

The nearest of 16 colours is often unusable: a dark theme becomes black on black, and pastel red,
yellow and green all become white. Here a colour keeps its hue, and its brightness is chosen for
contrast with the background.
"""

from __future__ import annotations

from colorsys import rgb_to_hsv

from rich.color import Color, ColorType

BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE = range(8)

_HUES = ((20, RED), (75, YELLOW), (165, GREEN), (200, CYAN), (265, BLUE), (330, MAGENTA))
"""Angle in degrees up to which a hue is that colour; from the last one on it is red again."""
_LEAST_SATURATION = 40
"""Difference between the channels below which a colour counts as grey."""
_DARK, _DIM, _LIGHT = 38, 128, 240
"""Brightest channel below which a grey background is black, bright black, white; else bright
white."""

_ON_LIGHT = {RED: RED, BLUE: BLUE, MAGENTA: MAGENTA, YELLOW: MAGENTA, CYAN: BLUE}
"""Hues on a light background: yellow and cyan are as light as white on most terminals."""
_MUTED, _FAINT = 160, 180
"""Brightest channel of a grey text below which it is dim on a dark background, and above which it
is faint on white."""


def ansi16_codes(fg: Color | None, bg: Color | None) -> tuple[str, str]:
    """Return SGR codes: 30-37 or 90-97, and 40-47 or 100-107; 39 and 49 are the defaults."""
    background = None if bg is None or bg.type is ColorType.DEFAULT else _background(bg)
    foreground = None if fg is None or fg.type is ColorType.DEFAULT else _foreground(fg, background)
    return (
        "39" if foreground is None else str(foreground + (30 if foreground < 8 else 82)),
        "49" if background is None else str(background + (40 if background < 8 else 92)),
    )


def _background(colour: Color) -> int:
    if colour.type is ColorType.STANDARD and colour.number is not None:
        return colour.number
    channels = colour.get_truecolor()
    hue, brightest = _hue(channels), max(channels)
    if hue is not None:
        return hue + (8 if sum(channels) > 3 * _DIM else 0)
    if brightest < _DARK:
        return BLACK
    if brightest < _DIM:
        return BLACK + 8
    return WHITE if brightest < _LIGHT else WHITE + 8


def _foreground(colour: Color, background: int | None) -> int:
    if colour.type is ColorType.STANDARD and colour.number is not None:
        return colour.number
    channels = colour.get_truecolor()
    hue, brightest = _hue(channels), max(channels)
    if background in (WHITE, WHITE + 8):
        if hue is not None:
            return _ON_LIGHT.get(hue, hue if background == WHITE + 8 else BLACK)
        if brightest < _DIM // 2:
            return BLACK
        return WHITE if background == WHITE + 8 and brightest > _FAINT else BLACK + 8
    if background not in (None, BLACK):
        return _foreground_on_hue(hue, background)
    if hue is not None:
        return hue + 8
    if brightest < _MUTED:
        return BLACK + 8
    return WHITE if brightest < _LIGHT else WHITE + 8


def _foreground_on_hue(hue: int | None, background: int | None) -> int:
    """On a coloured or grey background, only black, white and light hues are legible."""
    if background not in (RED, BLUE, MAGENTA, BLACK + 8):
        return BLACK
    return hue + 8 if hue in (YELLOW, GREEN, CYAN) and hue != background else WHITE + 8


def _hue(channels: tuple[int, ...]) -> int | None:
    if max(channels) - min(channels) < _LEAST_SATURATION:
        return None
    red, green, blue = (channel / 255 for channel in channels)
    angle = 360 * rgb_to_hsv(red, green, blue)[0]
    return next((name for end, name in _HUES if angle < end), RED)
