"""The encoding of a terminal, and text reduced to it.

Under a C locale, or one that is not installed, Python assumes UTF-8. On a terminal with another
encoding that shows wrong characters, so an explicit ``LANG=C`` is taken literally.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

BLIND_TERMS = ("", "dumb", "unknown")
"""Values of ``TERM`` for terminals without cursor addressing."""

ASCII_SIGNS = str.maketrans(
    {"✖": "X", "●": "*", "○": "o", "–": "-", "·": ".", "…": "~", "±": "~", "→": ">"}
)
"""Replacements, for :meth:`str.translate`, of the signs this program writes."""


def for_encoding(text: str, encoding: str | None) -> str:
    """Return text that ``encoding`` can write: signs become ASCII, everything else ``?``.

    ``None`` and unknown encodings count as ASCII.
    """
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return text.translate(ASCII_SIGNS).encode("ascii", "replace").decode("ascii")
    return text


def is_guess(environ: Mapping[str, str], *, utf8_mode: bool) -> bool:
    """Whether Python assumes UTF-8 against an explicit locale that is not UTF-8.

    Without any locale in the environment, as in most containers, the assumption is reasonable.

    Args:
        environ: the process's environment; Python itself may have set its ``LC_CTYPE``.
        utf8_mode: whether Python overrides the locale.
    """
    named = environ.get("LC_ALL") or environ.get("LANG") or ""
    overridden = environ.get("PYTHONUTF8") == "1" or environ.get("PYTHONIOENCODING")
    return bool(utf8_mode and named and "utf" not in named.lower() and not overridden)


def of_terminal(encoding: str, environ: Mapping[str, str]) -> str:
    """Return the encoding for a terminal, given the one that Python has chosen."""
    return "ascii" if is_guess(environ, utf8_mode=bool(sys.flags.utf8_mode)) else encoding
