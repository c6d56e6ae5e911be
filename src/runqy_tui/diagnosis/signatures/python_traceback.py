"""Places in code as error texts name them: Python tracebacks, and stacks of other languages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from runqy_tui.diagnosis.signatures.normalise import normalised

_FOREIGN = re.compile(
    r"(?:site|dist)-packages[/\\]|[/\\]runqy_python[/\\]|[/\\]python\d+(?:\.\d+)*[/\\]"
    r"|[/\\]lib[/\\](?:asyncio|concurrent|multiprocessing|json|urllib|http)[/\\]"
    r"|[/\\]node_modules[/\\]|^node:|[/\\]go[/\\](?:src|pkg)[/\\]|[/\\]rustc[/\\]",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"(?<![\w./\\@:-])(?P<file>[\w./\\@:-]{1,300}?\.(?:go|js|mjs|cjs|ts|tsx|rs|java|kt|rb|php|cc?|cpp|cu|py))"
    r":(?P<line>\d{1,7})(?!\d)"
)
_PACKAGES = re.compile(r"^.*(?:site|dist)-packages[/\\]")


@dataclass(frozen=True, slots=True)
class StackFrame:
    """A place in code. ``own``: not of an installed package, the worker or a language's library."""

    file: str
    line: int | None = None
    function: str | None = None

    @property
    def own(self) -> bool:
        """Whether the place is in the user's code."""
        return not (self.file.startswith("<") or _FOREIGN.search(self.file))

    @property
    def place(self) -> str:
        """File and function without the line, which changes when code around it moves."""
        return self._told(short_file(self.file))

    def __str__(self) -> str:
        name = short_file(self.file)
        return self._told(name if self.line is None else f"{name}:{self.line}")

    def _told(self, name: str) -> str:
        return name if self.function is None else f"{name} in {self.function}"


def short_file(path: str) -> str:
    """Shorten a path to two parts, or from a package on: folders differ by machine."""
    if _PACKAGES.search(path):
        return _PACKAGES.sub("", path)
    *folders, name = re.split(r"[/\\]", path)
    return f"{normalised(folders[-1])}/{name}" if folders and folders[-1] else name


def generic_frame(lines: list[str]) -> StackFrame | None:
    """Return the first place ``file:line`` of a stack of Go, JavaScript…, own code first."""
    first = None
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        frame = StackFrame(match["file"], int(match["line"]))
        if frame.own:
            return frame
        first = first or frame
    return first


CUT = "…"
"""The line in place of the middle of a long error, which the reader leaves out."""

_HEADER = "Traceback (most recent call last)"
_FRAME = re.compile(r'\s+File "(?P<file>[^"\n]*)", line (?P<line>\d{1,9})(?:, in (?P<in>.+))?$')
_EXCEPTION = re.compile(r"(?P<type>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::(?: (?P<text>.*))?)?$")
_MARGIN = re.compile(r"^ {1,40}[|+](?: |-+)?")
_LINKS = ("During handling of the above", "The above exception was")


@dataclass(slots=True)
class Traceback:
    """The last exception of a text. ``type`` is ``None`` if its line was cut off."""

    type: str | None = None
    message: str = ""
    frames: list[StackFrame] = field(default_factory=list)

    @property
    def frame(self) -> StackFrame | None:
        """The innermost frame of the user's code, else the innermost of all."""
        own = (frame for frame in reversed(self.frames) if frame.own)
        return next(own, self.frames[-1] if self.frames else None)


def parse(text: str) -> Traceback | None:
    """Parse the last traceback of a text; ``None`` if it holds none."""
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
    """Parses line by line; each new list of frames drops the exception before it."""

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
            self.found.frames.append(StackFrame(match["file"], int(match["line"]), match["in"]))
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
        """End the frames at an unindented line, which is the exception if it has its form."""
        match = _EXCEPTION.match(line)
        if match is None or line.startswith(_LINKS) or (self._after_cut and not _proper(match)):
            return
        self.found.type = match["type"].removeprefix("__main__.")
        self.found.message = (match["text"] or "").strip()
        self._inside = False
        self._awaits_message = not self.found.message and line.rstrip().endswith(":")


def _proper(match: re.Match[str]) -> bool:
    """Return whether a name can be a class's: after a cut, any line may stand there."""
    return match["type"].rpartition(".")[2][:1].isupper()
