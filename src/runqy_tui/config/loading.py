"""Merges all sources into :class:`~runqy_tui.config.settings.Settings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

from runqy_tui.config import validation
from runqy_tui.config.config_file import ConfigFile, active_profile, exposure_warnings, read_config
from runqy_tui.config.credential_sources import CredentialSources, read_credentials, trusted_sources
from runqy_tui.config.redis_address import RedisAddress, resolve_address
from runqy_tui.config.setting_sources import SettingKind, Source, environment_source, find_setting
from runqy_tui.config.settings import DEFAULT_BUDGET, DEFAULT_URL, Settings

T = TypeVar("T")


class Flags(TypedDict, total=False):
    """Flags of the command line; ``None`` means not given.

    An empty ``profile`` means no profile. ``ask_password`` prompts for the password; it is called
    only after the other settings have been validated.
    """

    url: str | None
    profile: str | None
    username: str | None
    password_file: Path | None
    ask_password: Callable[[], str] | None
    sentinel_username: str | None
    sentinel_password_file: Path | None
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    tls_server_name: str | None
    tls_insecure: bool | None
    client_name: str | None
    interval: float | None
    budget: int | None
    timeout: float | None
    mouse: bool | None
    low_bandwidth: bool | str | None
    colours: str | None
    rules: Path | None
    notify: str | None


def load_settings(
    env: Mapping[str, str], *, connect: bool = True, **flags: Unpack[Flags]
) -> Settings:
    """Merge flags, environment and file.

    A profile named by ``--profile`` takes precedence over the environment; one that is active by
    other means does not. ``connect=False`` omits address and credentials, for the demo, which
    starts its own server.

    Raises:
        ConfigError: a value is out of range, of the wrong type or unreadable.
        UsageError: flags contradict each other, or there is no terminal to ask for the password.
    """
    file = read_config(env)
    sources = _sources(file, env, flags)
    found = RedisAddress(DEFAULT_URL, "the default", None)
    own: tuple[Source, ...] = ()
    preferences = _preferences(sources, file)
    if connect:
        found = resolve_address(sources, env)
        own = trusted_sources(sources, found)
    identity = _identity(own)
    credentials = CredentialSources()
    if connect:
        credentials = read_credentials(sources, own, found, flags.get("ask_password"))
    return Settings(
        url=found.url,
        url_source=found.where,
        access=credentials.access,
        unverified=credentials.access.tls_insecure or found.unverified,
        warnings=(
            *exposure_warnings(file, [s.values for s in own if s.in_file]),
            *credentials.warnings,
        ),
        **identity,
        **preferences,
    )


def _sources(file: ConfigFile, env: Mapping[str, str], flags: Flags) -> list[Source]:
    excluded = ("profile", "ask_password")
    given = {n: v for n, v in flags.items() if v is not None and n not in excluded}
    sources = [Source(SettingKind.FLAGS, given), environment_source(env)]
    profile = active_profile(file, env, flags.get("profile"))
    if profile is not None:
        sources.insert(1 if flags.get("profile") is not None else 2, profile)
    return [*sources, Source(SettingKind.TOP, file.top, file.folder)]


def _preferences(sources: Sequence[Source], file: ConfigFile) -> dict[str, Any]:
    rules = find_setting(sources, "rules")
    return {
        "interval_s": _value(sources, "interval", validation.seconds, 2.0),
        "budget": _value(sources, "budget", validation.commands, DEFAULT_BUDGET),
        "timeout_s": _value(sources, "timeout", validation.seconds, 3.0),
        "mouse": _value(sources, "mouse", validation.boolean, True),
        "low_bandwidth": _value(sources, "low_bandwidth", validation.low_bandwidth, None),
        "depth": _value(sources, "colours", validation.depth, "auto"),
        "rules": rules and validation.file_name(rules.value, rules.where, rules.source.folder),
        "notify": _value(sources, "notify", validation.notify, "none"),
        "keys": validation.keys(file.top.get("keys", {})),
    }


def _identity(own: Sequence[Source]) -> dict[str, Any]:
    """Name and colour of this Redis on screen; none where the address is not from the file."""
    profile = next((source.profile for source in own if source.kind is SettingKind.PROFILE), None)
    return {
        "profile": profile,
        "name": _value(own, "name", validation.label, profile),
        "colour": _value(own, "colour", validation.colour, None),
        "marked_read_only": _value(own, "read_only", validation.read_only, False),
    }


def _value(
    sources: Sequence[Source], name: str, check: Callable[[object, str], T], default: T
) -> T:
    found = find_setting(sources, name)
    return default if found is None else check(found.value, found.where)
