"""Passwords that lie in files, and who else may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runqy_tui.model.errors import ConfigError

_LARGEST = 65_536
_STANDARD_INPUT = "-"


def secret_of(path: Path, where: str) -> tuple[str, tuple[str, ...]]:
    """The password in a file, less one newline at its end, and warnings about the file.

    A file that all may read is used all the same: that is how containers mount secrets. A path
    that ends in ``-`` is standard input. ``where`` is the setting that names the file.

    Raises:
        ConfigError: the file cannot be read, is empty, too large, or no UTF-8.
    """
    standard = path.name == _STANDARD_INPUT
    if standard and os.isatty(0):
        raise ConfigError(f"{where}: standard input is a terminal. There, use --ask-password.")
    try:
        with (Path("/dev/stdin") if standard else path).open("rb") as file:
            data = file.read(_LARGEST + 1)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ConfigError(f"{where}: {path} cannot be read: {error.strerror}.") from None
    return _text(data, f"{where}: {path}"), _open_to_all(path, mode) if not standard else ()


def _text(data: bytes, where: str) -> str:
    data = data.removesuffix(b"\r\n") if data.endswith(b"\r\n") else data.removesuffix(b"\n")
    if not data:
        raise ConfigError(f"{where} is empty: write the password in it.")
    if len(data) > _LARGEST:
        raise ConfigError(f"{where} is larger than 64 KiB: no password is.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{where} is not valid UTF-8: save it as UTF-8.") from None


def _open_to_all(path: Path, mode: int) -> tuple[str, ...]:
    return (too_open(path),) if stat.S_ISREG(mode) and mode & stat.S_IROTH else ()


def too_open(path: Path) -> str:
    """The warning about a file with a password that all may read."""
    return f"{path} holds a password, and every user of this machine may read it: chmod 600 it."
