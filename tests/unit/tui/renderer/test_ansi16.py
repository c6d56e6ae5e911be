"""The 16 ANSI colours: every hue is kept, and text is legible on its background."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.color import Color as Blended
from textual.theme import Theme

from runqy_tui.tui.renderer.ansi16 import ansi16_codes
from runqy_tui.tui.renderer.style_encoder import StyleEncoder, style_change
from runqy_tui.tui.theme import DARK, LIGHT, PROFILE_COLOURS

_XTERM = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
    *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
)
READABLE = 2.1
"""Contrast that the worst pair has in xterm's colours; Rich's nearest colours have 1.0."""


def luminance(code: str) -> float:
    number = int(code) % 10 + (8 if int(code) >= 90 else 0)
    channels = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in _XTERM[number])
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def contrast(pair: tuple[str, str]) -> float:
    one, other = sorted((luminance(pair[0]), luminance(pair[1])))
    return (other + 0.05) / (one + 0.05)


def grounds(theme: Theme) -> list[Color]:
    """The background, the panels, and the cursor of a table with and without focus."""
    plain = Blended.parse(theme.background or "")
    cursors = [
        plain.blend(Blended.parse(theme.foreground or ""), 0.1),
        plain.blend(Blended.parse(theme.accent or ""), 0.3),
    ]
    return [Color.parse(c.hex) for c in (plain, Blended.parse(theme.panel or ""), *cursors)]


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_of_every_theme_can_be_read(theme: Theme) -> None:
    inks = [theme.foreground, theme.error, theme.warning, theme.success, theme.variables["muted"]]
    pairs = [
        ansi16_codes(Color.parse(ink or ""), ground) for ink in inks for ground in grounds(theme)
    ]
    assert len(pairs) == 20
    worst = min(pairs, key=contrast)
    assert contrast(worst) > READABLE, worst


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_severities_differ(theme: Theme) -> None:
    ground = grounds(theme)[0]
    inks = (theme.error, theme.warning, theme.success, theme.foreground, theme.variables["muted"])
    assert len({ansi16_codes(Color.parse(ink or ""), ground)[0] for ink in inks}) == 5


@pytest.mark.parametrize("name", PROFILE_COLOURS)
def test_a_badge_can_be_read(name: str) -> None:
    pair = ansi16_codes(Color.parse("#ffffff"), Color.parse(PROFILE_COLOURS[name]))
    assert contrast(pair) > READABLE, pair


def test_the_colours_of_the_terminal_itself_are_left_alone() -> None:
    assert ansi16_codes(None, None) == ("39", "49")
    assert ansi16_codes(Color.parse("default"), Color.parse("default")) == ("39", "49")
    assert ansi16_codes(Color.parse("bright_red"), Color.parse("blue")) == ("91", "44")


def test_any_style_becomes_one_of_the_16_colours() -> None:
    style_encoder = StyleEncoder(ColorSystem.STANDARD)
    some = [f"#{value:06x}" for value in range(0, 1 << 24, 262_139)] + ["color(208)", "red"]
    for fg, bg in zip(some, reversed(some), strict=True):
        cell_style = style_encoder.encode(Style.parse(f"bold {fg} on {bg}"))[0]
        assert int(cell_style.fg) in {*range(30, 38), *range(90, 98)}
        assert int(cell_style.bg) in {*range(40, 48), *range(100, 108)}
        assert "8;" not in style_change(None, cell_style)
