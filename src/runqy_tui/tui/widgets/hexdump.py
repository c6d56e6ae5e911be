"""Bytes as a hex dump, line by line: offset, 16 bytes, and what is printable of them."""

from __future__ import annotations

from collections.abc import Iterator

ROW = 16
"""Bytes on one line."""

_SHOWN = "".join(chr(code) if 0x20 <= code < 0x7F else "." for code in range(256))


def hex_rows(data: bytes) -> int:
    """Count the lines of a dump."""
    return (len(data) + ROW - 1) // ROW


def text_column(size: int) -> int:
    """Character of each line at which the text of the bytes starts, in a dump of ``size`` bytes."""
    return _digits(size) + 2 + 3 * ROW + 2


def _digits(size: int) -> int:
    return max(4, len(f"{size:x}"))


def hex_line(data: bytes, row: int) -> str:
    """Line ``row`` of a dump: printable ASCII, of the same width for all full lines."""
    at = row * ROW
    part = data[at : at + ROW]
    pairs = f"{part[:8].hex(' ')}  {part[8:].hex(' ')}"
    return f"{at:0{_digits(len(data))}x}  {pairs:<48}  {''.join(_SHOWN[code] for code in part)}"


def hexdump(data: bytes) -> Iterator[str]:
    """Yield the lines of a dump."""
    return (hex_line(data, row) for row in range(hex_rows(data)))
