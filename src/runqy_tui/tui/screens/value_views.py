"""How payloads, results, errors and raw fields are shown: as JSON, traceback, text or hex."""

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
"""Longest JSON that is indented, in characters; a longer one is shown as it is."""

_MAX_DEPTH = 100
_MAX_GROWTH = 8
_INDENT = "  "
_OPENING = frozenset("[{")
_CLOSING = frozenset("]}")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:]|[^][{},:"\s]+', re.DOTALL)


def pretty_json(text: str, limit: int = LIMIT) -> str | None:
    """Return the JSON indented, with every token as it was written; ``None`` if impossible.

    Number notation, duplicate keys, escapes and order are kept, so that the operator reads what
    the program wrote. It is impossible if Python's JSON scanner rejects the text (it accepts
    ``NaN`` and ``Infinity``, as Python programs write them), if the text is longer than ``limit``
    characters or nested deeper than 100, or if it would grow past 8 times ``limit``. The cost is
    linear in the length.
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


def _indent(symbols: list[str], room: int) -> str | None:
    """Join the symbols of valid JSON with line breaks; ``None`` if too deep or beyond ``room``."""
    breaks = ["\n" + _INDENT * depth for depth in range(_MAX_DEPTH + 1)]
    parts: list[str] = []
    depth = 0
    opened = False
    for symbol in symbols:
        if symbol in _CLOSING:
            depth -= 1
            if not opened:
                parts.append(breaks[depth])
                room -= len(breaks[depth])
        elif opened:
            parts.append(breaks[depth])
            room -= len(breaks[depth])
        opened = symbol in _OPENING
        if opened:
            depth += 1
        if depth > _MAX_DEPTH or room < 0:
            return None
        parts.append(symbol)
        if symbol == ",":
            parts.append(breaks[depth])
            room -= len(breaks[depth])
        elif symbol == ":":
            parts.append(" ")
        room -= len(symbol) + 1
    return "".join(parts)


_RAW_LIMIT = 4_096


def show_blob(view: TextView, blob: Blob | None, placeholder: str) -> None:
    """Show a value: JSON indented, a traceback coloured, binary data as hex.

    ``placeholder`` is shown where there is no value.
    """
    if blob is None:
        view.set_text(placeholder, kind="plain", wrap=True)
        return
    if not blob.size:
        view.set_text("Empty (0 bytes).", kind="plain", wrap=True)
        return
    if blob.size and not blob.data:
        view.set_text(
            f"{size(blob.size)}, not read: reading a part of it needs EVAL_RO, which the server "
            "refuses.",
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
    """Show every field of the task's hash: text unchanged, binary data as hex."""
    parts = []
    for name in sorted(fields):
        blob = fields[name]
        shown = blob.data[:_RAW_LIMIT]
        cut = f", first {size(len(shown))} shown" if len(shown) < blob.size else ""
        parts.append(f"{safe_line(name)} ({size(blob.size)}{cut})")
        text = as_text(Blob(shown, blob.size))
        parts.append(_hex(shown) if text is None or name == "msg" else text)
        parts.append("")
    view.set_text("\n".join(parts) or "No task hash.", kind="plain", wrap=True)


def _hex(data: bytes) -> str:
    from runqy_tui.tui.widgets.text_lines import hexdump

    return "\n".join(hexdump(data))


def ending(blob: Blob) -> str:
    """Return the file ending for a value: ``bin``, ``json`` or ``txt``."""
    text = as_text(blob)
    if text is None:
        return "bin"
    return "json" if not blob.truncated and pretty_json(text) is not None else "txt"
