"""The sixteen colours that every terminal has, chosen for a foreground and its background together.

The nearest of sixteen colours is often the wrong one: a calm dark theme becomes black on black,
and red, yellow and green as pastels all become white. Here a colour keeps its hue, and its
brightness is the one that stands out from the background.
"""

from __future__ import annotations

from colorsys import rgb_to_hsv

from rich.color import Color, ColorType

BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE = range(8)

_HUES = ((20, RED), (75, YELLOW), (165, GREEN), (200, CYAN), (265, BLUE), (330, MAGENTA))
"""Up to which angle a hue has a name; from the last one on it is red again."""
_FAINTEST_HUE = 40
"""Difference between the channels below which a colour is a grey."""
_DARK, _DIM, _LIGHT = 38, 128, 240
"""Brightest channel below which a grey ground is black, bright black, white; else bright white."""

_ON_LIGHT = {RED: RED, BLUE: BLUE, MAGENTA: MAGENTA, YELLOW: MAGENTA, CYAN: BLUE}
"""Yellow and cyan are as light as white on most terminals: what stands for them there."""
_MUTED, _FAINT = 160, 180
"""Brightest channel of a grey text on a dark ground below which it is dim, and of a line on white
above which it is faint."""


def sixteen(fg: Color | None, bg: Color | None) -> tuple[str, str]:
    """SGR codes of both: 30 to 37, 90 to 97, 40 to 47, 100 to 107, or 39 and 49."""
    ground = None if bg is None or bg.type is ColorType.DEFAULT else _ground(bg)
    ink = None if fg is None or fg.type is ColorType.DEFAULT else _ink(fg, ground)
    return (
        "39" if ink is None else str(ink + (30 if ink < 8 else 82)),
        "49" if ground is None else str(ground + (40 if ground < 8 else 92)),
    )


def _ground(colour: Color) -> int:
    if colour.type is ColorType.STANDARD and colour.number is not None:
        return colour.number
    channels = colour.get_truecolor()
    hue, top = _hue(channels), max(channels)
    if hue is not None:
        return hue + (8 if sum(channels) > 3 * _DIM else 0)
    if top < _DARK:
        return BLACK
    if top < _DIM:
        return BLACK + 8
    return WHITE if top < _LIGHT else WHITE + 8


def _ink(colour: Color, ground: int | None) -> int:
    if colour.type is ColorType.STANDARD and colour.number is not None:
        return colour.number
    channels = colour.get_truecolor()
    hue, top = _hue(channels), max(channels)
    if ground in (WHITE, WHITE + 8):
        if hue is not None:
            return _ON_LIGHT.get(hue, hue if ground == WHITE + 8 else BLACK)
        if top < _DIM // 2:
            return BLACK
        return WHITE if ground == WHITE + 8 and top > _FAINT else BLACK + 8
    if ground not in (None, BLACK):
        return _on_hue(hue, ground)
    if hue is not None:
        return hue + 8
    if top < _MUTED:
        return BLACK + 8
    return WHITE if top < _LIGHT else WHITE + 8


def _on_hue(hue: int | None, ground: int | None) -> int:
    """On a coloured or a grey ground only the extremes can be read, and the light hues."""
    if ground not in (RED, BLUE, MAGENTA, BLACK + 8):
        return BLACK
    return hue + 8 if hue in (YELLOW, GREEN, CYAN) and hue != ground else WHITE + 8


def _hue(channels: tuple[int, ...]) -> int | None:
    if max(channels) - min(channels) < _FAINTEST_HUE:
        return None
    red, green, blue = (channel / 255 for channel in channels)
    angle = 360 * rgb_to_hsv(red, green, blue)[0]
    return next((name for end, name in _HUES if angle < end), RED)
