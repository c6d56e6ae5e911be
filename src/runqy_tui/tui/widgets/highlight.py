"""Highlighting of single lines: which characters of a line carry which style.

Everything here looks at one line alone, so that opening a large text costs what is visible. In a
Python traceback the beginning of a line says what the line is; JSON that is laid out by
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
"""Each is the component class ``text--TONE``."""

LONGEST = 2_000
"""Characters of a line that is highlighted at all."""


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


def spans(kind: Kind, text: str) -> tuple[Span, ...]:
    """Find what stands out on a line; nothing on overlong ones."""
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
