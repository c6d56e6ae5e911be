"""What every command of the line needs: a reader, an event loop, and words for wrong usage."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runqy_tui.config import Settings
from runqy_tui.model.errors import ConfigError
from runqy_tui.runtime.gc_control import loaded

if TYPE_CHECKING:
    from runqy_tui.model.reader_protocol import Reader

LoadSettings = Callable[[], Settings]
"""Called when a command runs: its ``--help`` needs no valid settings."""

Outcome = TypeVar("Outcome")

BROKEN_PIPE = 141
"""Exit code when the reader of our output has gone: 128 + SIGPIPE."""


async def open_for(settings: Settings, *, budget: int | None = None) -> Reader:
    """Connect as the settings say; an error of the URL names where it came from.

    ``budget`` is for who polls again and again: without one, each overview reads everything.
    """
    from runqy_tui.redis.reader import open_reader

    loaded()
    with naming_source(settings):
        return await open_reader(
            settings.url, access=settings.access, timeout=settings.timeout_s, budget=budget
        )


@contextmanager
def naming_source(settings: Settings) -> Iterator[None]:
    """Let an error of the URL say where the URL came from."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{settings.url_source}: {error}") from None


def run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run to the end, or until interrupted."""
    try:
        with _interruptible():
            return asyncio.run(work)
    except BrokenPipeError:
        # The reader of our output went away, as with `| head`. Click would exit with 1, which
        # here means that there is no such task.
        drop_output()
        raise SystemExit(BROKEN_PIPE) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C end the process at once: there is nothing to tidy up after a question.

    asyncio's own way is to cancel a task, which Python 3.11's ``wait_for`` loses at times. Where
    the parent has SIGINT ignored, it stays so.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def drop_output() -> None:
    """Nobody reads any more: keep the interpreter's last flush from failing with its own code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def usage_text(error: click.ClickException) -> str:
    """Click's message without the rest of a URL that stands in the wrong place."""
    message = error.format_message()
    text = re.sub(r"://.*", "://…", message, flags=re.DOTALL)
    hint = " A Redis URL goes after --url." if text != message else ""
    context = getattr(error, "ctx", None)
    command = "runqy-tui" if context is None else context.command_path
    return f"{text}{hint} Try: {command} --help"
