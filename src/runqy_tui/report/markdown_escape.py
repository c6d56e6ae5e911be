"""Untrusted text inside Markdown: it stays text, wherever it stands.

Markdown has more ways out than control characters: pipes end a table's cell, backticks end code,
HTML is HTML, ``@name`` and ``#1`` call people and issues where a report is pasted.
"""

from __future__ import annotations

import re

from runqy_tui.model import QueueKey
from runqy_tui.text.safe import safe_block, safe_line

_AWKWARD = re.compile(r"[`|\\&<>]|^\s|\s$")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_MARKS = re.compile(
    r"[\\`*\[\]<>|~&$^]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|(?<=WWW)\.|(?P<reference>[@#](?=\w))|#"
    r"|^(?:[-+=!:]|\d{1,9}[.)](?=\s|$))"
)
_NAMED = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_TICKS = re.compile(r"`+")


def prose(text: str) -> str:
    """One line of plain text, for anywhere but inside code."""
    return _MARKS.sub(_mark, safe_line(text).strip())


def code(text: str) -> str:
    """One line in code style: names, ids, keys, values."""
    safe = safe_line(text)
    if not safe:
        return "(empty)"
    if _AWKWARD.search(safe):
        return f"<code>{_PUNCTUATION.sub(_entity, safe)}</code>"
    return f"`{safe}`"


def queue(key: QueueKey) -> str:
    """A queue's name, and whether its keys lack braces."""
    return code(key.name) if key.braced else f"{code(key.name)} (no braces)"


def block(text: str) -> list[str]:
    """Lines of a fenced block, with a fence longer than any run of backticks inside."""
    safe = safe_block(text).rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(safe)), default=0))
    return [f"{fence}text", *safe.split("\n"), fence]


def table(head: list[str], rows: list[list[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Lines of a table; the cells have passed :func:`prose` or :func:`code`."""
    rule = ["---:" if index in right else "---" for index in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _mark(match: re.Match[str]) -> str:
    # A comment between sign and word: entities alone do not keep a forge from seeing a reference.
    return _entity(match) + ("<!-- -->" if match["reference"] else "")


def _entity(match: re.Match[str]) -> str:
    return "".join(_NAMED.get(char, f"&#{ord(char)};") for char in match.group())
