"""A line to type into. What is pasted may come from anywhere, so it passes the door as well."""

from __future__ import annotations

from textual.widgets import Input

from runqy_tui.tui import safe_text


class TextEntry(Input):
    """An input whose value is always safe to draw: Textual draws it as it is."""

    def validate_value(self, value: str) -> str:
        """Turn control characters into pictures, as everywhere else."""
        return safe_text.line(value)

    def on_focus(self) -> None:
        """A cursor that blinks is an animation too: it sends something twice a second."""
        self.cursor_blink = self.app.animation_level != "none"
