"""Crash report: the traceback of an internal error, written to a log file."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import platformdirs

from runqy_tui import __version__
from runqy_tui.text.safe import safe_block


def write_report(error: BaseException) -> Path | None:
    """Write the traceback to a log file, without values of variables: they may hold secrets.

    Returns:
        The file, or ``None`` if it could not be written.
    """
    text = "".join(traceback.format_exception(error))
    try:
        folder = platformdirs.user_log_path("runqy-tui", ensure_exists=True)
        path = folder / time.strftime("crash-%Y%m%d-%H%M%S.txt", time.gmtime())
        path.write_text(f"runqy-tui {__version__}\n{safe_block(text)}", encoding="utf-8")
    except OSError:
        return None
    return path
