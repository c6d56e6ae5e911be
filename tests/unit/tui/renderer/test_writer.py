"""Output that nobody waits for: in order, complete, and the newest state first."""

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
    lost: list[bool] = field(default_factory=list)

    def outlet(self) -> TerminalWriter:
        return TerminalWriter(
            self.theirs, asyncio.get_running_loop(), lambda: self.lost.append(True)
        )

    def read(self) -> bytes:
        try:
            return os.read(self.ours, 1 << 20)
        except BlockingIOError:
            return b""

    async def read_all(self, outlet: TerminalWriter) -> bytes:
        got = self.read()
        while outlet.backlog:
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
    outlet = pipe.outlet()
    sent = [bytes([65 + number % 26]) * 9_000 for number in range(60)]
    for part in sent:
        outlet.write(part)
    assert outlet.backlog > 0, "a pipe holds less than this"
    assert await pipe.read_all(outlet) == b"".join(sent)
    assert outlet.written == sum(map(len, sent))
    outlet.close()


async def test_a_thread_may_write(pipe: Pipe) -> None:
    outlet = pipe.outlet()
    thread = threading.Thread(target=outlet.write, args=(b"hello",))
    thread.start()
    thread.join()
    await asyncio.sleep(0.01)
    assert pipe.read() == b"hello"
    outlet.close()


async def test_when_nobody_reads_any_more_it_says_so_once() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    pipe = Pipe(ours, theirs)
    outlet = pipe.outlet()
    os.close(ours)
    outlet.write(b"x")
    outlet.write(b"y")
    assert (pipe.lost, outlet.backlog, outlet.closed) == ([True], 0, True)
    outlet.close()


async def test_draining_has_an_end(pipe: Pipe) -> None:
    outlet = pipe.outlet()
    outlet.write(b"x" * 200_000)
    assert not outlet.drain(0.05)
    while not outlet.drain(0.01):
        pipe.read()
    assert outlet.backlog == 0
    outlet.close()


async def test_of_a_stalled_link_only_the_newest_state_is_sent(pipe: Pipe) -> None:
    outlet = pipe.outlet()
    presenter = Presenter(outlet, ColorSystem.TRUECOLOR, str.encode, erases_with_colour=True)
    outlet.write(b"x" * 200_000)
    backlog = outlet.backlog
    assert backlog > 0
    for number in range(500):
        presenter.take(picture(f"state {number:04}"), 80, 24)
        presenter.present()
    assert outlet.backlog == backlog, "no frame is queued behind what the link has not taken"
    assert presenter.dropped == 499
    got = (await pipe.read_all(outlet)).removeprefix(b"x" * 200_000)
    assert len(got) < 4_000
    terminal = Terminal(80, 24)
    terminal.feed(got.decode())
    assert terminal.screen.display == ["state 0499".ljust(80)] * 24
    presenter.take(picture("state 0500"), 80, 24)
    presenter.present((3, 4))
    small = pipe.read().decode()
    assert len(small) < 400
    terminal.feed(small)
    assert terminal.screen.display[23] == "state 0500".ljust(80)
    assert (terminal.screen.cursor.y, terminal.screen.cursor.x) == (3, 4)
    outlet.close()


async def test_the_question_of_the_link_rides_behind_a_frame_that_is_sent_anyway(
    pipe: Pipe,
) -> None:
    outlet, link = pipe.outlet(), TerminalLink()
    presenter = Presenter(
        outlet, ColorSystem.TRUECOLOR, str.encode, link=link, erases_with_colour=True
    )
    presenter.take(picture("once"), 80, 24)
    presenter.present()
    first = pipe.read()
    assert first.endswith(QUERY.encode())
    link.answered(link.heard())
    for _ in range(5):
        presenter.take(picture("once"), 80, 24)
        presenter.present()
    assert pipe.read() == b"", "nothing changed, so nothing is asked"
    assert presenter.bytes == len(first) - len(QUERY)
    presenter.take(picture("twice"), 80, 24)
    presenter.present()
    assert pipe.read().endswith(QUERY.encode())
    outlet.close()


async def test_on_a_thin_link_the_newest_state_is_sent_once_the_terminal_has_followed(
    pipe: Pipe,
) -> None:
    now = 0.0
    outlet, link = pipe.outlet(), TerminalLink(lambda: now)
    presenter = Presenter(
        outlet, ColorSystem.TRUECOLOR, str.encode, link=link, erases_with_colour=True
    )
    for number in range(4):
        presenter.forget()
        presenter.take(picture(f"whole {number}" * 11), 80, 24)
        presenter.present()
        now += 1.0
        if number < 3:
            link.answered(link.heard())
    assert link.holds
    pipe.read()
    for number in range(30):
        presenter.take(picture(f"state {number:04}"), 80, 24)
        presenter.present()
    assert pipe.read() == b""
    assert presenter.dropped == 29
    link.answered(link.heard())
    got = pipe.read()
    assert b"0029" in got
    assert b"0028" not in got
    outlet.close()


async def test_a_link_that_takes_nothing_is_called_slow(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet, told = pipe.outlet(), []
    presenter = Presenter(outlet, ColorSystem.TRUECOLOR, str.encode, erases_with_colour=True)
    presenter.pace_changed = lambda: told.append(presenter.pace.slow)
    assert outlet.waiting_s == 0.0
    outlet.write(b"x" * 200_000)
    began = monotonic()
    monkeypatch.setattr("runqy_tui.tui.renderer.writer.monotonic", lambda: began + 5.0)
    assert outlet.waiting_s > 4.0
    presenter.take(picture("late"), 80, 24)
    presenter.present()
    assert told == [True]
    await pipe.read_all(outlet)
    assert outlet.waiting_s == 0.0
    outlet.close()


def picture(text: str) -> object:
    """A whole frame as the compositor gives it."""
    from textual._compositor import LayoutUpdate
    from textual.geometry import Region

    strip = Strip([Segment(text.ljust(80), Style.parse("white on blue"))])
    return LayoutUpdate([[strip]] * 24, Region(0, 0, 80, 24))


async def test_only_a_terminal_can_be_opened_anew(pipe: Pipe) -> None:
    assert open_terminal(pipe.theirs) is None
    ours, theirs = os.openpty()
    again = open_terminal(theirs)
    assert again is not None
    assert os.get_blocking(theirs), "the shared description stays as it was"
    assert not os.get_blocking(again)
    for descriptor in (ours, theirs, again):
        os.close(descriptor)
    outlet = pipe.outlet()
    outlet.close()
