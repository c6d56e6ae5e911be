"""Copying to the operator's clipboard through the terminal (OSC 52)."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.content import Content

from runqy_tui.text.safe import encode
from runqy_tui.tui import safe_text

LIMIT_BYTES = 74_994
"""Most that common terminals take in one OSC 52 (100,000 characters of base64)."""


def copy(app: App[Any], what: str | None) -> None:
    """Copy a text as it is, and say so; nothing is copied that the terminal would drop."""
    if not what:
        app.notify("Nothing is selected, so nothing was copied.", severity="warning")
        return
    data = encode(what)
    if len(data) > LIMIT_BYTES:
        app.notify(
            f"Too long to copy through the terminal: {len(data):,} bytes, the limit is "
            f"{LIMIT_BYTES:,}. w writes it to a file.",
            severity="warning",
        )
        return
    app.copy_to_clipboard(data.decode("utf-8", "replace"))
    shown = safe_text.fit(what, min(48, max(1, safe_text.width(safe_text.line(what[:200])))))
    # As Content it is no markup, whatever the name is made of.
    app.notify(
        Content.assemble("Copied ", safe_text.content(shown.strip(), "bold")).plain, markup=False
    )
