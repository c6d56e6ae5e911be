"""Validation of single values; an error names the setting and what it should be.

In all validators ``where`` is the setting's name for messages; each raises ConfigError where the
value is invalid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runqy_tui.config.settings import COLOURS, DEPTHS, NOTIFY
from runqy_tui.model.errors import ConfigError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})

_MIN_INTERVAL_S, _MAX_INTERVAL_S = 0.2, 3600.0
_MIN_BUDGET, _MAX_BUDGET = 100, 1_000_000
_LONGEST_SHOWN = 60
_LONGEST_NAME = 40
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_CLIENT_NAME = re.compile(r"[!-~]{1,64}")


def shown(value: Any) -> str:
    """Return the value for a message, or a placeholder if it is long or may contain a password."""
    text = repr(value)
    return "(not shown)" if "@" in text or len(text) > _LONGEST_SHOWN + 2 else text


def is_text(value: str) -> bool:
    """Whether the value was valid UTF-8 when it was read from the environment."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint where the word resembles a known one, else an empty string."""
    import difflib

    close = difflib.get_close_matches(word[:64].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def seconds(value: Any, where: str) -> float:
    """Validate a duration of 0.2 s to an hour, in seconds. Raises ConfigError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{where} must be a number of seconds, not {shown(value)}.")
    if not _MIN_INTERVAL_S <= value <= _MAX_INTERVAL_S:
        bounds = f"{_MIN_INTERVAL_S:g} to {_MAX_INTERVAL_S:g} s"
        raise ConfigError(f"{where} {str(value)[:20]} is out of range: {bounds}.")
    return float(value)


def commands(value: Any, where: str) -> int:
    """Validate commands per second, from 100 to a million. Raises ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{where} must be a whole number of commands, not {shown(value)}.")
    if not _MIN_BUDGET <= value <= _MAX_BUDGET:
        bounds = f"{_MIN_BUDGET} to {_MAX_BUDGET:,} commands per second"
        raise ConfigError(f"{where} {str(value)[:20]} is out of range: {bounds}.")
    return value


def boolean(value: Any, where: str) -> bool:
    """Validate true or false. Raises ConfigError."""
    if not isinstance(value, bool):
        raise ConfigError(f"{where} must be true or false, not {shown(value)}.")
    return value


def boolean_word(text: str, where: str) -> bool:
    """Parse true or false as spelled in the environment; empty is false. Raises ConfigError."""
    folded = text.strip().lower()
    if folded not in _TRUE | _FALSE:
        raise ConfigError(f"{where}={shown(folded)} must be true or false.")
    return folded in _TRUE


def notify(value: Any, where: str) -> str:
    """Validate one of :data:`NOTIFY`. Raises ConfigError."""
    if value not in NOTIFY:
        raise ConfigError(f"{where} must be one of {', '.join(NOTIFY)}, not {shown(value)}.")
    return str(value)


def depth(value: Any, where: str) -> str:
    """Validate one of :data:`DEPTHS`, also as a number. Raises ConfigError."""
    text = str(value) if type(value) is int else value
    if text not in DEPTHS:
        raise ConfigError(f"{where} must be one of {', '.join(DEPTHS)}, not {shown(value)}.")
    return str(text)


def low_bandwidth(value: Any, where: str) -> bool | None:
    """Validate true, false or ``auto``; ``None`` means automatic. Raises ConfigError."""
    if value == "auto":
        return None
    if not isinstance(value, bool):
        raise ConfigError(f'{where} must be true, false or "auto", not {shown(value)}.')
    return value


def keys(value: Any) -> Mapping[str, str]:
    """Validate the table ``[keys]``, but not whether the bindings exist. Raises ConfigError."""
    if not isinstance(value, dict) or not all(isinstance(keys, str) for keys in value.values()):
        raise ConfigError('config.toml: [keys] maps a binding to keys, as in "app.quit" = "q,f10".')
    return {str(name): keys for name, keys in value.items()}


def file_name(value: Any, where: str, folder: Path) -> Path:
    """Validate a file name; a relative one refers to ``folder``. Raises ConfigError."""
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{where} must be the name of a file, not {shown(value)}.")
    return folder / Path(value).expanduser()


def secret(value: Any, where: str) -> str:
    """Validate a password, which must not be empty. Raises ConfigError."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where} must be a password in quotes, and not empty.")
    if not is_text(value):
        raise ConfigError(f"{where} is not valid UTF-8. Set it again, as UTF-8.")
    return value


def word(value: Any, where: str) -> str:
    """Validate a name of Redis or of a certificate: one line, not empty. Raises ConfigError."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ConfigError(f"{where} must be a name in one line, and not empty.")
    return value


def label(value: Any, where: str) -> str:
    """Validate a display name. Raises ConfigError."""
    text = word(value, where)
    if len(text) > _LONGEST_NAME:
        raise ConfigError(f"{where} must be at most {_LONGEST_NAME} characters long.")
    return text


def client_name(value: Any, where: str) -> str:
    """Validate a name for CLIENT SETNAME. Raises ConfigError."""
    if not isinstance(value, str) or not _CLIENT_NAME.fullmatch(value):
        raise ConfigError(f"{where} must be 1 to 64 printable ASCII characters without spaces.")
    return value


def colour(value: Any, where: str) -> str:
    """Validate one of :data:`COLOURS` or ``#rrggbb``. Raises ConfigError."""
    text = value.lower() if isinstance(value, str) else ""
    if text in COLOURS or _HEX.fullmatch(text):
        return text
    raise ConfigError(
        f"{where} must be one of {', '.join(COLOURS)}, or as in '#c00000', not {shown(value)}"
        f"{nearest(text, COLOURS) or '.'}"
    )


def read_only(value: Any, where: str) -> bool:
    """Validate ``true``, the only value for a program that never writes. Raises ConfigError."""
    if not boolean(value, where):
        raise ConfigError(
            f"{where} cannot be false: this program never writes. Remove it, or set it to true."
        )
    return True
