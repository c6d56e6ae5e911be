"""``config.toml`` and its profiles: located, read and checked for unknown names. Never created."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runqy_tui.config import validation
from runqy_tui.config.credential_sources import world_readable_warning
from runqy_tui.config.setting_sources import SettingKind, Source, find_setting
from runqy_tui.config.settings import DEFAULT_URL
from runqy_tui.config.validation import label, nearest, shown
from runqy_tui.model.errors import ConfigError

SECRETS = ("password", "sentinel_password")
CONNECTION = frozenset(
    {
        "url",
        "username",
        "password",
        "password_file",
        "sentinel_username",
        "sentinel_password",
        "sentinel_password_file",
        "tls_ca",
        "tls_cert",
        "tls_key",
        "tls_server_name",
        "tls_insecure",
        "name",
        "colour",
        "read_only",
    }
)
"""Settings of one Redis; a profile with its own URL inherits none of them."""

PREFERENCES = frozenset(
    {
        *("interval", "budget", "timeout", "rules", "notify", "client_name"),
        *("low_bandwidth", "colours"),
    }
)
"""Preferences: a profile may set them, and the top level sets them for all profiles."""

IN_PROFILE = CONNECTION | PREFERENCES
AT_TOP = IN_PROFILE | {"mouse", "keys", "profile", "profiles"}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The content of a file. ``top`` excludes the profiles; both may contain passwords."""

    path: Path
    top: Mapping[str, Any] = field(default_factory=dict, repr=False)
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    readable_by_all: bool = False

    @property
    def folder(self) -> Path:
        """Folder that relative file names in the file refer to."""
        return self.path.parent


def config_path(env: Mapping[str, str]) -> Path:
    """Return the path of ``config.toml``, which may not exist; nothing is created."""
    if override := env.get("RUNQY_TUI_CONFIG"):
        return Path(override)
    import platformdirs

    return platformdirs.user_config_path("runqy-tui", ensure_exists=False) / "config.toml"


def read_config(env: Mapping[str, str]) -> ConfigFile:
    """Read the file. Returns an empty one where the default path does not exist.

    Raises:
        ConfigError: it cannot be read, is not valid TOML, or contains an unknown setting.
    """
    path = config_path(env)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        mode = path.stat().st_mode
    except FileNotFoundError:
        if env.get("RUNQY_TUI_CONFIG"):
            raise ConfigError(f"RUNQY_TUI_CONFIG names {path}, which does not exist.") from None
        return ConfigFile(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8: save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and numbers that are too long
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    _check_names(data, AT_TOP, f"{path}")
    profiles = data.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise ConfigError(f"{path}: profiles are tables, as in [profiles.prod].")
    for name, table in profiles.items():
        label(name, f"{path}: the name of a profile")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: profile {shown(name)} must be a table: [profiles.{name}].")
        _check_names(table, IN_PROFILE, f"{path}: profile {shown(name)}")
    return ConfigFile(path, data, profiles, bool(mode & stat.S_IROTH) and stat.S_ISREG(mode))


def _check_names(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        hint = (
            nearest(unknown[0], sorted(known)) or f"; known settings: {', '.join(sorted(known))}."
        )
        raise ConfigError(f"{where}: unknown setting {shown(unknown[0])}{hint}")


def exposure_warnings(file: ConfigFile, in_force: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a warning if all users may read the file and a table in use contains a password."""
    if file.readable_by_all and any(_holds_secret(table) for table in in_force):
        return (world_readable_warning(file.path),)
    return ()


def _holds_secret(table: Mapping[str, Any]) -> bool:
    in_url = re.search(r"://[^/@]*:[^@]*@", str(table.get("url", "")))
    return in_url is not None or any(name in table for name in SECRETS)


VARIABLE = "RUNQY_TUI_PROFILE"


@dataclass(frozen=True, slots=True)
class Profile:
    """An entry of the list of profiles. ``url`` may contain a password.

    ``default``: used unless another profile is chosen.
    """

    name: str
    title: str
    url: str = field(repr=False)
    colour: str | None = None
    default: bool = False


def active_profile(file: ConfigFile, env: Mapping[str, str], flag: str | None) -> Source | None:
    """Return the active profile, chosen by flag, variable, or ``profile`` in the file.

    An empty flag means no profile; then ``None`` is returned.

    Raises:
        ConfigError: there is no such profile.
    """
    if flag is not None:
        name, where = flag, "--profile"
    elif variable := env.get(VARIABLE):
        name, where = variable, VARIABLE
    else:
        default = file.top.get("profile", "")
        if not isinstance(default, str):
            raise ConfigError('config.toml: profile must be the name of a profile, as in "prod".')
        name, where = default, "config.toml: profile"
    if not name:
        return None
    table = file.profiles.get(name)
    if table is None:
        raise ConfigError(f"{where}: {_unknown(name, file)}")
    return Source(SettingKind.PROFILE, table, file.folder, name)


def _unknown(name: str, file: ConfigFile) -> str:
    if not file.profiles:
        return f"there is no profile {validation.shown(name)}; {file.path} contains no profiles."
    known = ", ".join(file.profiles)
    hint = validation.nearest(name, file.profiles)
    return f"there is no profile {validation.shown(name)}{hint or '.'} Known profiles: {known}."


def list_profiles(env: Mapping[str, str], flag: str | None = None) -> tuple[Profile, ...]:
    """Return all profiles in the order of the file.

    Raises:
        ConfigError: the file is invalid, or the active profile does not exist.
    """
    file = read_config(env)
    default = active_profile(file, env, flag)
    return tuple(
        _listed(Source(SettingKind.PROFILE, table, file.folder, name), file, default)
        for name, table in file.profiles.items()
    )


def _listed(source: Source, file: ConfigFile, default: Source | None) -> Profile:
    top = Source(SettingKind.TOP, file.top, file.folder)
    own = [source] if "url" in source.values else [source, top]
    url, title, colour = (find_setting(own, name) for name in ("url", "name", "colour"))
    if url is not None and not isinstance(url.value, str):
        raise ConfigError(f"{url.where} must be a string, as in redis://host:6379/0.")
    return Profile(
        source.profile,
        source.profile if title is None else validation.label(title.value, title.where),
        DEFAULT_URL if url is None else url.value,
        None if colour is None else validation.colour(colour.value, colour.where),
        default is not None and default.profile == source.profile,
    )
