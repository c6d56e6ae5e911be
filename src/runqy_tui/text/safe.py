"""Untrusted text made safe to print: the one rule that every front end uses.

Queue names, ids, payloads, errors and logs are written by other people's programs. A raw ESC in
them can write the clipboard, clear the screen or retitle the window; bidi controls reorder what
is read; a lone surrogate crashes the UTF-8 writer. Here each becomes a visible picture.
"""

from __future__ import annotations

import re
import unicodedata

_PICTURES: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20)}
_PICTURES[0x7F] = "␡"
_PICTURES |= {code: f"‹{code:02X}›" for code in range(0x80, 0xA0)}
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # bidi, separators, zero width
    "\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e00ff"  # tags
    "]"
)
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILED_MARKS = re.compile(f"({_MARK}{{4}})({_MARK}+)")
_FOREIGN = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_UNSAFE_BLOCK = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    picture = _PICTURES.get(code)
    if picture is not None:
        return picture
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, kept by surrogateescape
        return f"‹{code - 0xDC00:02X}›"
    return f"‹{code:04X}›"


def safe_line(text: str) -> str:
    """Return one printable line: every control character, tab and newline too, is a picture."""
    if text.isprintable():
        return text
    return _visible(_UNSAFE.sub(_picture, text))


def safe_block(text: str, tab_size: int = 4) -> str:
    """Return printable text of several lines: newlines stay, tabs become spaces."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return _visible(_UNSAFE_BLOCK.sub(_picture, text.expandtabs(tab_size)), keep="\n")


def _visible(text: str, keep: str = "") -> str:
    """Catch what the pattern does not name: unassigned, private and exotic format characters."""
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in keep or unicodedata.category(char) == "Zs"
        else f"‹{ord(char):04X}›"
        for char in text
    )


def few_marks(text: str) -> str:
    """Return safe text with piled-up combining marks as pictures: they would hide what is near."""
    if text.isascii():
        return text
    return _PILED_MARKS.sub(
        lambda found: found[1] + "".join(f"‹{ord(mark):04X}›" for mark in found[2]), text
    )


def decode(data: bytes) -> str:
    """Decode any bytes; what is no UTF-8 survives as surrogates that turn into pictures."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Give back exactly the bytes that :func:`decode` was given.

    Surrogates that did not come from :func:`decode` (from JSON, say) have no bytes of their own
    and become ``?``.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _FOREIGN.sub("?", text).encode("utf-8", "surrogateescape")
