"""JSON laid out for reading, with every token exactly as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from runqy_tui.model import Blob
from runqy_tui.model.json_schema import as_text
from runqy_tui.text.humanize import size
from runqy_tui.text.safe import safe_line
from runqy_tui.tui.widgets.text_view import TextView

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


_RAW_LIMIT = 4_096


def show_blob(view: TextView, blob: Blob | None, nothing: str) -> None:
    """Show a value: JSON indented, a traceback coloured, binary data as hex."""
    if blob is None:
        view.set_text(nothing, kind="plain", wrap=True)
        return
    if not blob.size:
        view.set_text("Empty: 0 bytes.", kind="plain", wrap=True)
        return
    if blob.size and not blob.data:
        view.set_text(
            f"{size(blob.size)}, not read: the server lets nobody read a part of it "
            "(EVAL_RO is refused).",
            kind="plain",
            wrap=True,
        )
        return
    text = as_text(blob)
    if text is None:
        view.set_text(blob.data, kind="hex")
        return
    if blob.truncated:
        head = f"First {size(len(blob.data))} of {size(blob.size)}:\n\n"
        view.set_text(head + text, kind="plain", wrap=True)
        return
    if "Traceback (most recent call last)" in text:
        view.set_text(text, kind="traceback", wrap=True)
        return
    pretty = pretty_json(text) if text.lstrip()[:1] in ("{", "[", '"') else None
    if pretty is not None:
        view.set_text(pretty, kind="json", wrap=True)
    else:
        view.set_text(text, kind="plain", wrap=True)


def show_raw(view: TextView, fields: Mapping[str, Blob]) -> None:
    """Show every field of the hash as it stands: text as it is, binary data as hex."""
    parts = []
    for name in sorted(fields):
        blob = fields[name]
        shown = blob.data[:_RAW_LIMIT]
        cut = f", first {size(len(shown))} shown" if len(shown) < blob.size else ""
        parts.append(f"{safe_line(name)} ({size(blob.size)}{cut})")
        text = as_text(Blob(shown, blob.size))
        parts.append(_hex(shown) if text is None or name == "msg" else text)
        parts.append("")
    view.set_text("\n".join(parts) or "There is no hash.", kind="plain", wrap=True)


def _hex(data: bytes) -> str:
    from runqy_tui.tui.widgets.text_lines import hexdump

    return "\n".join(hexdump(data))


def ending(blob: Blob) -> str:
    """File ending that fits the value."""
    text = as_text(blob)
    if text is None:
        return "bin"
    return "json" if not blob.truncated and pretty_json(text) is not None else "txt"
