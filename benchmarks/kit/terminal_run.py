"""One measured run of a program on a terminal: its start, its rest, and its answers to keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic

from benchmarks.kit.emulator import Emulator
from benchmarks.kit.minimal_encoding import Pen, encode_change
from benchmarks.kit.process_usage import Memory
from benchmarks.kit.tables import percentile
from benchmarks.kit.terminal_session import SIZE, Chunk, TerminalSession, printed_characters

READY = r"(?s)(?=.*gpu-\d)(?=.*(?:\.default|queue\d))"
"""On a screen that shows workers and queues of the demo, or of a fleet of our own."""

KEYS = {
    "down": b"\x1b[B",
    "enter": b"\r",
    "esc": b"\x1b",
    "pgdn": b"\x1b[6~",
    "up": b"\x1b[A",
}
_FULL = 0.95
_STEP_S = 0.01
_GAP_S = 0.12
"""Silence that separates two refreshes."""

_QUIET_S = 0.3
_START_TIMEOUT_S = 60.0
_IDLE_TIMEOUT_S = 3.0
_FIRST_TEXT = 20
_MOST_REFRESHES = 40
"""Refreshes that are replayed for their minimal encoding."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do in a run; times are seconds.

    Attributes:
        keys: pressed one after the other in the end, as names, for example ``down*6,G,pgdn``.
        ready: what the screen must show before it counts as painted, as a regular expression.
        warmup_s: time between the start and the rest that is measured.
        duration_s: how long the rest is measured.
        replay: replay the refreshes for their minimal encoding, which takes a while.
        key_timeout_s: how long to wait for the first output after a key.
        key_idle_s: silence before a key is pressed.
        key_settle_s: silence after which a key counts as answered.
    """

    keys: str = ""
    ready: str | None = None
    warmup_s: float = 1.0
    duration_s: float = 8.0
    replay: bool = True
    key_timeout_s: float = 1.0
    key_idle_s: float = 0.08
    key_settle_s: float = 0.06


@dataclass(frozen=True, slots=True)
class Start:
    """The start. Milliseconds from the program's start; ``None`` where it never came to that."""

    first_byte_ms: float | None
    first_text_ms: float | None
    painted_ms: float | None
    cpu_ms: float
    size: int


@dataclass(frozen=True, slots=True)
class Rest:
    """The program left alone; sizes are bytes and a refresh is output between two silences.

    ``None`` where there was no refresh, or it was not replayed.
    """

    bytes_per_s: float
    cpu_ms_per_s: float
    refresh_size: float | None
    refresh_cpu_ms: float | None
    minimal_size: float | None
    of_minimal: float | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """All of one run; ``answers`` are milliseconds from each key to the last byte of its answer."""

    start: Start
    rest: Rest
    memory: Memory
    answers: tuple[float | None, ...]

    def answer_percentile(self, which: int) -> float | None:
        """Percentile of the keys that were answered, in milliseconds."""
        return percentile(self.answers, which)


@dataclass(slots=True)
class Refresh:
    """Output between two silences: seconds from the start, and a range of chunks."""

    last_s: float
    size: int
    first: int
    end: int


def measure(command: Sequence[str], plan: Plan) -> Measurement:
    """Run a program and measure it.

    Raises SystemExit where the program ended before the measurement did: its figures would be of
    something else.
    """
    session = TerminalSession(command)
    try:
        start = _measure_start(session, plan)
        session.run_until(monotonic() + plan.warmup_s)
        rest = _measure_rest(session, plan)
        memory = session.usage.memory()
        require_alive(session, command)
        answers = tuple(_answer_ms(session, key, plan) for key in parse_keys(plan.keys))
    finally:
        session.close()
    return Measurement(start, rest, memory, answers)


def require_alive(session: TerminalSession, command: Sequence[str]) -> None:
    """Raises SystemExit, with the screen, where the program has ended."""
    if not session.is_alive:
        screen = session.screen().text().strip()
        raise SystemExit(
            f"{' '.join(command)} ended early ({session.exit_status}):\n{screen[-2_000:]}"
        )


def parse_keys(names: str) -> list[bytes]:
    """The bytes of keys such as ``down*6,G,pgdn``: names of KEYS or what is typed."""
    keys = []
    for item in filter(None, names.split(",")):
        name, _, times = item.partition("*")
        keys += [KEYS.get(name, name.encode())] * int(times or 1)
    return keys


def _measure_start(session: TerminalSession, plan: Plan) -> Start:
    session.wait_for_silence(_QUIET_S, _START_TIMEOUT_S)
    if plan.ready is not None:
        session.wait_for_text(plan.ready, _START_TIMEOUT_S)
        session.wait_for_silence(_QUIET_S, 2.0)
    chunks = list(session.chunks)
    return Start(
        first_byte_ms=chunks[0][0] * 1_000 if chunks else None,
        first_text_ms=_in_ms(_first_text_s(chunks)),
        painted_ms=_in_ms(painted_s(chunks, plan.ready)),
        cpu_ms=session.usage.cpu_s() * 1_000,
        size=session.received,
    )


