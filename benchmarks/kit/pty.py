"""A terminal for measuring: ``ptybench.py``, which stands beside the repository.

It is a tool of its own and not copied here. ``PTYBENCH`` in the environment names another place.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.kit.report import ROOT

SIZE = (120, 40)
READY = r"(?s)(?=.*gpu-\d)(?=.*(?:\.default|queue\d))"
"""On a screen that shows workers and queues of the demo, or of a fleet of our own."""

_FULL = 0.95
_STEP_S = 0.01
_DEFAULTS: dict[str, Any] = {
    "size": SIZE,
    "term": "xterm-256color",
    "no_truecolor": False,
    "profile": "modern",
    "env": [],
    "quiet": 300.0,
    "start_timeout": 60.0,
    "warmup": 1.0,
    "ready_re": None,
    "duration": 8.0,
    "gap": 120.0,
    "keys": "",
    "key_idle": 80.0,
    "key_settle": 60.0,
    "key_timeout": 1_000.0,
    "quit": "",
    "rate": 0.0,
    "rtt": 0.0,
    "linkbuf": 65_536,
    "no_screen": False,
    "record": None,
}


def place() -> Path:
    """Where ``ptybench.py`` is expected."""
    named = os.environ.get("PTYBENCH")
    return Path(named) if named else ROOT.parent / "shared" / "tools" / "ptybench.py"


@cache
def ptybench() -> Any:
    """The tool as a module; one line and the end where it or pyte is not there."""
    path = place()
    spec = importlib.util.spec_from_file_location("ptybench", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SystemExit(
            f"this benchmark needs ptybench.py, and there is none at {path}: "
            "name its place in the environment as PTYBENCH"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.pyte is None:
        raise SystemExit("this benchmark needs pyte: pip install '.[test]'")
    return module


def measure(command: Sequence[str], **settings: Any) -> dict[str, Any]:
    """One run of a program on a terminal; ``settings`` are ptybench's options by name.

    Ends the benchmark where the program did not live through it: its figures would be of
    something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder) / "stream"
        options = argparse.Namespace(**(_DEFAULTS | {"record": str(stream)} | settings))
        found: dict[str, Any] = ptybench().run_once(list(command), options)
        if not found.get("alive"):
            screen = "\n".join(found.get("screen", [])).strip()
            status = found.get("status")
            raise SystemExit(f"{' '.join(command)} ended early ({status}):\n{screen[-2_000:]}")
        with stream.open(encoding="utf-8") as lines:
            next(lines)
            chunks = [(at, data.encode("latin1")) for at, data in map(json.loads, lines)]
    found["start"]["painted"] = painted(chunks, found["start"]["settled"], options.ready_re)
    return found


def painted(
    chunks: Sequence[tuple[float, bytes]], rested_s: float, ready: str | None
) -> float | None:
    """Seconds until the screen was as full as at rest, and showed what it is to show.

    ptybench's own moments are those of one text, or of a screen that then stands still: data
    that is alive does not, and on a slow link its first line is not yet a picture.
    """
    term, frames = ptybench().Term(*SIZE), []
    # Less what came later: in one step with it the last frame would not count.
    for at, data in steps([chunk for chunk in chunks if chunk[0] <= rested_s]):
        term.feed(data)
        text = "\n".join(term.text())
        frames.append((at, ready is None or re.search(ready, text), len("".join(text.split()))))
    if not frames:
        return None
    enough = _FULL * frames[-1][2]
    return next((at for at, shows, filled in frames if shows and filled >= enough), None)


def steps(chunks: Sequence[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """What came, a hundredth of a second at a time: to draw each byte of a slow link is slow."""
    held, since, last = b"", 0.0, 0.0
    for at, data in chunks:
        if held and at - since >= _STEP_S:
            yield last, held
            held = b""
        since = since if held else at
        held, last = held + data, at
    if held:
        yield last, held


def session(command: Sequence[str], **settings: Any) -> Any:
    """A program on a terminal, to be driven by hand."""
    return ptybench().Session(list(command), size=SIZE, **settings)


def figure(found: dict[str, Any], path: str, scale: float = 1.0) -> float | None:
    """One figure of a run by its dotted name."""
    value = ptybench().get(found, path)
    return None if value is None else float(value) * scale
