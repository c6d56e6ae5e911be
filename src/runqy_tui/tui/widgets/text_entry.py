"""An input field. Pasted text is untrusted, so it is made safe as well."""

from __future__ import annotations

from textual.widgets import Input

from runqy_tui.tui import safe_text


class TextEntry(Input):
    """An input whose value is always safe to draw; Textual would draw control characters."""

    def validate_value(self, value: str) -> str:
        """Replace control characters by visible pictures."""
        return safe_text.line(value)

    def on_focus(self) -> None:
        """Blink only if animations are on: it sends output twice a second."""
        self.cursor_blink = self.app.animation_level != "none"
