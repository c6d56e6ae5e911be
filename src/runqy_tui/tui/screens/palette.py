"""The palette of commands."""

from __future__ import annotations

from textual.command import CommandPalette

from runqy_tui.tui.screens.settled import Settled


class Palette(Settled, CommandPalette):
    """Textual's own, at the present size of the terminal only."""