def _in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1_000


def _first_text_s(chunks: Sequence[Chunk]) -> float | None:
    printed = 0
    for at, data in chunks:
        printed += printed_characters(data)
        if printed >= _FIRST_TEXT:
            return at
    return None


def painted_s(chunks: Sequence[Chunk], ready: str | None) -> float | None:
    """Seconds until the screen was as full as after the last chunk, and showed ``ready``.

    Not until it stood still: live data never does. On a slow link its first line is not enough.
    """
    emulator = Emulator(*SIZE)
    frames = []
    for at, data in in_steps(chunks):
        emulator.feed(data)
        text = emulator.text()
        shows = ready is None or re.search(ready, text) is not None
        frames.append((at, shows, len("".join(text.split()))))
    enough = _FULL * frames[-1][2] if frames else 0.0
    return next((at for at, shows, filled in frames if shows and filled >= enough), None)


def in_steps(chunks: Sequence[Chunk], step_s: float = _STEP_S) -> Iterator[Chunk]:
    """Join what arrived within a step, at the time of its last byte.

    A slow link delivers a few bytes at a time, and drawing after each of them takes long.
    """
    held, since, last = b"", 0.0, 0.0
    for at, data in chunks:
        if held and at - since >= step_s:
            yield last, held
            held = b""
        since = since if held else at
        held, last = held + data, at
    if held:
        yield last, held


def _measure_rest(session: TerminalSession, plan: Plan) -> Rest:
    _wait_for_gap(session, 1.5)  # so that no refresh is cut in two
    began_s, cpu_s, size = session.elapsed_s, session.usage.cpu_s(), session.received
    first = len(session.chunks)
    session.run_until(monotonic() + plan.duration_s)
    _wait_for_gap(session, 1.0)
    used_s = session.usage.cpu_s() - cpu_s
    span_s = session.elapsed_s - began_s
    found = refreshes(session.chunks, first)
    minimal = minimal_sizes(session.chunks, found) if plan.replay else []
    return Rest(
        bytes_per_s=(session.received - size) / span_s,
        cpu_ms_per_s=used_s * 1_000 / span_s,
        refresh_size=median(each.size for each in found) if found else None,
        refresh_cpu_ms=used_s * 1_000 / len(found) if found else None,
        minimal_size=median(minimal) if minimal else None,
        of_minimal=_ratio([each.size for each in found[:_MOST_REFRESHES]], minimal),
    )


def _wait_for_gap(session: TerminalSession, timeout_s: float) -> None:
    session.run_until(monotonic() + timeout_s, lambda: session.silent_for_s >= _GAP_S)


def _ratio(sizes: Sequence[int], minimal: Sequence[int]) -> float | None:
    return sum(sizes) / sum(minimal) if sum(minimal) else None


def refreshes(chunks: Sequence[Chunk], first: int = 0) -> list[Refresh]:
    """The output from chunk ``first`` on, divided where it was silent for 120 ms."""
    found: list[Refresh] = []
    for number, (at, data) in enumerate(chunks[first:], start=first):
        if found and at - found[-1].last_s < _GAP_S:
            found[-1].last_s, found[-1].end = at, number + 1
            found[-1].size += len(data)
        else:
            found.append(Refresh(at, len(data), number, number + 1))
    return found


def minimal_sizes(chunks: Sequence[Chunk], found: Sequence[Refresh]) -> list[int]:
    """Bytes of the near-minimal encoding of each refresh (of the first 40)."""
    emulator, fed, sizes = Emulator(*SIZE), 0, []
    for refresh in found[:_MOST_REFRESHES]:
        for _, data in chunks[fed : refresh.first]:
            emulator.feed(data)
        before, pen = emulator.cells(), Pen.of(emulator)
        for _, data in chunks[refresh.first : refresh.end]:
            emulator.feed(data)
        fed = refresh.end
        sizes.append(encode_change(before, emulator.cells(), pen, emulator.truecolor).size)
    return sizes


def _answer_ms(session: TerminalSession, key: bytes, plan: Plan) -> float | None:
    session.run_until(
        monotonic() + _IDLE_TIMEOUT_S, lambda: session.silent_for_s >= plan.key_idle_s
    )
    before, pressed_s = len(session.chunks), session.elapsed_s
    session.press(key)
    if not session.run_until(
        monotonic() + plan.key_timeout_s, lambda: len(session.chunks) > before
    ):
        return None
    session.run_until(monotonic() + 2.0, lambda: session.silent_for_s >= plan.key_settle_s)
    return (session.chunks[-1][0] - pressed_s) * 1_000
