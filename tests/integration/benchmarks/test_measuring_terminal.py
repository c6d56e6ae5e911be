"""The measuring terminal: what it draws, replies and counts, on programs whose output is known."""

from __future__ import annotations

import sys
from time import monotonic

import pytest

from benchmarks.kit.emulator import Emulator, SequenceSplitter
from benchmarks.kit.minimal_encoding import Pen, encode_change, move_cost
from benchmarks.kit.terminal_replies import TerminalReplies
from benchmarks.kit.terminal_run import (
    Plan,
    in_steps,
    measure,
    minimal_sizes,
    painted_s,
    parse_keys,
    refreshes,
)
from benchmarks.kit.terminal_session import Link, TerminalSession, printed_characters

PATIENCE_S = 20.0
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc (Linux)")


def screen(*parts: bytes) -> Emulator:
    emulator = Emulator(20, 5)
    for part in parts:
        emulator.feed(part)
    return emulator


def test_a_stream_is_split_however_it_is_cut() -> None:
    stream = b"a\x1b[1;31mb\x1b]0;title\x07c\x1bP+q00\x1b\\d\x1b[?2026$pe"
    whole = list(SequenceSplitter().split(stream))
    splitter = SequenceSplitter()
    bytewise = [part for byte in stream for part in splitter.split(bytes([byte]))]
    assert [part for is_sequence, part in whole if not is_sequence] == [
        b"a",
        b"b",
        b"c",
        b"d",
        b"e",
    ]
    assert bytewise == whole


def test_what_is_no_picture_is_not_drawn() -> None:
    drawn = screen(
        b"\x1b[?2026$p\x1b[>1u\x1b]11;?\x07\x1bP>|x\x1b\\\x1b[6nab\x1b[3bc", b"\xe2", b"\x94\x82"
    )
    assert drawn.lines()[0] == "abbbbc│"
    assert drawn.cursor == (7, 0)


def test_the_alternate_screen_is_empty_when_it_is_entered() -> None:
    assert screen(b"shell", b"\x1b[?1049h\x1b[Hx").lines()[0] == "x"


def test_of_a_blank_only_the_background_counts() -> None:
    assert screen(b"\x1b[1;31m \x1b[m").cells() == screen().cells()
    assert screen(b"\x1b[41m \x1b[m").cells() != screen().cells()


@pytest.mark.parametrize(
    ("change", "cells", "size"),
    [
        (b"", 0, 0),
        (b"\x1b[Hx", 1, 1),
        (b"\x1b[3;5Hx", 1, len(b"\x1b[3;5Hx")),
        (b"\x1b[H\x1b[31mxy", 2, len(b"\x1b[31mxy")),
        (b"\x1b[H\x1b[38;2;1;2;3mx", 1, len(b"\x1b[38;2;1;2;3mx")),
        (b"\x1b[Hx\x1b[2Cy", 2, len(b"x  y")),
        (b"\x1b[H\x1b[41m\x1b[K", 20, len(b"\x1b[41m\x1b[K")),
    ],
)
def test_the_minimal_encoding_of_a_change(change: bytes, cells: int, size: int) -> None:
    before = screen(b"\x1b[H")
    after = screen(b"\x1b[H", change)
    pen = Pen.of(before)
    assert encode_change(before.cells(), after.cells(), pen, after.truecolor) == (cells, size)


@pytest.mark.parametrize(
    ("start", "end", "sequence"),
    [
        ((3, 3), (3, 3), b""),
        ((3, 3), (0, 3), b"\r"),
        ((3, 3), (2, 3), b"\b"),
        ((3, 3), (4, 3), b"\x1b[C"),
        ((3, 3), (0, 4), b"\r\n"),
        ((3, 3), (3, 4), b"\n"),
        ((3, 3), (3, 1), b"\x1b[2A"),
        ((3, 3), (0, 0), b"\x1b[1H"),
        ((3, 3), (70, 30), b"\x1b[31;71H"),
    ],
)
def test_the_cheapest_cursor_move(
    start: tuple[int, int], end: tuple[int, int], sequence: bytes
) -> None:
    assert move_cost(*start, *end) == len(sequence)


