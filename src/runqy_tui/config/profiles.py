"""Profiles: named tables of ``config.toml``, one for each Redis that is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runqy_tui.config import validation
from runqy_tui.config.config_file import ConfigFile, read_config
from runqy_tui.config.setting_sources import SettingKind, Source, pick
from runqy_tui.config.settings import DEFAULT_URL
from runqy_tui.model.errors import ConfigError

VARIABLE = "RUNQY_TUI_PROFILE"


@dataclass(frozen=True, slots=True)
class Profile:
    """A line of the list of profiles. ``url`` may hold a password; ``default``: used unasked."""

    name: str
    title: str
    url: str = field(repr=False)
    colour: str | None = None
    default: bool = False


def chosen(file: ConfigFile, env: Mapping[str, str], flag: str | None) -> Source | None:
    """The profile in force: by flag, by variable, or by ``profile`` in the file.

    An empty flag means none of them.

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
            raise ConfigError('config.toml: profile must be the name of one, as in "prod".')
        name, where = default, "config.toml: profile"
    if not name:
        return None
    table = file.profiles.get(name)
    if table is None:
        raise ConfigError(f"{where}: {_unknown(name, file)}")
    return Source(SettingKind.PROFILE, table, file.folder, name)


def _unknown(name: str, file: ConfigFile) -> str:
    if not file.profiles:
        return f"there is no profile {validation.shown(name)}, and none at all in {file.path}."
    known = ", ".join(file.profiles)
    hint = validation.nearest(name, file.profiles)
    return f"there is no profile {validation.shown(name)}{hint or '.'} Known are {known}."


def list_profiles(env: Mapping[str, str], flag: str | None = None) -> tuple[Profile, ...]:
    """All profiles, in the order of the file.

    Raises:
        ConfigError: the file is not valid, or the profile in force does not exist.
    """
    file = read_config(env)
    default = chosen(file, env, flag)
    return tuple(
        _listed(Source(SettingKind.PROFILE, table, file.folder, name), file, default)
        for name, table in file.profiles.items()
    )


def _listed(source: Source, file: ConfigFile, default: Source | None) -> Profile:
    top = Source(SettingKind.TOP, file.top, file.folder)
    own = [source] if "url" in source.values else [source, top]
    url, title, colour = (pick(own, name) for name in ("url", "name", "colour"))
    if url is not None and not isinstance(url.value, str):
        raise ConfigError(f"{url.where} must be a string, as in redis://host:6379/0.")
    return Profile(
        source.profile,
        source.profile if title is None else validation.label(title.value, title.where),
        DEFAULT_URL if url is None else url.value,
        None if colour is None else validation.colour(colour.value, colour.where),
        default is not None and default.profile == source.profile,
    )
