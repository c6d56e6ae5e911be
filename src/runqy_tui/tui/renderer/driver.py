"""A terminal that is always given back, and a process that ends when its terminal is gone.

Stock Textual 8.2.8 leaves the terminal raw after SIGTERM and SIGHUP, and after SIGSTOP and SIGCONT;
it ignores signals while nobody reads its output, spins at full CPU on a lost pty whose SIGHUP is
ignored, ends with a traceback on a typed byte that is no UTF-8, shows nothing where the locale is
not UTF-8, leaves mouse reports in pixels on, draws on standard error, so that ``2>file`` hides the
screen, believes ``COLUMNS`` rather than the terminal, and paints a frame for each of a thousand
sizes.
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from textual.events import CursorPosition, Paste, Resize
from textual.geometry import Size
from textual.message import Message

from runqy_tui.text.safe import safe_line
from runqy_tui.tui.compat.hooked_driver import HookedDriver, replace_in_driver
from runqy_tui.tui.compat.hooks import fail, is_ready
from runqy_tui.tui.compat.private_names import WriterThread
from runqy_tui.tui.renderer.resizing import Resizing
from runqy_tui.tui.renderer.terminal_link import TerminalLink
from runqy_tui.tui.renderer.writer import OutputStream, TerminalWriter, open_terminal

LAST_RESORT_S = 2.0
"""How long an orderly exit may take once the terminal is gone, in seconds."""
STALLED_S = 5.0
"""The same while the terminal is there: it may be one that takes no output any more."""
TRANSITION_S = 0.05
"""How long nothing is painted after a change of size, while the widgets take theirs, in seconds."""

_MOUSE_MODES = (1000, 1002, 1006)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HANGUP = 128 + signal.SIGHUP


def _lenient(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="ignore")


class _NoThread:
    """Stands in for Textual's writer thread where an outlet takes the output."""

    def __init__(self, outlet: TerminalWriter) -> None:
        self._outlet = outlet

    def start(self) -> None:
        """Nothing to start."""

    def is_alive(self) -> bool:
        """Until it is stopped."""
        return not self._outlet.closed

    def stop(self) -> None:
        """Wait a little for the terminal to take what restores it."""
        self._outlet.drain(STALLED_S)
        self._outlet.close()


def _writer(file: Any) -> Any:
    outlet = getattr(file, "outlet", None)
    return WriterThread(file) if outlet is None else _NoThread(outlet)


# Its input thread decodes strictly: one byte of a Latin-1 keyboard would end the app.
replace_in_driver(_lenient, _writer)


