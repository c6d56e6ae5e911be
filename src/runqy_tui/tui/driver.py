"""A terminal that is always given back, and a process that ends when its terminal is gone.

Stock Textual 8.2.8 leaves the terminal raw after SIGTERM and SIGHUP, spins at full CPU on a lost
pty whose SIGHUP is ignored, and draws on standard error, so that ``2>file`` hides the screen.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable

from textual.drivers.linux_driver import LinuxDriver

LAST_RESORT_S = 2.0
"""How long an orderly exit may take once the terminal is gone, in seconds."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class RunqyDriver(LinuxDriver):
    """Textual's driver, drawing on standard output."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        if sys.__stdout__ is not None:
            self._file = sys.__stdout__


def exit_on_signals(leave: Callable[[int], None]) -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into an orderly exit that restores the terminal.

    Args:
        leave: called in the running loop with the exit code, 128 + the signal's number.

    A signal that was ignored when the process started (``nohup``) stays ignored.
    """
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, leave, 128 + number)


def terminal_is_gone(fileno: int) -> bool:
    """Whether the other end of the terminal has hung up."""
    poll = select.poll()
    poll.register(fileno, select.POLLHUP | select.POLLERR)
    return any(
        event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0)
    )


def force_exit_later(code: int) -> None:
    """End the process shortly, even if an orderly exit hangs on writes to a dead terminal."""
    timer = threading.Timer(LAST_RESORT_S, os._exit, [code])
    timer.daemon = True
    timer.start()
