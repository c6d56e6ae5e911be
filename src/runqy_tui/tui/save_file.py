"""Writing what a tab shows to a file of the operator's: only on request, never over another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from textual.app import App

from runqy_tui.tui import safe_text

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
