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


_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 100


def save(app: App[Any], stem: str, ending: str, data: bytes) -> Path | None:
    """Write ``data`` to a new file in the current directory and say where, or why not."""
    name = _UNFIT.sub("_", stem)[:_NAME_LIMIT].strip("._") or "runqy"
    for attempt in range(1, 1000):
        suffix = "" if attempt == 1 else f"-{attempt}"
        path = Path(f"{name}{suffix}.{ending}")
        try:
            _write(path, data)
        except FileExistsError:
            continue
        except OSError as error:
            app.notify(f"Not written: {error.strerror}: {path}", severity="error", markup=False)
            return None
        path = path.absolute()
        app.notify(f"Wrote {len(data):,} bytes to {safe_text.line(str(path))}", markup=False)
        return path
    app.notify(f"Not written: too many files named {name}*.", severity="error", markup=False)
    return None


def _write(path: Path, data: bytes) -> None:
    file = path.open("xb")
    try:
        with file:  # a full disk may show as late as on closing
            file.write(data)
    except OSError:
        path.unlink()  # half a value would be taken for the whole
        raise
