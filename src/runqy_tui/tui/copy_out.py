"""Copying to the operator's clipboard through the terminal (OSC 52)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from textual.app import App
from textual.content import Content

from runqy_tui.text.safe import encode
from runqy_tui.tui import safe_text

LIMIT_BYTES = 74_994
"""Largest text that common terminals accept in one OSC 52 (100,000 characters of base64)."""


def copy(app: App[Any], text: str | None) -> None:
    """Copy a text unchanged and notify; refuse one that the terminal would drop."""
    if not text:
        app.notify("Nothing selected to copy.", severity="warning")
        return
    data = encode(text)
    if len(data) > LIMIT_BYTES:
        app.notify(
            f"Too large to copy through the terminal: {len(data):,} bytes (limit "
            f"{LIMIT_BYTES:,}). w saves it to a file.",
            severity="warning",
        )
        return
    app.copy_to_clipboard(data.decode("utf-8", "replace"))
    shown = safe_text.fit(text, min(48, max(1, safe_text.width(safe_text.line(text[:200])))))
    # Content is not parsed as markup, whatever the name contains.
    app.notify(
        Content.assemble("Copied ", safe_text.content(shown.strip(), "bold")).plain, markup=False
    )


_UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 100


def save(app: App[Any], stem: str, ending: str, data: bytes) -> Path | None:
    """Write ``data`` to a new file in the current directory and notify; refuse to overwrite.

    Returns:
        The absolute path, or ``None`` if it could not be written.
    """
    name = _UNSAFE_CHARACTERS.sub("_", stem)[:_NAME_LIMIT].strip("._") or "runqy"
    for attempt in range(1, 1000):
        suffix = "" if attempt == 1 else f"-{attempt}"
        path = Path(f"{name}{suffix}.{ending}")
        try:
            _write(path, data)
        except FileExistsError:
            continue
        except OSError as error:
            app.notify(f"Not saved: {error.strerror}: {path}", severity="error", markup=False)
            return None
        path = path.absolute()
        app.notify(f"Saved {len(data):,} bytes to {safe_text.line(str(path))}", markup=False)
        return path
    app.notify(f"Not saved: too many files named {name}*.", severity="error", markup=False)
    return None


def _write(path: Path, data: bytes) -> None:
    file = path.open("xb")
    try:
        with file:  # a full disk may only show on closing
            file.write(data)
    except OSError:
        path.unlink()  # a partial file would be mistaken for the whole value
        raise
