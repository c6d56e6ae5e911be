"""What every command needs: a reader, an event loop, and texts of usage errors."""

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
"""Called when a command runs: ``--help`` must work without valid settings."""

Outcome = TypeVar("Outcome")

BROKEN_PIPE = 141
"""Exit code when the reader of the output has closed it: 128 + SIGPIPE."""


async def open_for(settings: Settings, *, budget: int | None = None) -> Reader:
    """Connect to the Redis of the settings.

    ``budget`` (commands per second) is for repeated polls; without it each overview reads
    everything.

    Raises:
        ConfigError: the URL is invalid; the message names its source.
        ConnectionFailedError: Redis cannot be reached.
        AccessDeniedError: Redis rejects the credentials.
    """
    from runqy_tui.redis.reader import open_reader

    loaded()
    with naming_source(settings):
        return await open_reader(
            settings.url, access=settings.access, timeout=settings.timeout_s, budget=budget
        )


@contextmanager
def naming_source(settings: Settings) -> Iterator[None]:
    """Prefix ConfigErrors about the URL with the URL's source."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{settings.url_source}: {error}") from None


def run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run a coroutine to its end, or until interrupted.

    Raises SystemExit where the reader of the output has closed it.
    """
    try:
        with _interruptible():
            return asyncio.run(work)
    except BrokenPipeError:
        # The reader of the output has closed it, as with `| head`. Click would exit with 1, which
        # means "not found" here.
        drop_output()
        raise SystemExit(BROKEN_PIPE) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make Ctrl+C end the process at once: a one-shot command has nothing to clean up.

    asyncio would cancel a task, which Python 3.11's ``wait_for`` sometimes loses. If the parent
    process ignores SIGINT, it remains ignored.
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
    """Discard output that has no reader, so that the interpreter's final flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def usage_text(error: click.ClickException) -> str:
    """Return Click's message without the rest of a misplaced URL, which may contain a password."""
    message = error.format_message()
    text = re.sub(r"://.*", "://…", message, flags=re.DOTALL)
    hint = " A Redis URL goes after --url." if text != message else ""
    context = getattr(error, "ctx", None)
    command = "runqy-tui" if context is None else context.command_path
    return f"{text}{hint} Try: {command} --help"
