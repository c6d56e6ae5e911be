"""JSON laid out for reading, with every token exactly as it was written."""

from __future__ import annotations

import json
import re

LIMIT = 1_048_576
"""Characters of JSON that are laid out; what is longer is shown as it came."""

_MAX_DEPTH = 100
_MAX_GROWTH = 8
_INDENT = "  "
_OPENING = frozenset("[{")
_CLOSING = frozenset("]}")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:]|[^][{},:"\s]+', re.DOTALL)


def pretty_json(text: str, limit: int = LIMIT) -> str | None:
    """Indent JSON without changing anything in it; ``None`` if it cannot be done.

    The spelling of numbers, duplicate keys, escapes and the order stay as they are, so that what
    is read is what the program wrote. It cannot be done if the text is no JSON for Python's own
    scanner (which also takes ``NaN`` and ``Infinity``, as Python programs write them), is longer
    than ``limit`` characters, is nested deeper than 100, or would grow past 8 times ``limit``.
    The cost is linear in the length.
    """
    if len(text) > limit or not _is_json(text):
        return None
    return _indent(_TOKEN.findall(text), _MAX_GROWTH * limit)


def _is_json(text: str) -> bool:
    try:
        # Numbers stay text: Python refuses to make an int of more than 4,300 digits.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return False
    return True


def _indent(tokens: list[str], room: int) -> str | None:
    """Join the tokens of valid JSON with line breaks; ``None`` if too deep or too large."""
    breaks = ["\n" + _INDENT * depth for depth in range(_MAX_DEPTH + 1)]
    parts: list[str] = []
    depth = 0
    opened = False
    for mark in tokens:
        if mark in _CLOSING:
            depth -= 1
            if not opened:
                parts.append(breaks[depth])
                room -= len(breaks[depth])
        elif opened:
            parts.append(breaks[depth])
            room -= len(breaks[depth])
        opened = mark in _OPENING
        if opened:
            depth += 1
        if depth > _MAX_DEPTH or room < 0:
            return None
        parts.append(mark)
        if mark == ",":
            parts.append(breaks[depth])
            room -= len(breaks[depth])
        elif mark == ":":
            parts.append(" ")
        room -= len(mark) + 1
    return "".join(parts)
