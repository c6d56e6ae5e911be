"""An operator at a terminal: waits for the data, and moves a table's cursor line by line.

A key counts as answered when the cursor is seen where the key put it. Whatever else a program
writes meanwhile (and on a slow link there is always something on the way) is no answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import monotonic
from typing import Any

from benchmarks.kit import pty

MOVES = 9
"""The healthy demo has eleven workers."""

_DOWN = b"\x1b[B"
_LOOK_S = 0.25
LINES = range(1, 15)
"""Where the upper left table has its lines, in the monitor and in the stock tables."""

_COLUMN = 2
_UNEVEN = (1.0, 1.31, 1.62)
"""Pauses that fall into step with no poll."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds. ``prepare``: keys that bring the cursor into a table of workers by their ids.

    ``lines``: where on the screen that table has its lines.
    """

    prepare: Sequence[bytes] = ()
    pause_s: float = 0.4
    rest_s: float = 2.0
    steady_s: float = 0.0
    patience_s: float = 60.0
    moves: int = MOVES
    lines: range = LINES


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it; ``answers`` are milliseconds by key, ``None`` where none was seen."""

    painted_s: float | None
    start_bytes: int
    bytes_s: float | None
    answers: tuple[float | None, ...]
    key_bytes: float

    @property
    def answered(self) -> float:
        """Percent."""
        return 100.0 * sum(one is not None for one in self.answers) / len(self.answers)

    def percentile(self, which: int) -> float | None:
        """Of the keys that were answered, in milliseconds."""
        known = [one for one in self.answers if one is not None]
        return quantiles(known, n=100, method="inclusive")[which - 1] if len(known) > 1 else None


def operate(command: Sequence[str], plan: Plan, **link: Any) -> Seen:
    """Start a program and play; ``link`` are ``rate``, ``rtt`` and ``linkbuf``."""
    seen = pty.session(command, **link)
    try:
        _await_data(seen, plan.patience_s)
        seen.pump(monotonic() + plan.rest_s)
        rested_s, start = monotonic() - seen.t0, seen.total
        seen.pump(monotonic() + plan.steady_s)
        steady = (seen.total - start) / plan.steady_s if plan.steady_s else None
        for key in plan.prepare:
            seen.key(key)
            seen.pump(monotonic() + 2 * plan.pause_s)
        ready_s, before = monotonic() - seen.t0, seen.total
        sent = list(_press(seen, plan))
        seen.pump(monotonic() + plan.patience_s, lambda: seen.idle_for() > plan.pause_s)
        key_bytes = (seen.total - before) / plan.moves
        if not seen.alive():
            raise SystemExit(f"{' '.join(command)} ended early ({seen.describe_status()})")
    finally:
        seen.finish()
    # ptybench delays what is typed by half a round trip; what is written takes the other half.
    way_s = link.get("rtt", 0.0) / 2_000
    chunks = [(at + way_s, data) for at, data in seen.chunks]
    answers = _answers(chunks, ready_s, sent, plan.lines)
    painted_s = pty.painted(chunks, rested_s + way_s, pty.READY)
    return Seen(painted_s, start, steady, answers, key_bytes)


def _await_data(seen: Any, patience_s: float) -> None:
    term, fed, end = pty.ptybench().Term(*pty.SIZE), 0, monotonic() + patience_s
    while monotonic() < end:
        seen.pump(monotonic() + _LOOK_S)
        for _, data in seen.chunks[fed:]:
            term.feed(data)
        fed = len(seen.chunks)
        if re.search(pty.READY, "\n".join(term.text())):
            return
    raise SystemExit(f"no data on the screen within {patience_s:g} s:\n" + "\n".join(term.text()))


def _press(seen: Any, plan: Plan) -> Iterator[float]:
    """Move down, key by key; gives when each was typed."""
    for number in range(plan.moves):
        yield monotonic() - seen.t0
        seen.key(_DOWN)
        seen.pump(monotonic() + plan.pause_s * _UNEVEN[number % len(_UNEVEN)])


def _answers(
    chunks: Sequence[tuple[float, bytes]], ready_s: float, sent: Sequence[float], where: range
) -> tuple[float | None, ...]:
    """Milliseconds from each key to the cursor on its line or, with frames left out, below."""
    term, colour, first = pty.ptybench().Term(*pty.SIZE), None, 0
    lowest: list[tuple[float, int]] = []
    for at, data in pty.steps(chunks):
        if colour is None and at > ready_s:
            colour, first = _cursor(term, where)
        term.feed(data)
        if colour is not None:
            lines = [line for line in where if _colour(term, line) == colour]
            lowest.append((at, max(lines, default=first)))
    return tuple(
        next(
            ((at - typed) * 1_000 for at, line in lowest if at >= typed and line >= first + number),
            None,
        )
        for number, typed in enumerate(sent, start=1)
    )


def _cursor(term: Any, where: range) -> tuple[str, int]:
    """The colour that one line alone has, and which line that is."""
    colours = {line: _colour(term, line) for line in where}
    times = Counter(colours.values())
    alone = [line for line, colour in colours.items() if times[colour] == 1]
    if len(alone) != 1:
        raise SystemExit("cannot tell which line is the cursor's:\n" + "\n".join(term.text()))
    return colours[alone[0]], alone[0]


def _colour(term: Any, line: int) -> str:
    colour: str = term.screen.buffer[line][_COLUMN].bg
    return colour
