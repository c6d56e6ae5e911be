"""A strict reader of what a terminal gets: everything that is not expected is a finding."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from collections.abc import Collection

from tests.support.hostile import DISGUISED

SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    rb"|[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC
    rb"|[ -/]*[0-OQ-WYZ`-~])"
)
OWN = re.compile(
    rb"\x1b\[(?:\d*(?:;\d+)?H|\d*[ABCDGd]|[KJ]"  # places, and erasing from there on
    rb"|;?(?:\d+;)*\d*m"  # colours
    rb"|\?(?:7|25|1000|1002|1004|1006|1016|1049|2004|2026|2048)[hl]"
    rb"|\?20(?:26|48)\$p|>\d+u|<u|6n)"
    rb"|\x1b\]22;default\x07"  # the shape of the pointer
)
COPIED = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07")
ANNOUNCED = re.compile(rb"\x1b\]9;runqy: ([^\x07\x1b]{1,1000})\x07")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MOST_MARKS = 5
"""Marks in a row: more of them cost more than the character that carries them."""


def odd_text(text: str, controls: str = "") -> list[str]:
    """Characters that must not reach a terminal as text; ``controls`` are expected ones."""
    found = [c for c in text if unicodedata.category(c) in _UNSEEN and c not in controls]
    marks = re.findall(f"[\u0300-\u036f]{{{_MOST_MARKS + 1},}}", text)
    return found + marks


class Stream:
    """What came through a pty.

    Attributes:
        odd: sequences and characters that no part of the monitor sends, with their places.
        copied: what was written to the clipboard.
        announced: desktop notifications.
    """

    def __init__(self, raw: bytes) -> None:
        self.odd: list[tuple[int, object]] = []
        self.copied: list[bytes] = []
        self.announced: list[str] = []
        at = 0
        while at < len(raw):
            if raw[at] == 0x1B:
                at = self._sequence(raw, at)
            else:
                end = raw.find(b"\x1b", at)
                end = len(raw) if end < 0 else end
                self._text(raw[at:end], at)
                at = end

    def _sequence(self, raw: bytes, at: int) -> int:
        found = SEQUENCE.match(raw, at)
        if found is None:
            self.odd.append((at, raw[at : at + 20]))
            return at + 1
        whole = found.group()
        if copied := COPIED.fullmatch(whole):
            self.copied.append(b64decode(copied[1], validate=True))
        elif announced := ANNOUNCED.fullmatch(whole):
            self._text(announced[1], at)
            self.announced.append(announced[1].decode("utf-8", "replace"))
        elif OWN.fullmatch(whole) is None or whole in DISGUISED:
            self.odd.append((at, whole))
        return found.end()

    def _text(self, data: bytes, at: int) -> None:
        try:
            text = data.decode()  # strictly: what is no UTF-8 must not come through either
        except UnicodeDecodeError as error:
            self.odd.append((at + error.start, data[error.start : error.start + 20]))
            return
        self.odd += [(at, found) for found in odd_text(text, "\b\r\n")]

    def tame(self, *copied: bytes, announced: Collection[str] | None = ()) -> None:
        """Assert that only the monitor's own sequences came, and these texts were copied.

        ``announced`` is ``None`` where any notification may have come.
        """
        assert self.odd == [], self.odd[:5]
        assert self.copied == list(copied)
        assert announced is None or self.announced == list(announced)
