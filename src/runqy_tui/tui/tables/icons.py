"""Signs that accompany every colour, and their replacements where the terminal has no UTF-8."""

from __future__ import annotations

import locale

from runqy_tui.model.severity import Severity
from runqy_tui.text.terminal_encoding import ASCII_SIGNS


def sign(severity: Severity) -> str:
    """Return the sign of a severity as this terminal can show it."""
    return displayable(severity.sign)


def displayable(text: str) -> str:
    """Return text with its signs in ASCII where the terminal has no UTF-8."""
    return text if _utf8() else text.translate(ASCII_SIGNS)


def _utf8() -> bool:
    return locale.getpreferredencoding(False).replace("-", "").lower() == "utf8"
