"""Sanitizes untrusted text before any widget shows it; nothing else does.

All text from Redis passes through here: control characters become visible
pictures (:mod:`runqy_tui.text.safe`), nothing is ever read as markup, and every text has a width
in cells that terminals agree on.
"""

from __future__ import annotations

import re
from typing import Literal

from rich.cells import cell_len, get_character_cell_size
from textual.content import Content

from runqy_tui.text.safe import safe_block, safe_line

Align = Literal["left", "right"]
Keep = Literal["start", "end"]

ELLIPSIS = "…"
_MARKS_PER_CHARACTER = 4
# Ranges without marks, where most text of most languages lies: a shortcut, not a rule.
_MARKLESS = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u1e00-\u1fff\u2010-\u2027\u2030-\u205f\u2100-\u2bff"
    "\u3000-\u3029\u3030-\u3098\u309b-\u3163\u3165-\ua66e\uac00-\ud7a3\uff01-\uff9d\U0001f300-\U0001f3fa]*"
)
_VARIATION_SELECTORS = str.maketrans("", "", "\ufe0e\ufe0f")


def line(text: str) -> str:
    """Return one safe line: every control character, tab and newline too, is a picture."""
    return _limit_marks(safe_line(text))


def block(text: str) -> str:
    """Return safe text of several lines: newlines are kept, tabs become spaces."""
    return _limit_marks(safe_block(text))


def content(text: str, style: str = "") -> Content:
    """Return one safe line as :class:`~textual.content.Content`; ``[`` is not markup."""
    return Content.styled(line(text), style) if style else Content(line(text))


def content_block(text: str, style: str = "") -> Content:
    """Like :func:`content`, with newlines kept."""
    return Content.styled(block(text), style) if style else Content(block(text))


def width(text: str) -> int:
    """Return the width in cells of text that was made safe here."""
    return len(text) if text.isascii() else cell_len(text)


def fit(
    text: str, cells: int, align: Align = "left", *, keep: Keep = "start", mark: str = ELLIPSIS
) -> str:
    """Return ``text``, made safe, in exactly ``cells`` cells.

    Longer text is cut and ends in ``mark`` (one cell wide); ``keep="end"`` cuts on the left
    instead, for texts that differ at their end. A wide character that would exceed the last cell
    by half is replaced by a space. The cost depends on ``cells``, not on the length of the text.
    """
    if cells <= 0:
        return ""
    # Nothing beyond this is visible, even with many zero-width characters.
    limit = 8 * cells + 64
    cut = len(text) > limit
    if cut:
        text = text[:limit] if keep == "start" else text[-limit:]
    safe = line(text)
    used = width(safe)
    if cut or used > cells:
        safe = _cut(safe, cells - 1, keep)
        used = width(safe) + 1
        safe = safe + mark if keep == "start" else mark + safe
    pad = " " * (cells - used)
    return pad + safe if align == "right" else safe + pad


def split_cells(text: str, cells: int) -> list[str]:
    """Cut safe text into pieces of at most ``cells`` cells (at least one character each)."""
    if cells <= 0:
        return [text]
    if 2 * len(text) <= cells:
        return [text]
    if text.isascii():
        return [text[at : at + cells] for at in range(0, len(text), cells)] or [""]
    pieces: list[str] = []
    start = used = 0
    for at, char in enumerate(text):
        size = get_character_cell_size(char)
        if used + size > cells and at > start:
            pieces.append(text[start:at])
            start, used = at, 0
        used += size
    pieces.append(text[start:])
    return pieces


def wrap(text: str, cells: int) -> list[str]:
    """Cut safe text into lines of at most ``cells`` cells, behind a space where there is one."""
    lines: list[str] = []
    while True:
        head = _cut(text, max(1, cells), "start") or text[:1]
        if len(head) == len(text):
            return [*lines, head]
        if text[len(head)] != " ":
            head = head[: head.rfind(" ") + 1] or head
        lines.append(head)
        text = text[len(head) :]


def _cut(text: str, cells: int, keep: Keep) -> str:
    """Return as many whole characters with their marks as fit into ``cells``."""
    if text.isascii():
        return (text[:cells] if keep == "start" else text[len(text) - cells :]) if cells else ""
    used = 0
    if keep == "start":
        for at, char in enumerate(text):
            used += get_character_cell_size(char)
            if used > cells:
                return text[:at]
        return text
    start = len(text)
    for at in range(len(text) - 1, -1, -1):
        size = get_character_cell_size(text[at])
        used += size
        if used > cells:
            break
        if size:  # a mark alone would combine with the text before it
            start = at
    return text[start:]


def _limit_marks(text: str) -> str:
    """Show excess combining marks as pictures, and drop variation selectors.

    Terminals disagree on the width that a variation selector requests, and a thousand marks on
    one letter would cost a thousand characters in a single cell.
    """
    if text.isascii() or _MARKLESS.fullmatch(text):
        return text
    text = text.translate(_VARIATION_SELECTORS)
    parts: list[str] = []
    marks = _MARKS_PER_CHARACTER  # nothing to carry a mark yet
    for char in text:
        if char == "\n":
            marks = _MARKS_PER_CHARACTER
        elif get_character_cell_size(char):
            marks = 0
        else:
            marks += 1
            if marks > _MARKS_PER_CHARACTER:
                parts.append(f"‹{ord(char):04X}›")
                continue
        parts.append(char)
    return "".join(parts)
