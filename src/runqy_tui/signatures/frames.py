"""Places in code as error texts name them: a Python traceback's frames, and others' lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runqy_tui.signatures.normalise import normalised

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
class Frame:
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
        """What of it stays the same when the code around moves: file and function, no line."""
        return self._told(short_file(self.file))

    def __str__(self) -> str:
        name = short_file(self.file)
        return self._told(name if self.line is None else f"{name}:{self.line}")

    def _told(self, name: str) -> str:
        return name if self.function is None else f"{name} in {self.function}"


def short_file(path: str) -> str:
    """The last two parts of a path, the whole from a package on: folders differ by machine."""
    if _PACKAGES.search(path):
        return _PACKAGES.sub("", path)
    *folders, name = re.split(r"[/\\]", path)
    return f"{normalised(folders[-1])}/{name}" if folders and folders[-1] else name


def generic_frame(lines: list[str]) -> Frame | None:
    """The first place ``file:line`` of a stack of Go, JavaScript and their like, own code first."""
    first = None
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        frame = Frame(match["file"], int(match["line"]))
        if frame.own:
            return frame
        first = first or frame
    return first
