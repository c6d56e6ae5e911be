"""Non-blocking output: in order, complete, and only the newest frame after a stall."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from runqy_tui.tui.renderer.presenter import Presenter
from runqy_tui.tui.renderer.terminal_link import QUERY, TerminalLink
from runqy_tui.tui.renderer.writer import TerminalWriter, open_terminal
from tests.support.replay import Terminal


@dataclass
class Pipe:
    """Both ends; what was written is read when a test says so."""

    ours: int
    theirs: int
    on_failure: list[bool] = field(default_factory=list)

    def writer(self) -> TerminalWriter:
        return TerminalWriter(
            self.theirs, asyncio.get_running_loop(), lambda: self.on_failure.append(True)
        )

    def read(self) -> bytes:
        try:
            return os.read(self.ours, 1 << 20)
        except BlockingIOError:
            return b""

    async def read_all(self, writer: TerminalWriter) -> bytes:
        got = self.read()
        while writer.backlog:
            await asyncio.sleep(0.001)
            got += self.read()
        return got + self.read()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.set_blocking(theirs, False)
    made = Pipe(ours, theirs)
    yield made
    os.close(ours)


async def test_everything_arrives_in_order(pipe: Pipe) -> None:
    writer = pipe.writer()
    sent = [bytes([65 + number % 26]) * 9_000 for number in range(60)]
    for part in sent:
        writer.write(part)
    assert writer.backlog > 0, "a pipe holds less than this"
    assert await pipe.read_all(writer) == b"".join(sent)
    assert writer.written == sum(map(len, sent))
    writer.close()


async def test_a_thread_may_write(pipe: Pipe) -> None:
    writer = pipe.writer()
    thread = threading.Thread(target=writer.write, args=(b"hello",))
    thread.start()
    thread.join()
    got = b""
    while not got:
        await asyncio.sleep(0.001)
        got = pipe.read()
    assert got == b"hello"
    writer.close()


async def test_a_closed_terminal_is_reported_once() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    pipe = Pipe(ours, theirs)
    writer = pipe.writer()
    os.close(ours)
    writer.write(b"x")
    writer.write(b"y")
    assert (pipe.on_failure, writer.backlog, writer.closed) == ([True], 0, True)
    writer.close()


async def test_draining_ends_at_its_timeout(pipe: Pipe) -> None:
    writer = pipe.writer()
    writer.write(b"x" * 200_000)
    assert not writer.drain(0.05)
    while not writer.drain(0.01):
        pipe.read()
    assert writer.backlog == 0
    writer.close()


async def test_of_a_stalled_link_only_the_newest_state_is_sent(pipe: Pipe) -> None:
    writer = pipe.writer()
    presenter = Presenter(writer, ColorSystem.TRUECOLOR, str.encode, erases_with_colour=True)
    writer.write(b"x" * 200_000)
    backlog = writer.backlog
    assert backlog > 0
    for number in range(500):
        presenter.apply_update(picture(f"state {number:04}"), 80, 24)
        presenter.present()
    assert writer.backlog == backlog, "no frame is queued behind what the link has not taken"
    assert presenter.dropped == 499
    got = (await pipe.read_all(writer)).removeprefix(b"x" * 200_000)
    assert len(got) < 4_000
    terminal = Terminal(80, 24)
    terminal.feed(got.decode())
    assert terminal.screen.display == ["state 0499".ljust(80)] * 24
    presenter.apply_update(picture("state 0500"), 80, 24)
    presenter.present((3, 4))
    small = pipe.read().decode()
    assert len(small) < 400
    terminal.feed(small)
    assert terminal.screen.display[23] == "state 0500".ljust(80)
    assert (terminal.screen.cursor.y, terminal.screen.cursor.x) == (3, 4)
    writer.close()


async def test_a_query_is_sent_behind_a_frame_only(
    pipe: Pipe,
) -> None:
    writer, link = pipe.writer(), TerminalLink()
    presenter = Presenter(
        writer, ColorSystem.TRUECOLOR, str.encode, link=link, erases_with_colour=True
    )
    presenter.apply_update(picture("once"), 80, 24)
    presenter.present()
    first = pipe.read()
    assert first.endswith(QUERY.encode())
    link.record_answer(link.answer_received())
    for _ in range(5):
        presenter.apply_update(picture("once"), 80, 24)
        presenter.present()
    assert pipe.read() == b"", "nothing changed, so nothing is asked"
    assert presenter.bytes == len(first) - len(QUERY)
    presenter.apply_update(picture("twice"), 80, 24)
    presenter.present()
    assert pipe.read().endswith(QUERY.encode())
    writer.close()


async def test_on_a_thin_link_the_newest_state_is_sent_once_the_terminal_has_followed(
    pipe: Pipe,
) -> None:
    now = 0.0
    writer, link = pipe.writer(), TerminalLink(lambda: now)
    presenter = Presenter(
        writer, ColorSystem.TRUECOLOR, str.encode, link=link, erases_with_colour=True
    )
    for number in range(4):
        presenter.invalidate()
        presenter.apply_update(picture(f"whole {number}" * 11), 80, 24)
        presenter.present()
        now += 1.0
        if number < 3:
            link.record_answer(link.answer_received())
    assert link.is_congested
    pipe.read()
    for number in range(30):
        presenter.apply_update(picture(f"state {number:04}"), 80, 24)
        presenter.present()
    assert pipe.read() == b""
    assert presenter.dropped == 29
    link.record_answer(link.answer_received())
    got = pipe.read()
    assert b"0029" in got
    assert b"0028" not in got
    writer.close()


async def test_a_stalled_link_is_slow(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, classified = pipe.writer(), []
    presenter = Presenter(writer, ColorSystem.TRUECOLOR, str.encode, erases_with_colour=True)
    presenter.link_quality_changed = lambda: classified.append(presenter.link_quality.slow)
    assert writer.blocked_s == 0.0
    writer.write(b"x" * 200_000)
    began = monotonic()
    monkeypatch.setattr("runqy_tui.tui.renderer.writer.monotonic", lambda: began + 5.0)
    assert writer.blocked_s > 4.0
    presenter.apply_update(picture("late"), 80, 24)
    presenter.present()
    assert classified == [True]
    await pipe.read_all(writer)
    assert writer.blocked_s == 0.0
    writer.close()


def picture(text: str) -> object:
    """A whole frame as the compositor gives it."""
    from textual._compositor import LayoutUpdate
    from textual.geometry import Region

    strip = Strip([Segment(text.ljust(80), Style.parse("white on blue"))])
    return LayoutUpdate([[strip]] * 24, Region(0, 0, 80, 24))


async def test_only_a_terminal_can_be_opened_again(pipe: Pipe) -> None:
    assert open_terminal(pipe.theirs) is None
    ours, theirs = os.openpty()
    again = open_terminal(theirs)
    assert again is not None
    assert os.get_blocking(theirs), "the shared description stays as it was"
    assert not os.get_blocking(again)
    for descriptor in (ours, theirs, again):
        os.close(descriptor)
    writer = pipe.writer()
    writer.close()
