"""Textual's footer, without what it leaves behind."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer


class KeysFooter(Footer):
    """The live keys of the screen in one line.

    Textual's own makes its keys anew whenever they may have changed, binds each to itself, and
    lets none of them go: hours of use would fill the memory with keys of the past.
    """

    def compose(self) -> ComposeResult:
        """Let go of the keys that are no longer there, and make the new ones."""
        self.mutate_reactive(Footer.compact)
        yield from super().compose()
