"""All sources merged into :class:`~runqy_tui.config.settings.Settings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

from runqy_tui.config import validation
from runqy_tui.config.config_file import ConfigFile, chosen, exposed, read_config
from runqy_tui.config.credential_sources import CredentialSources, allowed, entry
from runqy_tui.config.redis_address import RedisAddress, address
from runqy_tui.config.setting_sources import SettingKind, Source, environment, pick
from runqy_tui.config.settings import DEFAULT_BUDGET, DEFAULT_URL, Settings

T = TypeVar("T")


class Flags(TypedDict, total=False):
    """What the command line may give; ``None`` is the same as not given.

    ``profile`` may be empty: then no profile is used. ``ask_password`` asks for the password when
    it is called, and not before the other settings are known to be valid.
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

    A profile that ``--profile`` names counts more than the environment; one that is in force
    without that counts less. ``connect=False`` leaves out everything about where Redis is and
    how to get in: for the demo, which has a server of its own.

    Raises:
        ConfigError: a value is out of range, of the wrong type or unreadable.
        UsageError: flags contradict each other, or there is nobody to ask for the password.
    """
    file = read_config(env)
    sources = _sources(file, env, flags)
    found = RedisAddress(DEFAULT_URL, "the default", None)
    own: tuple[Source, ...] = ()
    habits = _habits(sources, file)
    if connect:
        found = address(sources, env)
        own = allowed(sources, found)
    identity = _identity(own)
    way = CredentialSources()
    if connect:
        way = entry(sources, own, found, flags.get("ask_password"))
    return Settings(
        url=found.url,
        url_source=found.where,
        access=way.access,
        unverified=way.access.tls_insecure or found.unverified,
        warnings=(*exposed(file, [s.values for s in own if s.in_file]), *way.warnings),
        **identity,
        **habits,
    )


def _sources(file: ConfigFile, env: Mapping[str, str], flags: Flags) -> list[Source]:
    apart = ("profile", "ask_password")
    given = {n: v for n, v in flags.items() if v is not None and n not in apart}
    sources = [Source(SettingKind.FLAGS, given), environment(env)]
    profile = chosen(file, env, flags.get("profile"))
    if profile is not None:
        sources.insert(1 if flags.get("profile") is not None else 2, profile)
    return [*sources, Source(SettingKind.TOP, file.top, file.folder)]


def _habits(sources: Sequence[Source], file: ConfigFile) -> dict[str, Any]:
    rules = pick(sources, "rules")
    return {
        "interval_s": _said(sources, "interval", validation.seconds, 2.0),
        "budget": _said(sources, "budget", validation.commands, DEFAULT_BUDGET),
        "timeout_s": _said(sources, "timeout", validation.seconds, 3.0),
        "mouse": _said(sources, "mouse", validation.boolean, True),
        "low_bandwidth": _said(sources, "low_bandwidth", validation.low_bandwidth, None),
        "depth": _said(sources, "colours", validation.depth, "auto"),
        "rules": rules and validation.file_name(rules.value, rules.where, rules.source.folder),
        "notify": _said(sources, "notify", validation.notify, "none"),
        "keys": validation.keys(file.top.get("keys", {})),
    }


def _identity(own: Sequence[Source]) -> dict[str, Any]:
    """What the screen calls this Redis; nothing, where the address is not the file's."""
    profile = next((source.profile for source in own if source.kind is SettingKind.PROFILE), None)
    return {
        "profile": profile,
        "name": _said(own, "name", validation.label, profile),
        "colour": _said(own, "colour", validation.colour, None),
        "marked_read_only": _said(own, "read_only", validation.read_only, False),
    }


def _said(sources: Sequence[Source], name: str, check: Callable[[object, str], T], default: T) -> T:
    found = pick(sources, name)
    return default if found is None else check(found.value, found.where)
