"""Replace what differs between two errors with the same cause by placeholders.

Every pattern starts at a boundary that a look-behind demands, and repeats possessively or within
bounds: the time is linear in the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TLDS = (
    "com|net|org|io|ai|dev|app|cloud|eu|uk|de|fr|jp|cn|gov|edu"
    "|local|localdomain|internal|lan|corp|intra|svc|example|invalid"
)
_STATUS = r"(?:http(?:/\d(?:\.\d)?)?|status|status[ _]code|errno|exit[ _](?:code|status)|signal)"
_UNITS = r"(?:ns|[µμu]s|ms|s|m|h|d|secs?|mins?|hrs?|seconds?|minutes?|hours?|days?|milliseconds?)"
_SIZES = r"(?:[kmgtp]i?b|bytes?|[kmgtp]ib?/s|b)"

_Replace = str | Callable[[re.Match[str]], str]


def _quoted(match: re.Match[str]) -> str:
    """Replace quoted text, but not the key of a mapping, which names the value."""
    if match["key"]:
        return match.group()
    return f"{match.group()[0]}…{match.group()[-1]}"


def _address(match: re.Match[str]) -> str:
    """Replace an IPv6 address; ``std::vector`` and ``12:30`` are none."""
    text = match.group()
    is_address = any(char.isdigit() for char in text) and text.count(":") > 1
    return "<host>" if is_address else text


def _path(match: re.Match[str]) -> str:
    return f"…/{match['name']}"


def _hexadecimal(match: re.Match[str]) -> str:
    """Replace long hexadecimal text; a plain number or a word of the letters a-f is no id."""
    text = match.group()
    if text.isdigit() or (text.isalpha() and len(text) < 16):
        return text
    return "<id>"


def _token(match: re.Match[str]) -> str:
    """Replace letters mixed with digits, as in random names and keys: ``tmpab12cd3f``."""
    text = match.group()
    runs = len(re.findall(r"\d+", text))
    letters = sum(char.isalpha() for char in text)
    return "<id>" if letters > 1 and ((runs > 1 and len(text) < 16) or runs > 2) else text


_RULES: tuple[tuple[re.Pattern[str], _Replace], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replace)
    for pattern, replace in (
        (
            r"(?P<key>[{,]\s{0,2}(?P<mark>[\"'])[^\"'\n]{1,64}(?P=mark)\s?:)"
            r'|(?<![\w\\])"(?:[^"\\\n]|\\.)*+"(?!\w)'
            r"|(?<![\w\\])'(?:[^'\\\n]|\\.)*+'(?!\w)"
            r"|`[^`\n]*+`|“[^”\n]*+”|«[^»\n]*+»|‘[^’\n]*+’",
            _quoted,
        ),
        (r"(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'()]++", "<url>"),
        (
            r"(?<![\d-])\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d++)?)?"
            r"(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])",
            "<time>",
        ),
        (r"(?<![\d:.])\d\d?:\d\d:\d\d(?:[.,]\d++)?(?![\d:])", "<time>"),
        (
            r"(?<![0-9a-z])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
            r"(?![0-9a-z])",
            "<id>",
        ),
        (r"(?<![0-9a-z])0x[0-9a-f]++", "<hex>"),
        (r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}", "<email>"),
        (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]\d)", "<host>"),
        (
            r"\[[0-9a-f:]{2,39}\](?::\d{1,5})?(?!\w)|(?<![\w:.])[0-9a-f]{0,4}::?[0-9a-f:]{1,39}(?![\w:.])",
            _address,
        ),
        (
            r"(?<![\w/\\.<…])(?:[a-z]:|~|\.{1,2})?[/\\](?:[\w.@+~-]++[/\\])++(?P<name>[\w.@+~-]*+)",
            _path,
        ),
        (
            rf"(?<![\w.<-])[a-z0-9][\w-]*+(?:\.[\w-]++)*?\.(?:{_TLDS})(?::\d{{1,5}})?(?![\w-]|\.\w)",
            "<host>",
        ),
        (r"(?<![\w.<-])(?:localhost|[a-z][a-z0-9]*+(?:-[a-z0-9]++)++)(?::\d{1,7})(?!\w)", "<host>"),
        (rf"(?<![\w.])(?:\d++(?:\.\d++)?{_UNITS}(?![a-z])){{1,6}}(?!\w)", "<duration>"),
        (rf"(?<![\w.])\d++(?:\.\d++)? {_UNITS}(?!\w)", "<duration>"),
        (r"(?<![0-9a-z])[0-9a-f]{8,}+(?![0-9a-z])", _hexadecimal),
        (r"(?<![0-9a-z])(?=[a-z]*\d)[0-9a-z]{8,}+(?![0-9a-z])", _token),
        (rf"(?<![\w.])\d++(?:\.\d++)? ?{_SIZES}(?!\w)", "<size>"),
        (
            rf"(?P<status>(?<![a-z]){_STATUS}[ :=]{{1,2}}(?=\d))(?P<kept>\d++)"
            r"|(?:(?<![\w<.])[+-])?\d++(?:[.,_]\d++)*+(?:e[+-]?\d++)?",
            lambda match: match.group() if match["status"] else "<n>",
        ),
        (r"(?<=<n>)(?:, ?<n>)++", ""),
        (r"\s++", " "),
    )
)


def normalised(text: str) -> str:
    """Return one line with ``<n>``, ``<id>``, ``<host>``… in place of what differs by case.

    Numbers that name a kind of failure stay: an HTTP status, an errno, an exit code, a signal.
    Of a path the file name is kept.
    """
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return text.strip()
