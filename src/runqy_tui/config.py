"""Settings: flags, then environment, then ``config.toml``, then defaults.

Every bad value is an error that names the setting, the value and the mend. A password is never
part of a message: values that may hold one are named but not shown.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runqy_tui.errors import ConfigError

DEFAULT_URL = "redis://localhost:6379/0"
INTERVALS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Steps of the refresh interval, in seconds, for the keys ``+`` and ``-``."""

_MIN_INTERVAL_S, _MAX_INTERVAL_S = 0.2, 3600.0
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_FILE_SETTINGS = frozenset({"url", "interval", "timeout", "mouse", "keys"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings. ``url`` may hold a password, so it stays out of ``repr``.

    ``interval_s`` and ``timeout_s`` are seconds. ``keys`` maps a binding's id to the keys the
    user wants for it. ``url_source`` says where the URL came from, for error messages. ``name``
    is shown before the address, so that nobody takes one Redis for another.
    """

    url: str = field(default=DEFAULT_URL, repr=False)
    url_source: str = "the default"
    name: str | None = None
    interval_s: float = 2.0
    timeout_s: float = 3.0
    mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)


def config_path(env: Mapping[str, str]) -> Path:
    """Where ``config.toml`` is looked for; nothing is created."""
    if override := env.get("RUNQY_TUI_CONFIG"):
        return Path(override)
    import platformdirs

    return platformdirs.user_config_path("runqy-tui", ensure_exists=False) / "config.toml"


def load_settings(
    env: Mapping[str, str],
    *,
    url: str | None = None,
    interval: float | None = None,
    timeout: float | None = None,
    mouse: bool | None = None,
) -> Settings:
    """Merge flags (``None`` = not given), environment and file.

    Raises:
        ConfigError: a value is out of range, of the wrong type or unreadable.
    """
    file = _read_file(config_path(env), required="RUNQY_TUI_CONFIG" in env)
    source_url, source = _resolve_url(env, url, file)
    return Settings(
        url=source_url,
        url_source=source,
        interval_s=_seconds("interval", interval, file, 2.0),
        timeout_s=_seconds("timeout", timeout, file, 3.0),
        mouse=_boolean("mouse", mouse, file, default=True),
        keys=_keys(file.get("keys", {})),
    )


def _resolve_url(
    env: Mapping[str, str], flag: str | None, file: Mapping[str, Any]
) -> tuple[str, str]:
    if flag is not None:
        return flag, "--url"
    for name in ("RUNQY_REDIS_URL", "REDIS_URL"):
        if value := env.get(name):
            return value, name
    if env.get("REDIS_HOST"):
        return _url_from_parts(env), "REDIS_HOST"
    if "url" in file:
        if not isinstance(file["url"], str):
            raise ConfigError("config.toml: url must be a string, as in redis://host:6379/0.")
        return file["url"], "config.toml"
    return DEFAULT_URL, "the default"


def _url_from_parts(env: Mapping[str, str]) -> str:
    """Build a URL from runqy's own variables (``REDIS_HOST``, ``REDIS_PORT``…)."""
    tls = env.get("REDIS_TLS", "").strip().lower()
    if tls not in _TRUE | _FALSE:
        raise ConfigError(f"REDIS_TLS={tls!r} is neither true nor false.")
    host, port = env["REDIS_HOST"].strip(), env.get("REDIS_PORT", "").strip()
    name, colon, inline_port = host.rpartition(":")
    if colon and inline_port.isdigit() and ":" not in name:
        host, port = name, port or inline_port
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    port = port or "6379"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"REDIS_PORT={port!r} is not a port number (1 to 65535).")
    db = env.get("REDIS_DB", "").strip() or "0"
    if not db.isdigit():
        raise ConfigError(f"REDIS_DB={db!r} is not a database number (0 or more).")
    password = env.get("REDIS_PASSWORD", "")
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{'rediss' if tls in _TRUE else 'redis'}://{login}{host}:{port}/{db}"


def _read_file(path: Path, *, required: bool) -> Mapping[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise ConfigError(f"RUNQY_TUI_CONFIG names {path}, which does not exist.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    if unknown := sorted(set(data) - _FILE_SETTINGS):
        known = ", ".join(sorted(_FILE_SETTINGS))
        raise ConfigError(f"{path}: unknown setting {unknown[0]!r}; known are {known}.")
    return data


def _seconds(name: str, flag: float | None, file: Mapping[str, Any], default: float) -> float:
    value = flag if flag is not None else file.get(name, default)
    where = f"--{name}" if flag is not None else f"config.toml: {name}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{where} must be a number of seconds, not {value!r}.")
    if not _MIN_INTERVAL_S <= value <= _MAX_INTERVAL_S:
        raise ConfigError(
            f"{where} {value:g} is out of range: {_MIN_INTERVAL_S:g} to {_MAX_INTERVAL_S:g} s."
        )
    return float(value)


def _boolean(name: str, flag: bool | None, file: Mapping[str, Any], *, default: bool) -> bool:
    value = flag if flag is not None else file.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"config.toml: {name} must be true or false, not {value!r}.")
    return value


def _keys(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(keys, str) for keys in value.values()):
        raise ConfigError('config.toml: [keys] maps a binding to keys, as in quit = "q,ctrl+c".')
    return {str(name): keys for name, keys in value.items()}