def test_queries_are_replied_to_and_modes_are_followed() -> None:
    replies = TerminalReplies(lambda: (4, 2))
    asked = b"\x1b[?1049h\x1b[?25l\x1b[?1h\x1b[>1u\x1b[c\x1b[6n\x1b[?2026$p\x1b[?2048$p\x1b[?u"
    assert list(replies.feed(asked)) == [
        b"\x1b[?62;22c",
        b"\x1b[3;5R",
        b"\x1b[?2026;2$y",
        b"\x1b[?2048;0$y",
        b"\x1b[?0u",
    ]
    assert replies.application_cursor_keys
    assert replies.leftovers() == ["?1h", "?25l", "?1049h", "1 keyboard modes pushed"]
    assert list(replies.feed(b"\x1b[?1049l\x1b[?25h\x1b[?1l\x1b[<u")) == []
    assert replies.leftovers() == []


def test_refreshes_are_separated_by_silence() -> None:
    chunks = [(0.0, b"ab"), (0.05, b"c"), (1.0, b"\x1b[Hab"), (2.0, b"d")]
    found = refreshes(chunks)
    assert [each.size for each in found] == [3, 5, 1]
    assert [each.size for each in refreshes(chunks, first=2)] == [5, 1]
    assert minimal_sizes(chunks, found) == [3, 0, 1]  # the same text again changes nothing


def test_painted_is_as_full_as_in_the_end_and_shows_what_it_must() -> None:
    chunks = [(0.1, b"x" * 60), (0.2, b"y" * 39), (0.3, b"z")]
    assert painted_s(chunks, None) == 0.2
    assert painted_s(chunks, "z") == 0.3
    assert painted_s(chunks, "never") is None
    assert painted_s([], None) is None


def test_chunks_are_joined_by_time() -> None:
    chunks = [(0.0, b"a"), (0.004, b"b"), (0.02, b"c")]
    assert list(in_steps(chunks)) == [(0.004, b"ab"), (0.02, b"c")]


def test_keys_by_name() -> None:
    assert parse_keys("down*2,G,/,pgdn") == [b"\x1b[B", b"\x1b[B", b"G", b"/", b"\x1b[6~"]
    assert printed_characters(b"\x1b[1ma \nb\x1b[m") == 2


ECHO = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"\\x1b[?25l" + b"ready to be measured " * 3)
while key := os.read(0, 1):
    if key == b"q":
        os.write(1, b"\\x1b[?25h")
        sys.exit(3)
    os.write(1, key * 5)
"""


@LINUX
def test_a_program_is_measured() -> None:
    found = measure(
        [sys.executable, "-c", ECHO],
        Plan(keys="a,b", ready="ready", warmup_s=0.0, duration_s=0.2, key_timeout_s=PATIENCE_S),
    )
    assert found.start.size == len("\x1b[?25l") + 63
    first, painted = found.start.first_byte_ms, found.start.painted_ms
    assert first is not None
    assert painted is not None
    assert 0 < first <= painted
    assert found.start.cpu_ms > 1
    assert found.rest.bytes_per_s == 0
    assert found.rest.refresh_size is None
    assert found.memory.peak >= found.memory.resident > 1_000
    assert all(answer is not None and answer > 0 for answer in found.answers)
    assert len(found.answers) == 2


@LINUX
def test_a_program_that_ends_early_is_no_measurement() -> None:
    command = [sys.executable, "-c", "print('no such thing as this one'); raise SystemExit(4)"]
    with pytest.raises(SystemExit, match=r"(?s)ended early \(exit 4\).*no such thing"):
        measure(command, Plan(warmup_s=0.0, duration_s=0.1))


@LINUX
def test_a_slow_link_carries_no_more_than_its_rate() -> None:
    session = TerminalSession([sys.executable, "-c", ECHO], Link(rate=200, round_trip_ms=200))
    try:
        assert session.wait_for_text("(measured.*){3}", PATIENCE_S)
        shown_s = session.elapsed_s
        assert shown_s - session.chunks[0][0] >= (session.received - 64) / 200 * 0.9
        session.press(b"z")
        assert session.wait_for_text("z", PATIENCE_S)
        assert session.elapsed_s - shown_s >= 0.1  # half a round trip to the program
        assert session.leftovers() == ["?25l"]
        session.press(b"q")
        assert session.run_until(monotonic() + PATIENCE_S, lambda: not session.is_alive)
        assert session.exit_status == "exit 3"
    finally:
        session.close()


@LINUX
def test_a_session_ends_its_program() -> None:
    session = TerminalSession([sys.executable, "-c", ECHO])
    assert session.wait_for_text("ready", PATIENCE_S)
    session.close()
    assert not session.is_alive
    assert session.exit_status == "SIGTERM"
