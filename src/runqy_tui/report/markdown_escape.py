"""Untrusted text inside Markdown, escaped so that it is rendered as text.

Control characters are not the only danger in Markdown: pipes end a table's cell, backticks end
code, HTML is interpreted, ``@name`` and ``#1`` notify people and link issues on a forge.
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
    """Return one line of escaped text, for anywhere but inside code."""
    return _MARKS.sub(_mark, safe_line(text).strip())


def code(text: str) -> str:
    """Return one line in code style, for names, ids, keys and values."""
    safe = safe_line(text)
    if not safe:
        return "(empty)"
    if _AWKWARD.search(safe):
        return f"<code>{_PUNCTUATION.sub(_entity, safe)}</code>"
    return f"`{safe}`"


def queue_code(key: QueueKey) -> str:
    """Return a queue's name in code style, marked where its keys have no braces."""
    return code(key.name) if key.braced else f"{code(key.name)} (no braces)"


def code_block(text: str) -> list[str]:
    """Return the lines of a fenced block; the fence is longer than any run of backticks inside."""
    safe = safe_block(text).rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(safe)), default=0))
    return [f"{fence}text", *safe.split("\n"), fence]


def markdown_table(
    head: list[str], rows: list[list[str]], right: frozenset[int] = frozenset()
) -> list[str]:
    """Return the lines of a table. Cells must have passed :func:`prose` or :func:`code`.

    ``right`` holds the indexes of right-aligned columns.
    """
    rule = ["---:" if index in right else "---" for index in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _mark(match: re.Match[str]) -> str:
    # A comment between sign and word: forges detect references even in entities.
    return _entity(match) + ("<!-- -->" if match["reference"] else "")


def _entity(match: re.Match[str]) -> str:
    return "".join(_NAMED.get(char, f"&#{ord(char)};") for char in match.group())
