"""Asks for the password, on the terminal itself and without showing it."""

from __future__ import annotations

import getpass
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from runqy_tui.model.errors import UsageError


def ask_password() -> str:
    """Read one line from the terminal with its echo off. Works while output is piped.

    Raises:
        UsageError: there is no terminal, or no password was typed.
    """
    try:
        with _interruptible(), warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            password = getpass.getpass("Redis password: ")
    except (getpass.GetPassWarning, OSError):
        raise UsageError(
            "--ask-password needs a terminal to ask on, and there is none. For scripts there are "
            "--password-file and RUNQY_REDIS_PASSWORD."
        ) from None
    except EOFError:
        password = ""
    except UnicodeDecodeError:
        raise UsageError("--ask-password: what was typed is not valid UTF-8.") from None
    if not password or any("\ud800" <= char <= "\udfff" for char in password):
        what = "is not valid UTF-8" if password else "is empty"
        raise UsageError(f"--ask-password: the password that was typed {what}.")
    return password


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C raise, so that the terminal's echo comes back on: one-shot commands just end.

    Where the parent has SIGINT ignored, it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    ends = before is signal.SIG_DFL
    if ends:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ends:
            signal.signal(signal.SIGINT, before)
