"""Themes and colours of profiles. Colour marks states, and a sign or text always goes with it."""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="runqy-dark",
    primary="#6ea8fe",
    secondary="#4f6d94",
    accent="#6ea8fe",
    warning="#e5b454",
    error="#f2646d",
    success="#7fbf7f",
    foreground="#c9d1d9",
    background="#0d1117",
    surface="#0d1117",
    panel="#161b22",
    dark=True,
    variables={
        "busy": "#6cb6ff",
        "muted": "#6e7681",
        "border": "#30363d",
        "border-blurred": "#30363d",
        "block-cursor-background": "#1f6feb",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#21262d",
        "footer-background": "#161b22",
        "footer-key-foreground": "#6ea8fe",
        "scrollbar": "#30363d",
        "scrollbar-background": "#0d1117",
        "scrollbar-corner-color": "#0d1117",
    },
)

LIGHT = Theme(
    name="runqy-light",
    primary="#0b57d0",
    secondary="#5b6f8a",
    accent="#0b57d0",
    warning="#9a6700",
    error="#cf222e",
    success="#1a7f37",
    foreground="#1f2328",
    background="#ffffff",
    surface="#ffffff",
    panel="#f3f5f7",
    dark=False,
    variables={
        "busy": "#0969da",
        "muted": "#7d8590",
        "border": "#d0d7de",
        "border-blurred": "#d0d7de",
        "block-cursor-background": "#0969da",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#e6eaef",
        "footer-background": "#f3f5f7",
        "footer-key-foreground": "#0b57d0",
        "scrollbar": "#d0d7de",
        "scrollbar-background": "#ffffff",
        "scrollbar-corner-color": "#ffffff",
    },
)

DEFAULT_VARIABLES = {"busy": "#6cb6ff", "muted": "#808080"}
"""Values of our own variables under themes that are not ours."""

PROFILE_COLOURS = {
    "red": "#c62828",
    "orange": "#d9730d",
    "yellow": "#e0b000",
    "green": "#2e8b3d",
    "cyan": "#128a94",
    "blue": "#1f6feb",
    "purple": "#8250df",
    "pink": "#c94a9a",
    "grey": "#6e7681",
}
"""Colours by the names that a profile may use, the same under every theme."""

_TINT = 0.2
"""Opacity of a profile's colour on a whole line: noticeable, with the text still legible."""


def badge_style(colour: str) -> str:
    """Return the style of a badge in a profile's colour, a name or ``#rrggbb``."""
    back = profile_colour(colour)
    return f"bold {_text_on(back)} on {back.hex}"


def tint_of(colour: str) -> Color:
    """Return the translucent colour of a whole line in a profile's colour."""
    return profile_colour(colour).with_alpha(_TINT)


def profile_colour(colour: str) -> Color:
    """Return the colour of a profile, by name or ``#rrggbb``."""
    return Color.parse(PROFILE_COLOURS.get(colour, colour))


def _text_on(back: Color) -> str:
    """Return black or white, whichever has more contrast."""
    white = Color.parse("#ffffff")
    black = Color.parse("#000000")
    return (white if _contrast(white, back) >= _contrast(black, back) else black).hex


def _contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio as WCAG defines it, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    channels = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    red, green, blue = channels
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
