"""Options that become settings, and the settings loaded from them."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from runqy_tui.config import DEPTHS, NOTIFY, Settings, load_settings
from runqy_tui.model.errors import UsageError


def ask_password() -> str:
    """Read a password from the terminal without echo. Works while output is piped.

    Raises:
        UsageError: there is no terminal, or no password was entered.
    """
    import getpass

    try:
        with _interruptible(), warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            password = getpass.getpass("Redis password: ")
    except (getpass.GetPassWarning, OSError):
        raise UsageError(
            "--ask-password requires a terminal, and there is none. In scripts, use "
            "--password-file or RUNQY_REDIS_PASSWORD."
        ) from None
    except EOFError:
        password = ""
    except UnicodeDecodeError:
        raise UsageError("--ask-password: the input is not valid UTF-8.") from None
    if not password or any("\ud800" <= char <= "\udfff" for char in password):
        what = "is not valid UTF-8" if password else "is empty"
        raise UsageError(f"--ask-password: the password that was typed {what}.")
    return password


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make Ctrl+C raise, so that the terminal's echo is restored: one-shot commands just end.

    If the parent process ignores SIGINT, it remains ignored.
    """
    import signal

    before = signal.getsignal(signal.SIGINT)
    ends = before is signal.SIG_DFL
    if ends:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ends:
            signal.signal(signal.SIGINT, before)


Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_URL_HELP = (
    "Redis to monitor: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://. "
    "Default: $RUNQY_REDIS_URL, $REDIS_URL, runqy's own $REDIS_HOST, $REDIS_PORT, "
    "$REDIS_PASSWORD, $REDIS_TLS and $REDIS_DB, config.toml, or redis://localhost:6379/0. Do not "
    "include a password here: all users of the machine can read it."
)
_OPTIONS = (
    click.option("--url", metavar="URL", help=_URL_HELP),
    click.option(
        "--profile",
        metavar="NAME",
        help="Profile of config.toml to use. Default: $RUNQY_TUI_PROFILE, or the file's default.",
    ),
    click.option("--no-profile", "profile", flag_value="", help="Use no profile."),
    click.option("--username", metavar="NAME", help="Redis user. Also $RUNQY_REDIS_USERNAME."),
    click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="File with the password; - is standard input. Also $RUNQY_REDIS_PASSWORD_FILE, or "
        "the password itself in $RUNQY_REDIS_PASSWORD.",
    ),
    click.option(
        "--ask-password",
        is_flag=True,
        default=None,
        help="Ask for the password on the terminal.",
    ),
    click.option(
        "--sentinel-username", metavar="NAME", help="Sentinel user; Sentinels have their own users."
    ),
    click.option(
        "--sentinel-password-file",
        type=_FILE,
        metavar="FILE",
        help="File with the Sentinels' password. Also $RUNQY_REDIS_SENTINEL_PASSWORD.",
    ),
    click.option("--tls-ca", type=_FILE, metavar="FILE", help="CA to trust (PEM)."),
    click.option("--tls-cert", type=_FILE, metavar="FILE", help="Client certificate (PEM)."),
    click.option("--tls-key", type=_FILE, metavar="FILE", help="Key of the client certificate."),
    click.option(
        "--tls-server-name", metavar="NAME", help="Name in the certificate, if not the host's."
    ),
    click.option(
        "--tls-insecure",
        is_flag=True,
        default=None,
        help="Do not verify the server's certificate. The screen shows this permanently.",
    ),
    click.option("--client-name", metavar="NAME", help="Name in CLIENT LIST. Default: runqy-tui."),
    click.option("--interval", type=float, metavar="S", help="Seconds between polls. Default: 2."),
    click.option(
        "--budget",
        type=int,
        metavar="N",
        help="Maximum number of commands per second, for large fleets. Default: 2000.",
    ),
    click.option("--timeout", type=float, metavar="S", help="Redis timeout (seconds). Default: 3."),
    click.option(
        "--mouse/--no-mouse", default=None, help="Use the mouse, or leave it to the terminal."
    ),
    click.option(
        "--low-bandwidth/--no-low-bandwidth",
        default=None,
        help="Send less to the terminal: no mouse, no animation, coarse ages, 16 colours. Default: "
        "automatic on a slow link, with all colours. Also $RUNQY_TUI_LOW_BANDWIDTH.",
    ),
    click.option(
        "--colours",
        "--colors",
        "colours",
        type=click.Choice(DEPTHS),
        help="Colour depth. Default: as the terminal reports. Also $RUNQY_TUI_COLOURS.",
    ),
    click.option(
        "--rules", type=_FILE, metavar="F", help="File of alert rules. Default: the built-in ones."
    ),
    click.option(
        "--notify",
        type=click.Choice(NOTIFY),
        help="Announce firing alerts by bell or desktop notification (OSC 9). Default: none.",
    ),
)
_PREFERENCES = frozenset(
    {"interval", "budget", "timeout", "mouse", "low_bandwidth", "colours", "rules", "notify"}
)


def settings_options(command: Decorated) -> Decorated:
    """Add all flags that become settings to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def server_flag(given: Mapping[str, Any]) -> str | None:
    """Return the first given flag about the address of Redis or credentials, or ``None``."""
    for name, value in given.items():
        if value is not None and name not in _PREFERENCES:
            return f"--{name.replace('_', '-')}" if value != "" else "--no-profile"
    return None


def settings_loader(given: Mapping[str, Any]) -> Callable[..., Settings]:
    """Return a function that loads the settings and prints their warnings.

    The function raises ConfigError or UsageError as :func:`runqy_tui.config.load_settings` does.
    """

    def load(*, connect: bool = True) -> Settings:
        flags = dict(given)
        if flags.pop("ask_password", None):
            flags["ask_password"] = ask_password
        settings = load_settings(os.environ, connect=connect, **flags)
        for warning in settings.warnings:
            _warn(warning)
        return settings

    return load


def _warn(text: str) -> None:
    from runqy_tui.text.safe import safe_line

    if sys.stderr is not None:
        sys.stderr.write(f"runqy-tui: warning: {safe_line(text)}\n")
        sys.stderr.flush()