class RunqyDriver(HookedDriver):
    """Textual's driver, drawing on standard output, with exits and returns of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if sys.__stdout__ is not None:
            self.output = OutputStream(sys.__stdout__, self._output_lost)
            self.to_bytes = self.output.to_bytes
        self.outlet: TerminalWriter | None = None
        self.link = TerminalLink()
        self._handlers: dict[signal.Signals, Any] = {}
        self._last_resort: threading.Timer | None = None
        self._resizing = Resizing(self.loop, self._resized)
        self._size_noted = False

    # The terminal is taken and given back

    def start_application_mode(self) -> None:
        """Take the terminal. A signal that comes later gives it back; before, nothing was taken.

        A signal that was ignored when the process started (``nohup``) stays ignored.
        """
        for number in _SIGNALS:
            if number not in self._handlers and signal.getsignal(number) is not signal.SIG_IGN:
                # Not the loop's own handlers: they wait while the loop waits for the terminal.
                self._handlers[number] = signal.signal(number, self._signalled)
        descriptor = None if sys.__stdout__ is None else open_terminal(sys.__stdout__.fileno())
        if descriptor is not None:
            self.outlet = TerminalWriter(descriptor, self.loop, self._output_lost)
            self.output.outlet = self.outlet
        self.link.reset()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.is_active:
            signal.signal(signal.SIGWINCH, self._size_changed)

    def write(self, data: str) -> None:
        """Write in order with everything else, without waiting for the terminal."""
        if self.outlet is None:
            super().write(data)
        else:
            self.outlet.write(self.to_bytes(data))

    def close(self) -> None:
        """Leave signals and output to whoever comes after us."""
        super().close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if self._last_resort is not None:
            self._last_resort.cancel()

    def disable_input(self) -> None:
        """Read no more, once what the terminal was asked has been answered."""
        if self.outlet is not None and not self.outlet.backlog and not self.terminal_is_gone:
            self.link.settle()
        super().disable_input()

    def use_mouse(self, wanted: bool) -> None:
        """Ask the terminal for the mouse, or leave it to the terminal, from now on."""
        if wanted != self.mouse:
            self.disable_mouse()
            self.mouse = wanted
            self.enable_mouse()
            if self.sizes_in_band:
                self.enable_mouse_pixels()  # as the parser takes for granted from then on

    def enable_mouse(self) -> None:
        """Report clicks, the wheel and dragging.

        Every move of the pointer (1003) would be bytes both ways.
        """
        if self.mouse:
            self.write("".join(f"\x1b[?{mode}h" for mode in _MOUSE_MODES))
            self.flush()

    def disable_mouse(self) -> None:
        """Report nothing of the mouse, in pixels neither."""
        if self.mouse_in_pixels:
            self.write("\x1b[?1016l")
        if self.mouse:
            self.write("".join(f"\x1b[?{mode}l" for mode in _MOUSE_MODES))
            self.flush()

    # Leaving

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._end_later(128 + number)
        self.loop.call_soon_threadsafe(self.leave, 128 + number)

    def leave(self, code: int) -> None:
        """End the app with an exit code, in order if the terminal lets us."""
        self._end_later(code)
        self.app.exit(return_code=code)

    def leave_if_gone(self) -> None:
        """Leave if the terminal has hung up; needed where SIGHUP is ignored."""
        if self.terminal_is_gone:
            self.leave(_HANGUP)

    def _output_lost(self) -> None:
        self.loop.call_soon_threadsafe(self.leave, _HANGUP)

    @property
    def terminal_is_gone(self) -> bool:
        """Whether the other end of the terminal has hung up."""
        poll = select.poll()
        gone = select.POLLHUP | select.POLLERR  # POLLNVAL only says that poll knows no terminals
        poll.register(self.fileno, gone)
        return any(event & gone for _, event in poll.poll(0))

    def _end_later(self, code: int) -> None:
        """End the process shortly even if an orderly exit hangs on writes to the terminal."""
        if self._last_resort is None:
            patience = LAST_RESORT_S if self.terminal_is_gone else STALLED_S
            self._last_resort = threading.Timer(patience, self._end_now, [code])
            self._last_resort.daemon = True
            self._last_resort.start()

    def _end_now(self, code: int) -> None:
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        os._exit(code)

    # Stopping and coming back

    def handle_stop_signal(self) -> None:
        """Give the terminal back, then stop."""
        if self.restarts_after_stop:
            # In the loop, since a handler may have interrupted a write that holds a lock.
            self.loop.call_soon_threadsafe(self._stop)
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _stop(self) -> None:
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def handle_continue_signal(self) -> None:
        """Take the terminal again."""
        if self.restarts_after_stop:
            self.loop.call_soon_threadsafe(self._come_back)

    def _come_back(self) -> None:
        if self.is_active:
            # Stopped by SIGSTOP, for which nobody can prepare: the terminal may be in any state.
            self.suspend_application_mode()
        self.resume()

    # Sizes

    def _size_changed(self, *_: object) -> None:
        # Also where the terminal reports sizes in band: between it and us may be one that does not.
        # Signals interrupt each other's handlers: in a storm those would be too deep for Python.
        if not self._size_noted:
            self._size_noted = True
            self.loop.call_soon_threadsafe(self._take_size)

    def _take_size(self) -> None:
        self._size_noted = False
        self._resizing.take()

    def _resized(self, reported: Resize | None) -> None:
        if reported is None:
            size = Size(*self.read_size())
            reported = Resize(size, size)
        self.app.call_later(self._paint_once)
        self.send_message(reported)

    def _paint_once(self) -> None:
        # Widgets that learn their new sizes one after the other would paint three full frames.
        if is_ready(self.app):  # before, there is no screen to hold
            self.app.delay_update(TRANSITION_S)

    def terminal_size(self) -> tuple[int, int] | None:
        """Ask the terminal itself; the environment may say otherwise."""
        try:
            columns, rows = os.get_terminal_size(self.output.fileno())
        except OSError:
            return None
        return columns or 80, rows or 24

    # Input

    def process_message(self, message: Message) -> None:
        """Keep from a paste what can be seen: a field would write the rest to the terminal."""
        if isinstance(message, Paste):
            text = "".join(c for c in message.text if c in "\r\n\t" or safe_line(c) == c)
            message = Paste(text)
        elif isinstance(message, CursorPosition):
            self.loop.call_soon_threadsafe(self.link.answered, self.link.heard())
            return
        elif isinstance(message, Resize):
            message.set_sender(self.app)
            self.loop.call_soon_threadsafe(self._resizing.take, message)
            return
        super().process_message(message)

    def input_failed(self, error: Exception) -> None:
        """Leave if the terminal is gone; any other error of the input thread is the app's."""
        if self.terminal_is_gone:
            self.loop.call_soon_threadsafe(self.leave, _HANGUP)
        else:
            self.app.call_later(fail, self.app, error)
