"""Untrusted text made safe to print, for every front end.

Queue names, ids, payloads, errors and logs are written by other programs. A raw ESC in them can
write the clipboard, clear the screen or retitle the window; bidi controls reorder the text; a lone
surrogate crashes the UTF-8 encoder. Each of them is replaced by a visible picture.
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
    if 0xDC80 <= code <= 0xDCFF:  # an invalid UTF-8 byte, kept by surrogateescape
        return f"‹{code - 0xDC00:02X}›"
    return f"‹{code:04X}›"


def safe_line(text: str) -> str:
    """Return one printable line; control characters, also tab and newline, become pictures."""
    if text.isprintable():
        return text
    return _visible(_UNSAFE.sub(_picture, text))


def safe_block(text: str, tab_size: int = 4) -> str:
    """Return printable text of several lines: newlines are kept, tabs become spaces."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return _visible(_UNSAFE_BLOCK.sub(_picture, text.expandtabs(tab_size)), keep="\n")


def _visible(text: str, keep: str = "") -> str:
    """Replace what the pattern does not cover: unassigned, private and rare format characters."""
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in keep or unicodedata.category(char) == "Zs"
        else f"‹{ord(char):04X}›"
        for char in text
    )


def few_marks(text: str) -> str:
    """Return safe text with excess combining marks as pictures: they would cover nearby lines."""
    if text.isascii():
        return text
    return _PILED_MARKS.sub(
        lambda found: found[1] + "".join(f"‹{ord(mark):04X}›" for mark in found[2]), text
    )


def decode(data: bytes) -> str:
    """Decode any bytes as UTF-8; invalid ones are kept as surrogates, shown as pictures later."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return exactly the bytes that :func:`decode` was given.

    Surrogates from elsewhere (JSON, for example) represent no bytes and become ``?``.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _FOREIGN.sub("?", text).encode("utf-8", "surrogateescape")
