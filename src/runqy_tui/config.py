"""Settings: flags, then environment, then ``config.toml``, then defaults.

Every bad value is an error that names the setting, the value and the mend. A password is never
part of a message: values that may hold one are named but not shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runqy_tui.access import Access
from runqy_tui.errors import ConfigError

DEFAULT_URL = "redis://localhost:6379/0"
INTERVALS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Steps of the refresh interval, in seconds, for the keys ``+`` and ``-``."""

_MIN_INTERVAL_S, _MAX_INTERVAL_S = 0.2, 3600.0
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_PARTS = ("REDIS_PORT", "REDIS_PASSWORD", "REDIS_TLS", "REDIS_DB")
_HOST_NAME = re.compile(r"[^\s/@?#%:\[\]]+")
_LONGEST_SHOWN = 60
NOTIFY = ("none", "bell", "osc9")
"""How a firing alert is announced: not at all, by the bell, or by a desktop notification."""

_FILE_SETTINGS = frozenset({"url", "interval", "timeout", "mouse", "keys", "rules", "notify"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings. ``url`` may hold a password, so it stays out of ``repr``.

    ``interval_s`` and ``timeout_s`` are seconds. ``keys`` maps a binding's id to the keys the
    user wants for it. ``url_source`` says where the URL came from, for error messages. ``name``
    is shown before the address, so that nobody takes one Redis for another. ``rules`` is a file
    of alert rules (the built-in ones if ``None``), ``notify`` one of :data:`NOTIFY`. ``access``
    is how to get in. ``profile`` is the name of the profile in force, ``colour`` the one its bar
    has on screen.
    """

    url: str = field(default=DEFAULT_URL, repr=False)
    url_source: str = "the default"
    access: Access = field(default_factory=Access)
    name: str | None = None
    profile: str | None = None
    colour: str | None = None
    interval_s: float = 2.0
    timeout_s: float = 3.0
    mouse: bool = True
    rules: Path | None = None
    notify: str = "none"
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
    rules: Path | None = None,
    notify: str | None = None,
) -> Settings:
    """Merge flags (``None`` = not given), environment and file.

    Raises:
        ConfigError: a value is out of range, of the wrong type or unreadable.
    """
    file = _read_file(config_path(env), required=bool(env.get("RUNQY_TUI_CONFIG")))
    source_url, source = _resolve_url(env, url, file)
    _check_url(source_url, source)
    return Settings(
        url=source_url,
        url_source=source,
        interval_s=_seconds("interval", interval, file, 2.0),
        timeout_s=_seconds("timeout", timeout, file, 3.0),
        mouse=_boolean("mouse", mouse, file, default=True),
        rules=_rules(rules, file),
        notify=_notify(notify, file),
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
    parts = {name: env[name] for name in _PARTS if env.get(name)}
    if "://" in parts.get("REDIS_PORT", ""):
        del parts["REDIS_PORT"]  # Kubernetes sets tcp://… beside any service named redis
    return (_url_from_parts(parts), "REDIS_*") if parts else (DEFAULT_URL, "the default")


def _check_url(url: str, source: str) -> None:
    """Refuse a URL whose password would be taken for something else, and then be shown."""
    behind = "".join(re.split(r"[?#]", url, maxsplit=1)[1:])
    if "@" in behind:
        raise ConfigError(
            f"{source} has an @ behind a ? or #. Write special characters of a password in "
            "%-code: ? is %3F, # is %23, @ is %40."
        )
    if not _is_text(url):
        raise ConfigError(f"{source} is not valid UTF-8. Write its odd bytes in %-code.")


def _url_from_parts(env: Mapping[str, str]) -> str:
    """Build a URL from runqy's own variables (``REDIS_HOST``, ``REDIS_PORT``…)."""
    tls = env.get("REDIS_TLS", "").strip().lower()
    if tls not in _TRUE | _FALSE:
        raise ConfigError(f"REDIS_TLS={_shown(tls)} must be true or false.")
    host, inline_port = _split_host(env.get("REDIS_HOST", "").strip() or "localhost")
    named = "REDIS_PORT" if env.get("REDIS_PORT", "").strip() else "the port in REDIS_HOST"
    port = env.get("REDIS_PORT", "").strip() or inline_port or "6379"
    _check_number(named, port, 1, 65_535)
    db = env.get("REDIS_DB", "").strip() or "0"
    _check_number("REDIS_DB", db, 0, 999_999)
    password = env.get("REDIS_PASSWORD", "")
    if not _is_text(password):
        raise ConfigError("REDIS_PASSWORD is not valid UTF-8. Set it again, as UTF-8.")
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{'rediss' if tls in _TRUE else 'redis'}://{login}{host}:{port}/{db}"


def _split_host(host: str) -> tuple[str, str]:
    """Host as a URL spells it, and the port where one is given: ``h``, ``h:1``, ``[::1]:1``."""
    name, colon, port = host.rpartition(":")
    if not colon or (":" in name and not name.endswith("]")):
        name, port = host, ""
    if _HOST_NAME.fullmatch(name):
        return name, port
    import ipaddress

    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    valid = ":" in bare
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"REDIS_HOST={_shown(host)} is no host name or address. "
            "Write it bare, as in redis.internal, or set RUNQY_REDIS_URL."
        )
    return f"[{bare.replace('%', '%25')}]", port


def _check_number(name: str, text: str, low: int, high: int) -> None:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not digits or not low <= int(text) <= high:
        raise ConfigError(f"{name}={_shown(text)} must be a number from {low} to {high}.")


def _shown(value: str) -> str:
    """The value, unless it may hold a password (a URL put in the wrong variable) or is long."""
    return "(not shown)" if "@" in value or len(value) > _LONGEST_SHOWN else repr(value)


def _is_text(value: str) -> bool:
    """Whether the value has no bytes that were not UTF-8 when the environment was read."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _read_file(path: Path, *, required: bool) -> Mapping[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise ConfigError(f"RUNQY_TUI_CONFIG names {path}, which does not exist.") from None
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8: save it as UTF-8.") from None
    except ValueError as error:  # TOMLDecodeError, and numbers too long to be any
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
        bounds = f"{_MIN_INTERVAL_S:g} to {_MAX_INTERVAL_S:g} s"
        raise ConfigError(f"{where} {str(value)[:20]} is out of range: {bounds}.")
    return float(value)


def _boolean(name: str, flag: bool | None, file: Mapping[str, Any], *, default: bool) -> bool:
    value = flag if flag is not None else file.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"config.toml: {name} must be true or false, not {value!r}.")
    return value


def _rules(flag: Path | None, file: Mapping[str, Any]) -> Path | None:
    value = file.get("rules")
    if flag is not None or value is None:
        return flag
    if not isinstance(value, str):
        raise ConfigError(f"config.toml: rules must be the name of a file, not {value!r}.")
    return Path(value).expanduser()


def _notify(flag: str | None, file: Mapping[str, Any]) -> str:
    value = flag if flag is not None else file.get("notify", "none")
    if value not in NOTIFY:
        raise ConfigError(f"config.toml: notify must be one of {', '.join(NOTIFY)}, not {value!r}.")
    return str(value)


def _keys(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(keys, str) for keys in value.values()):
        raise ConfigError('config.toml: [keys] maps a binding to keys, as in "app.quit" = "q,f10".')
    return {str(name): keys for name, keys in value.items()}
