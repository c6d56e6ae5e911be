"""A terminal for one program: a pty, a screen, and every byte that came through."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import tty
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pyte

from tests.support.terminal_stream import SEQUENCE

PATIENCE_S = 45.0
"""How long a condition may take before a test fails; a fast machine never waits for it."""

_BEYOND_PYTE = re.compile(
    rb"\x1b\[[<=>][0-9;]*[a-z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(\x07|\x1b\\)"
)
_WHERE = b"\x1b[6n"
_ANSWER = b"\x1b[12;34R"
_ON_BY_DEFAULT = frozenset({7, 25})

_LAUNCHER = """
import fcntl, os, signal, sys, termios
if "no controlling terminal" not in sys.argv[1]:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
for name in ("SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_IGN if name in sys.argv[1] else signal.SIG_DFL)
if "no LC_CTYPE" in sys.argv[1]:
    os.environ.pop("LC_CTYPE", None)  # made up by this Python
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Makes the pty the controlling terminal, as a terminal emulator does, and becomes the program."""


class _Screen(pyte.Screen):
    """A screen whose alternate half is empty when a program enters it."""

    def set_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private") and 1049 in modes:
            self.erase_in_display(2)
        super().set_mode(*modes, **options)


@dataclass
class Terminal:
    """One end of a pty; the program has the other one.

    It answers no query, unless ``answers_s`` says how many seconds it takes to tell where the
    cursor is; then ``asked`` counts how often it was asked.
    """

    columns: int = 120
    rows: int = 40
    answers_s: float | None = field(default=None, init=False)
    ours: int = field(init=False)
    theirs: int = field(init=False)
    before: list[Any] = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.ours, self.theirs = os.openpty()
        os.set_blocking(self.ours, False)
        self._raw = bytearray()
        self._fed = 0
        self._drawn: list[str] = []
        self._screen = _Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self._screen)
        self._hung_up = False
        self._drained = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._set_size()
        self.before = self.line_modes

    def spawn(
        self,
        *command: str,
        env: dict[str, str],
        cwd: Path,
        ignored: str = "",
        stderr: Any = None,
        answers_s: float | None = None,
    ) -> None:
        """Start a program in its own session, with this as its controlling terminal.

        Args:
            ignored: names of the signals that it finds ignored; with ``no controlling terminal``
                none tells it that the window closes.
            stderr: where its standard error goes, if not to the terminal.
            answers_s: seconds after which it is told where the cursor is; never if ``None``.
        """
        self.answers_s = answers_s
        if "LC_CTYPE" not in env:
            ignored += ", no LC_CTYPE"
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", _LAUNCHER, ignored, *command],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs if stderr is None else stderr,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        self._reader.start()

    # What came through

    def _read(self) -> None:
        while True:
            leaving = self._drained.is_set()
            try:
                while chunk := os.read(self.ours, 65536):
                    asked = self.asked
                    self._raw += chunk
                    if self.asked > asked:
                        self._answer()
            except BlockingIOError:
                pass
            except OSError:
                return
            if leaving or self._hung_up:
                return
            select.select([self.ours], [], [], 0.02)

    def _answer(self) -> None:
        if self.answers_s == 0.0:
            self.press(_ANSWER)
        elif self.answers_s is not None:
            answer = threading.Timer(self.answers_s, self.press, [_ANSWER])
            answer.daemon = True
            answer.start()

    @property
    def asked(self) -> int:
        """How often the program wanted to know where the cursor is."""
        return self._raw.count(_WHERE)

    @property
    def raw(self) -> bytes:
        """Every byte so far."""
        return bytes(self._raw)

    @property
    def lines(self) -> list[str]:
        """The screen as it stands."""
        if self._fed == len(self._raw):
            return self._drawn
        new = bytes(self._raw[self._fed :])
        last = new.rfind(b"\x1b")
        if last >= 0 and not SEQUENCE.match(new, last):
            new = new[:last]  # the rest of a sequence is still under way
        self._fed += len(new)
        self._stream.feed(_BEYOND_PYTE.sub(b"", new))
        self._drawn = [line.rstrip() for line in self._screen.display]
        return self._drawn

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    @property
    def modes(self) -> set[int]:
        """Private modes that are on."""
        on = set(_ON_BY_DEFAULT)
        for numbers, final in re.findall(rb"\x1b\[\?([0-9;]+)([hl])", self.raw):
            change = {int(number) for number in numbers.split(b";")}
            on = on | change if final == b"h" else on - change
        return on

    @property
    def keyboard_depth(self) -> int:
        """How many kitty keyboard modes are pushed."""
        raw = self.raw
        return len(re.findall(rb"\x1b\[>\d+u", raw)) - len(re.findall(rb"\x1b\[<\d*u", raw))

    @property
    def line_modes(self) -> list[Any]:
        """What ``stty`` shows, ``before`` the program started and now."""
        return termios.tcgetattr(self.theirs)

    def restored(self) -> None:
        """Wait until a shell would find the terminal as it was: output may be on its way."""
        deadline = monotonic() + PATIENCE_S
        expected = (set(_ON_BY_DEFAULT), 0, self.before)
        while (found := (self.modes, self.keyboard_depth, self.line_modes)) != expected:
            assert monotonic() < deadline, f"{found} and not {expected}"
            sleep(0.02)

    @property
    def typed_ahead(self) -> int:
        """How many bytes of input a shell would find now; line modes are lost."""
        tty.setraw(self.theirs)
        count = array("i", [0])
        fcntl.ioctl(self.theirs, termios.FIONREAD, count)
        return count[0]

    # What an operator does

    def press(self, *keys: str | bytes) -> None:
        """Type keys, one at a time."""
        for key in keys:
            os.write(self.ours, key if isinstance(key, bytes) else key.encode())

    def press_until(self, key: str, condition: Callable[[], object]) -> None:
        """Type a key again and again, each time when what it did is on the screen."""
        for _ in range(50):
            so_far = len(self.raw)
            self.press(key)
            self.until(lambda so_far=so_far: len(self.raw) > so_far or condition(), f"{key!r}")  # type: ignore[misc]
            deadline = monotonic() + 0.5
            while monotonic() < deadline:
                if condition():
                    return
                sleep(0.02)
        raise AssertionError(f"pressed {key!r} in vain\n{self.text}")

    def wipe(self) -> None:
        """Lose what is on the screen, as to noise of another program."""
        self.lines  # noqa: B018 -- what came so far was drawn before
        self._screen.reset()
        self._drawn = []

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self.lines  # noqa: B018 -- what came so far was drawn at the old size
        self.columns, self.rows = columns, rows
        self._screen.resize(lines=rows, columns=columns)
        self._drawn = []
        self._set_size()

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self.rows, self.columns, 0, 0)
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)

    def storm(self, sizes: Iterable[tuple[int, int]]) -> None:
        """Give the window one size after the other, faster than anybody can draw."""
        self.lines  # noqa: B018 -- what came so far was drawn at the old size
        for self.columns, self.rows in sizes:
            self._set_size()

    @property
    def cpu_s(self) -> float:
        """CPU time of the program so far, in seconds."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def make_sane(self) -> None:
        """Set the line modes that were ``before``, as a shell does when its job has stopped."""
        termios.tcsetattr(self.theirs, termios.TCSANOW, self.before)

    def stall(self) -> None:
        """Take no more output, as a connection that hangs: whoever writes waits."""
        termios.tcflow(self.theirs, termios.TCOOFF)

    def read_no_more(self) -> None:
        """Leave what comes where it is: whoever writes waits, in the middle of a frame."""
        self._hung_up = True
        self._reader.join()

    def go_on(self) -> None:
        """Take output again."""
        termios.tcflow(self.theirs, termios.TCOON)

    @property
    def unread(self) -> int:
        """How many bytes wait to be read."""
        count = array("i", [0])
        fcntl.ioctl(self.ours, termios.FIONREAD, count)
        return count[0]

    def hang_up(self) -> None:
        """Close the window."""
        self.read_no_more()
        os.close(self.ours)
        os.close(self.theirs)

    # Waiting

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition holds; the program must not end before."""
        deadline = monotonic() + PATIENCE_S
        while not condition():
            code = self.process.poll()
            assert code is None, f"ended with {code} before: {what}\n{self.text}"
            assert monotonic() < deadline, f"never came true: {what}\n{self.text}"
            sleep(0.02)

    def sees(self, *parts: str) -> None:
        """Wait until the screen shows all of these."""
        self.until(lambda: all(part in self.text for part in parts), f"on screen: {parts}")

    def misses(self, *parts: str) -> None:
        """Wait until the screen shows none of these."""
        self.until(lambda: not any(part in self.text for part in parts), f"gone: {parts}")

    def still(self) -> list[str]:
        """Wait until nothing moves any more; gives the screen below the header, which ticks."""
        last, since = self.lines[1:], monotonic()

        def quiet() -> bool:
            nonlocal last, since
            if self.lines[1:] != last:
                last, since = self.lines[1:], monotonic()
            return monotonic() - since > 0.3

        self.until(quiet, "nothing moves")
        return last

    def ends(self, within: float = PATIENCE_S) -> int:
        """Wait for the end of the program; gives its exit code once all output is here."""
        code = self.process.wait(within)
        if not self._hung_up:
            self._drained.set()
            self._reader.join()
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    @property
    def state(self) -> str:
        """The first letter of what ``ps`` calls the process's state: T is stopped."""
        command = ["ps", "-o", "stat=", "-p", str(self.process.pid)]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()[:1]

    def close(self) -> None:
        """End whatever still runs and close the pty."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not self._hung_up:
            self._drained.set()
            self._reader.join()
            os.close(self.ours)
            os.close(self.theirs)


@contextmanager
def terminal(columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    """A terminal that is closed in the end, with whatever runs in it."""
    made = Terminal(columns, rows)
    try:
        yield made
    finally:
        made.close()
