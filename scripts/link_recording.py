"""Record the demo over a slow link: a cast for asciinema, and how long the operator waited.

    python -m scripts.link_recording [--rate BYTES] [--rtt MS] [--out FILE]

The link is simulated, as in the benchmarks (see benchmarks/README.md).
An operator moves the cursor, goes to the tasks, opens one, closes it, goes to the workers, and
leaves; each key is typed two seconds after the one before was answered, and counts as answered
when the screen shows what it was for. Times are those of the operator's end of the link.
"""

from __future__ import annotations

import argparse
import codecs
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from time import monotonic

from benchmarks.kit.emulator import Emulator
from benchmarks.kit.terminal_run import READY, in_steps
from benchmarks.kit.terminal_session import SIZE, Link, TerminalSession
from runqy_tui.demo.demo_run import DemoRun

OUT = Path(__file__).resolve().parents[1] / "screenshots" / "slow-link.cast"
_PAUSE_S = 2.0
_PATIENCE_S = 60.0
_FRAME_S = 0.05
_CURSOR = "▌"

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """A key, and what the screen shows once it has done what it is for."""

    label: str
    key: bytes
    done: Callable[[Lines, Lines], object]


def _moved(now: Lines, before: Lines) -> bool:
    # By what is selected: the cursor follows its row when rows change places.
    return _selected(now) != _selected(before) != ""


def _selected(lines: Lines) -> str:
    found = re.search(rf"{_CURSOR}(?:\S )?\s*(\S+)", "\n".join(lines))
    return found[1] if found else ""


def _in_pane(title: str) -> Callable[[Lines, Lines], object]:
    def holds_cursor(now: Lines, _before: Lines) -> bool:
        top = next((y for y, line in enumerate(now) if title in line), len(now))
        x = now[top].index(title) if top < len(now) else 0
        edges = [line[max(0, x - 3) : x] for line in now[top:]]
        inside = takewhile(lambda edge: "╰" not in edge, edges)
        return any(_CURSOR in edge for edge in inside)

    return holds_cursor


STEPS = (
    *[Step("next queue", b"j", _moved)] * 3,
    Step("first queue", b"g", _moved),
    Step("to the tasks", b"3", _in_pane("3 Tasks")),
    Step("next task", b"j", _moved),
    Step("open the task", b"\r", lambda now, _: re.search("Overview.*Payload", "\n".join(now))),
    Step("close it", b"\x1b", lambda now, _: not re.search("Overview.*Payload", "\n".join(now))),
    Step("to the workers", b"1", _in_pane("1 Workers")),
)


@dataclass
class Recording:
    """A session on the link, seen from its far end."""

    session: TerminalSession
    way_s: float
    emulator: Emulator = field(init=False)
    keys: list[tuple[float, Step, float]] = field(default_factory=list)
    _fed: int = 0

    def __post_init__(self) -> None:
        self.emulator = Emulator(*SIZE)

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self.session.elapsed_s

    @property
    def lines(self) -> list[str]:
        """The screen at the far end."""
        while self._fed < len(self.session.chunks):
            at, data = self.session.chunks[self._fed]
            if at + self.way_s > self.now:
                break
            self.emulator.feed(data)
            self._fed += 1
        return self.emulator.lines()

    def wait(self, condition: Callable[[Lines], object], what: str) -> float:
        """Wait until the screen shows it; return when. Raises SystemExit if it never does."""
        end = monotonic() + _PATIENCE_S
        while not condition(self.lines):
            if monotonic() > end or not self.session.is_alive:
                raise SystemExit(f"never came: {what}\n" + "\n".join(self.lines))
            self.session.run_until(monotonic() + 0.02)
        return self.now

    def rest(self) -> None:
        """Let the operator read."""
        self.session.run_until(monotonic() + _PAUSE_S)

    def play(self, step: Step) -> None:
        """Type a key, and wait for what it does."""
        before, typed = self.lines, self.now
        self.session.press(step.key)
        shown = self.wait(lambda now: step.done(now, before), step.label)
        self.keys.append((typed, step, shown))
        self.rest()

    def events(self, leaving: float) -> Iterator[tuple[float, str, str]]:
        """Output, keys and markers in the order of time."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        marks = [(typed, step.label, step.key) for typed, step, _ in self.keys]
        marks.append((leaving, "leave", b"q"))
        for arrived, data in in_steps(self.session.chunks, _FRAME_S):
            at = arrived + self.way_s
            while marks and marks[0][0] <= at:
                typed, label, key = marks.pop(0)
                yield typed, "m", label
                yield typed, "i", key.decode()
            if text := decode(data):
                yield at, "o", text


def record(rate: float, rtt: float, out: Path) -> None:
    """Play, write the cast, print the figures."""
    # Over TCP, as the screenshots are: the header would name a socket of this machine.
    with tempfile.TemporaryDirectory() as home, DemoRun(tcp=True) as demo:
        if not demo.wait_ready(_PATIENCE_S):
            raise SystemExit("the demo did not become ready")
        command = [sys.executable, "-m", "runqy_tui", "--url", demo.url]
        session = TerminalSession(command, Link(rate, rtt), {"HOME": home, "LANG": "C.UTF-8"})
        recording = Recording(session, rtt / 2_000)
        try:
            first = recording.wait(lambda lines: "runqy-tui" in "\n".join(lines), "anything")
            data = recording.wait(_full, "data")
            at_start = session.received
            recording.rest()
            for step in STEPS:
                recording.play(step)
            leaving = recording.now
            session.press(b"q")
            session.run_until(
                monotonic() + _PATIENCE_S,
                lambda: not session.is_alive and session.link_is_empty,
            )
            left = recording.now
        finally:
            session.close()
    if session.leftovers():
        raise SystemExit(f"left on: {' '.join(session.leftovers())}")
    header = {
        "version": 2,
        "width": SIZE[0],
        "height": SIZE[1],
        "title": f"runqy-tui over {rate / 1_000:g} KB/s, {rtt:g} ms",
        "env": {"TERM": "xterm-256color"},
    }
    with out.open("w", encoding="utf-8") as file:
        events = ([round(at, 3), kind, text] for at, kind, text in recording.events(leaving))
        for line in (header, *events):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"first sign {first:.1f} s, all data {data:.1f} s with {at_start:,} bytes")
    for typed, step, shown in recording.keys:
        print(f"{step.label:<16}{(shown - typed) * 1_000:6.0f} ms")
    print(f"{'leave':<16}{(left - leaving) * 1_000:6.0f} ms")
    size = out.stat().st_size
    print(f"{session.received:,} bytes in {left:.0f} s; {out.name} has {size:,} bytes")


def _full(lines: Lines) -> bool:
    """Every pane has its lines, down to the keys of the footer."""
    text = "\n".join(lines)
    return bool(re.search(READY, text)) and "3 Tasks ─" in text and " quit" in lines[-1]


def main() -> None:
    """Read the arguments and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=4_000, help="bytes a second (4000)")
    parser.add_argument("--rtt", type=float, default=300, help="round trip in ms (300)")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    record(options.rate, options.rtt, options.out)


if __name__ == "__main__":
    main()
