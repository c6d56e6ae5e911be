"""The terminal driver: restores the terminal on every exit, and exits when the terminal is gone.

What it changes of Textual 8.2.8, which

- leaves the terminal raw after SIGTERM and SIGHUP, and after SIGSTOP and SIGCONT,
- ignores signals while its output is not read,
- uses a full CPU on a disconnected pty whose SIGHUP is ignored,
- ends with a traceback on a typed byte that is not UTF-8, and shows nothing in other locales,
- leaves mouse reports in pixels on,
- draws on standard error, so that ``2>file`` hides the screen,
- prefers ``COLUMNS`` to the terminal's own size, and paints a frame for each of a thousand sizes.
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

DISCONNECTED_EXIT_S = 2.0
"""Longest orderly exit once the terminal is disconnected, in seconds; then the process is ended."""
STALLED_EXIT_S = 5.0
"""The same while the terminal is connected: it may have stopped reading output."""
RESIZE_PAINT_DELAY_S = 0.05
"""Delay of painting after a change of size, while widgets are laid out, in seconds."""

_MOUSE_MODES = (1000, 1002, 1006)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HANGUP = 128 + signal.SIGHUP


def _lenient_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="ignore")


class _WriterThreadAdapter:
    """Has the methods of Textual's writer thread, for output that goes to a TerminalWriter."""

    def __init__(self, writer: TerminalWriter) -> None:
        self._writer = writer

    def start(self) -> None:
        """Do nothing: there is no thread."""

    def is_alive(self) -> bool:
        """Whether output is still accepted."""
        return not self._writer.closed

    def stop(self) -> None:
        """Close the output, after waiting for what restores the terminal to be written."""
        self._writer.drain(STALLED_EXIT_S)
        self._writer.close()


def _writer_thread_for(file: Any) -> Any:
    writer = getattr(file, "writer", None)
    return WriterThread(file) if writer is None else _WriterThreadAdapter(writer)


# The input thread decodes strictly: one byte of a Latin-1 keyboard would end the app.
replace_in_driver(_lenient_decoder, _writer_thread_for)


