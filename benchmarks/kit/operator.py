"""A simulated operator: waits for the data, and moves a table's cursor line by line.

A key counts as answered when the cursor is seen where the key put it. Whatever else a program
writes meanwhile (and on a slow link there is always something on the way) is no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from benchmarks.kit.emulator import Emulator
from benchmarks.kit.tables import percentile
from benchmarks.kit.terminal_run import KEYS, READY, in_steps, painted_s, require_alive
from benchmarks.kit.terminal_session import DIRECT, SIZE, Chunk, Link, TerminalSession

MOVES = 9
"""The healthy demo has eleven workers."""

LINES = range(1, 15)
"""Where the upper left table has its lines, in the monitor and in the stock tables."""

_COLUMN = 2
_UNEVEN = (1.0, 1.31, 1.62)
"""Factors of the pauses, so that keys do not coincide with polls."""


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
class Played:
    """The result; ``answers`` are milliseconds by key, ``None`` where none was seen."""

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
        return percentile(self.answers, which)


def operate(command: Sequence[str], plan: Plan, link: Link = DIRECT) -> Played:
    """Start a program and carry out the plan.

    Raises SystemExit where it shows no data in time, ends early, or has no cursor to be seen.
    """
    session = TerminalSession(command, link)
    try:
        if not session.wait_for_text(READY, plan.patience_s):
            screen = session.screen().text()
            raise SystemExit(f"no data on the screen within {plan.patience_s:g} s:\n{screen}")
        session.run_until(monotonic() + plan.rest_s)
        rested, start = len(session.chunks), session.received
        session.run_until(monotonic() + plan.steady_s)
        steady = (session.received - start) / plan.steady_s if plan.steady_s else None
        for key in plan.prepare:
            session.press(key)
            session.run_until(monotonic() + 2 * plan.pause_s)
        if not session.run_until(
            monotonic() + plan.patience_s, lambda: _cursor(session.screen(), plan.lines) is not None
        ):
            raise SystemExit(f"cannot find the line with the cursor:\n{session.screen().text()}")
        prepared, before = len(session.chunks), session.received
        pressed_s = list(_move(session, plan))
        session.run_until(
            monotonic() + plan.patience_s, lambda: session.silent_for_s > plan.pause_s
        )
        key_bytes = (session.received - before) / plan.moves
        require_alive(session, command)
    finally:
        session.close()
    # The session delays what is typed by half a round trip; what is shown takes the other half.
    way_s = link.round_trip_ms / 2_000
    chunks = [(at + way_s, data) for at, data in session.chunks]
    answers = _answers(chunks[:prepared], chunks[prepared:], pressed_s, plan.lines)
    return Played(painted_s(chunks[:rested], READY), start, steady, answers, key_bytes)


def _move(session: TerminalSession, plan: Plan) -> Iterator[float]:
    """Move down, key by key; yield the seconds at which each was typed."""
    for number in range(plan.moves):
        yield session.elapsed_s
        session.press(KEYS["down"])
        session.run_until(monotonic() + plan.pause_s * _UNEVEN[number % len(_UNEVEN)])


def _answers(
    before: Sequence[Chunk], after: Sequence[Chunk], pressed_s: Sequence[float], where: range
) -> tuple[float | None, ...]:
    """Milliseconds from each key to the cursor on its line or, with frames left out, below."""
    emulator = Emulator(*SIZE)
    for _, data in before:
        emulator.feed(data)
    cursor = _cursor(emulator, where)
    if cursor is None:
        raise SystemExit(f"cannot find the line with the cursor:\n{emulator.text()}")
    colour, first = cursor
    lowest = []
    for at, data in in_steps(after):
        emulator.feed(data)
        lines = [line for line in where if _colour(emulator, line) == colour]
        lowest.append((at, max(lines, default=first)))
    return tuple(
        next(
            ((at - typed) * 1_000 for at, line in lowest if at >= typed and line >= first + number),
            None,
        )
        for number, typed in enumerate(pressed_s, start=1)
    )


def _cursor(emulator: Emulator, where: range) -> tuple[str, int] | None:
    """The colour that one line alone has, and which line that is; None if there is no such line."""
    colours = {line: _colour(emulator, line) for line in where}
    times = Counter(colours.values())
    alone = [line for line, colour in colours.items() if times[colour] == 1]
    return (colours[alone[0]], alone[0]) if len(alone) == 1 else None


def _colour(emulator: Emulator, line: int) -> str:
    colour: str = emulator.screen.buffer[line][_COLUMN].bg
    return colour
