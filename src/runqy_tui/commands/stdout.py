"""Standard output of the one-shot commands: text, JSON and tables, without a terminal library."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence

from runqy_tui.model.errors import OutputError
from runqy_tui.text import terminal_encoding
from runqy_tui.text.safe import few_marks, safe_line

_CELL_LIMIT = 48


def emit(what: object) -> None:
    """Write text, or an object as JSON, to standard output.

    Raises:
        OutputError: standard output is closed, or its disk is full.
        BrokenPipeError: its reader has closed it.
    """
    if sys.stdout is None:
        raise OutputError("Standard output is closed.")
    if isinstance(what, str):
        encoding = sys.stdout.encoding
        if sys.stdout.isatty():
            encoding = terminal_encoding.of_terminal(encoding, os.environ)
        text = terminal_encoding.for_encoding(few_marks(what), encoding)
    else:
        text = json.dumps(what, indent=2, allow_nan=False)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from None


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    empty: str,
    limit: int = _CELL_LIMIT,
    right: frozenset[int] = frozenset(),
) -> str:
    """Lay out rows under their headings, each cell made safe and at most ``limit`` long.

    ``right`` holds the indexes of right-aligned columns. Returns ``empty`` where there is no row.
    """
    body = [[_cut(safe_line(cell), limit) for cell in row] for row in rows]
    if not body:
        return empty
    widths = [max(_cells(row[i]) for row in (head, *body)) for i in range(len(head))]
    return "\n".join(
        "  ".join(_pad(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip()
        for row in (head, *body)
    )


def _cells(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * max(0, width - _cells(text))
    return space + text if right else text + space