class RunqyDriver(HookedDriver):
    """Textual's driver on standard output, with its own exit, suspend and resize handling."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if sys.__stdout__ is not None:
            self.output = OutputStream(sys.__stdout__, self._output_failed)
            self.to_bytes = self.output.to_bytes
        self.writer: TerminalWriter | None = None
        self.link = TerminalLink()
        self._handlers: dict[signal.Signals, Any] = {}
        self._exit_timer: threading.Timer | None = None
        self._resizing = Resizing(self.loop, self._resized)
        self._size_pending = False

    # Start and end of application mode

    def start_application_mode(self) -> None:
        """Take the terminal, and install the signal handlers that restore it.

        A signal that was ignored when the process started (``nohup``) remains ignored.
        """
        for number in _SIGNALS:
            if number not in self._handlers and signal.getsignal(number) is not signal.SIG_IGN:
                # Not the loop's handlers: those do not run while the loop waits for the terminal.
                self._handlers[number] = signal.signal(number, self._handle_exit_signal)
        descriptor = None if sys.__stdout__ is None else open_terminal(sys.__stdout__.fileno())
        if descriptor is not None:
            self.writer = TerminalWriter(descriptor, self.loop, self._output_failed)
            self.output.writer = self.writer
        self.link.reset()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.is_active:
            signal.signal(signal.SIGWINCH, self._size_changed)

    def write(self, data: str) -> None:
        """Write, in order with all other output, without blocking."""
        if self.writer is None:
            super().write(data)
        else:
            self.writer.write(self.to_bytes(data))

    def close(self) -> None:
        """Restore the signal handlers, and end all output."""
        super().close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if self._exit_timer is not None:
            self._exit_timer.cancel()

    def disable_input(self) -> None:
        """Stop reading input, after a pending query of the terminal has been answered."""
        if self.writer is not None and not self.writer.backlog and not self.is_disconnected:
            self.link.wait_for_answer()
        super().disable_input()

    def use_mouse(self, wanted: bool) -> None:
        """Switch mouse reports on or off; off, the terminal itself selects text."""
        if wanted != self.mouse:
            self.disable_mouse()
            self.mouse = wanted
            self.enable_mouse()
            if self.sizes_in_band:
                self.enable_mouse_pixels()  # the parser expects pixels from then on

    def enable_mouse(self) -> None:
        """Switch on reports of clicks, the wheel and dragging.

        Not of every move of the pointer (1003), which costs bytes in both directions.
        """
        if self.mouse:
            self.write("".join(f"\x1b[?{mode}h" for mode in _MOUSE_MODES))
            self.flush()

    def disable_mouse(self) -> None:
        """Switch off mouse reports, those in pixels too."""
        if self.mouse_in_pixels:
            self.write("\x1b[?1016l")
        if self.mouse:
            self.write("".join(f"\x1b[?{mode}l" for mode in _MOUSE_MODES))
            self.flush()

    # Exit

    def _handle_exit_signal(self, number: int, _frame: FrameType | None) -> None:
        self._schedule_forced_exit(128 + number)
        self.loop.call_soon_threadsafe(self.exit_app, 128 + number)

    def exit_app(self, code: int) -> None:
        """Exit the app with ``code``; the process is ended if that takes too long."""
        self._schedule_forced_exit(code)
        self.app.exit(return_code=code)

    def exit_if_disconnected(self) -> None:
        """Exit if the terminal has hung up; needed where SIGHUP is ignored."""
        if self.is_disconnected:
            self.exit_app(_HANGUP)

    def _output_failed(self) -> None:
        self.loop.call_soon_threadsafe(self.exit_app, _HANGUP)

    @property
    def is_disconnected(self) -> bool:
        """Whether the other end of the terminal has hung up."""
        poll = select.poll()
        gone = select.POLLHUP | select.POLLERR  # POLLNVAL: poll does not support terminals here
        poll.register(self.fileno, gone)
        return any(event & gone for _, event in poll.poll(0))

    def _schedule_forced_exit(self, code: int) -> None:
        """End the process after a timeout, even if an orderly exit hangs on terminal output."""
        if self._exit_timer is None:
            timeout_s = DISCONNECTED_EXIT_S if self.is_disconnected else STALLED_EXIT_S
            self._exit_timer = threading.Timer(timeout_s, self._force_exit, [code])
            self._exit_timer.daemon = True
            self._exit_timer.start()

    def _force_exit(self, code: int) -> None:
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        os._exit(code)

    # Suspend and resume

    def handle_stop_signal(self) -> None:
        """Restore the terminal, then stop the process."""
        if self.restarts_after_stop:
            # In the loop: a signal handler may have interrupted a write that holds a lock.
            self.loop.call_soon_threadsafe(self._suspend)
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _suspend(self) -> None:
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def handle_continue_signal(self) -> None:
        """Start application mode again."""
        if self.restarts_after_stop:
            self.loop.call_soon_threadsafe(self._take_terminal_again)

    def _take_terminal_again(self) -> None:
        if self.is_active:
            # Stopped by SIGSTOP, which cannot be handled: the terminal may be in any state.
            self.suspend_application_mode()
        self.resume()

    # Sizes

    def _size_changed(self, *_: object) -> None:
        # Also where the terminal reports sizes in band: a multiplexer in between may not.
        # Signals interrupt their own handlers: many at once would exceed the recursion limit.
        if not self._size_pending:
            self._size_pending = True
            self.loop.call_soon_threadsafe(self._observe_size)

    def _observe_size(self) -> None:
        self._size_pending = False
        self._resizing.observe()

    def _resized(self, reported: Resize | None) -> None:
        if reported is None:
            size = Size(*self.read_size())
            reported = Resize(size, size)
        self.app.call_later(self._delay_painting)
        self.send_message(reported)

    def _delay_painting(self) -> None:
        # Widgets get their new sizes one after the other: that would paint three full frames.
        if is_ready(self.app):  # before, there is no screen
            self.app.delay_update(RESIZE_PAINT_DELAY_S)

    def terminal_size(self) -> tuple[int, int] | None:
        """Columns and rows as the terminal reports them, whatever the environment holds."""
        try:
            columns, rows = os.get_terminal_size(self.output.fileno())
        except OSError:
            return None
        return columns or 80, rows or 24

    # Input

    def process_message(self, message: Message) -> None:
        """Handle sizes and cursor reports; remove control characters from a pasted text.

        An input field would write them to the terminal.
        """
        if isinstance(message, Paste):
            text = "".join(c for c in message.text if c in "\r\n\t" or safe_line(c) == c)
            message = Paste(text)
        elif isinstance(message, CursorPosition):
            self.loop.call_soon_threadsafe(self.link.record_answer, self.link.answer_received())
            return
        elif isinstance(message, Resize):
            message.set_sender(self.app)
            self.loop.call_soon_threadsafe(self._resizing.observe, message)
            return
        super().process_message(message)

    def input_failed(self, error: Exception) -> None:
        """Exit if the terminal is disconnected; otherwise pass the error to the app."""
        if self.is_disconnected:
            self.loop.call_soon_threadsafe(self.exit_app, _HANGUP)
        else:
            self.app.call_later(fail, self.app, error)
