"""A Python traceback, also one of which the middle was left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from runqy_tui.signatures.frames import Frame

CUT = "…"
"""The line that stands where the reader left out the middle of a long error."""

_HEADER = "Traceback (most recent call last)"
_FRAME = re.compile(r'\s+File "(?P<file>[^"\n]*)", line (?P<line>\d{1,9})(?:, in (?P<in>.+))?$')
_EXCEPTION = re.compile(r"(?P<type>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::(?: (?P<text>.*))?)?$")
_MARGIN = re.compile(r"^ {1,40}[|+](?: |-+)?")
_LINKS = ("During handling of the above", "The above exception was")


@dataclass(slots=True)
class Traceback:
    """The last exception of a text. ``type`` is ``None`` where its line was cut away."""

    type: str | None = None
    message: str = ""
    frames: list[Frame] = field(default_factory=list)

    @property
    def frame(self) -> Frame | None:
        """The innermost own frame; where there is none, the innermost."""
        own = (frame for frame in reversed(self.frames) if frame.own)
        return next(own, self.frames[-1] if self.frames else None)


def parse(text: str) -> Traceback | None:
    """Read the last traceback of a text; ``None`` where it holds none."""
    lines = text.splitlines()
    if not any(_HEADER in line or _FRAME.match(line) for line in lines):
        return None
    if "Exception Group" in text:
        lines = [_MARGIN.sub("", line) for line in lines]
    reading = _Reading()
    for line in lines:
        reading.take(line)
    return reading.found


class _Reading:
    """Goes through the lines; each new list of frames forgets the exception before it."""

    def __init__(self) -> None:
        self.found = Traceback()
        self._inside = False
        self._after_cut = False
        self._partial = False
        self._awaits_message = False

    def take(self, line: str) -> None:
        partial, self._partial = self._partial, False
        if line == CUT:
            self._after_cut = self._partial = True
        elif _HEADER in line:
            self._begin()
        elif match := _FRAME.match(line):
            if not self._inside:
                self._begin()
            self.found.frames.append(Frame(match["file"], int(match["line"]), match["in"]))
        elif self._inside and not partial and line[:1].strip():
            self._end(line)
        elif self._awaits_message and line.strip():
            self.found.message = line.strip()
            self._awaits_message = False

    def _begin(self) -> None:
        self.found = Traceback()
        self._inside = True
        self._awaits_message = False

    def _end(self, line: str) -> None:
        """An unindented line ends the frames: the exception, if it looks like one."""
        match = _EXCEPTION.match(line)
        if match is None or line.startswith(_LINKS) or (self._after_cut and not _proper(match)):
            return
        self.found.type = match["type"].removeprefix("__main__.")
        self.found.message = (match["text"] or "").strip()
        self._inside = False
        self._awaits_message = not self.found.message and line.rstrip().endswith(":")


def _proper(match: re.Match[str]) -> bool:
    """Whether a name is one of a class: after a cut, any line of a message may stand there."""
    return match["type"].rpartition(".")[2][:1].isupper()
