"""In which line of a TOML file a key stands: :mod:`tomllib` does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any


def line_of(text: str, rule: int, key: str | None = None) -> int | None:
    """Line (from 1) of a key of the rule with this index, or of its ``[[rule]]``."""
    index, start = -1, None
    for line, found in _statements(text):
        tables = found.get("rule")
        if isinstance(tables, list):
            index += len(tables)
            if index >= rule and start is None:
                start = line
                if key is None or any(tables):  # written inline: all of it is one statement
                    return line
            elif start is not None:
                return start
        elif index == rule and (key in found or _inside(tables, key)):
            return line
    return start


def top_line_of(text: str, key: str) -> int | None:
    """Line (from 1) of a key or table outside of every rule."""
    return next((line for line, found in _statements(text) if key in found), None)


def _inside(table: Any, key: str | None) -> bool:
    return isinstance(table, dict) and key in table


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Headers and keys of a valid file, each parsed alone, with its first line."""
    chunk, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not chunk:
            start = number
        chunk += line + "\n"
        try:
            found = tomllib.loads(chunk)
        except ValueError:
            continue  # a value of several lines: it ends further down
        chunk = ""
        if found:
            yield start, found
