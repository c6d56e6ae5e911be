"""Syntax highlighting of single lines.

Each line is highlighted by itself, so opening a large text costs only the visible lines. In a
Python traceback the kind of a line follows from its beginning; JSON laid out by
:mod:`runqy_tui.tui.screens.value_views` has no strings that span lines.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["plain", "json", "traceback", "hex", "log"]
Tone = Literal[
    "key", "string", "number", "literal", "path", "error", "warning", "dim", "match", "current"
]
TONES: tuple[Tone, ...] = (
    *("key", "string", "number", "literal", "path"),
    *("error", "warning", "dim", "match", "current"),
)
"""Each has a component class ``text--TONE``."""

LONGEST = 2_000
"""Longer lines, in characters, are not highlighted."""


class Span(NamedTuple):
    """Characters ``[start, end)`` of a line in one tone."""

    start: int
    end: int
    tone: Tone


_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<string>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<literal>\b(?:true|false|null|NaN|-?Infinity)\b)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
)
_TRACEBACK = re.compile(
    r"^\s*(?P<dim>Traceback \(most recent call last\):|(?:During handling|The above exception) .*"
    r"|\[Previous line repeated .*)$"
    r'|^\s+File (?P<path>".*?"(?:, line \d+)?)'
    r"|^[\s|+-]*(?P<error>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|"
    r"Timeout|Failure|Group|Cancelled)\w*(?::.*)?)$"
    r"|^(?P<warning>[\s|]*[~^]+)$"
)
_LOG = re.compile(
    r"\b(?:(?P<error>ERROR|CRITICAL|FATAL|PANIC|panic|Traceback)"
    r"|(?P<warning>WARN(?:ING)?)|(?P<dim>DEBUG|TRACE))\b"
)
_HEX = re.compile(r"^(?P<dim>[0-9a-f]+)  ")
_PATTERNS = {"json": _JSON, "traceback": _TRACEBACK, "log": _LOG, "hex": _HEX}


def highlight_spans(kind: Kind, text: str) -> tuple[Span, ...]:
    """Return the highlighted spans of a line, in order of the text; none on overlong lines."""
    pattern = _PATTERNS.get(kind)
    if pattern is None or len(text) > LONGEST:
        return ()
    tones = [tone for tone in TONES if tone in pattern.groupindex]
    return tuple(
        Span(*match.span(tone), tone)
        for match in pattern.finditer(text)
        for tone in tones
        if match.start(tone) >= 0
    )
