"""Sources of settings, and the name that a setting has in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from runqy_tui.config.validation import boolean_word

_PREFIXES = {"low_bandwidth": "RUNQY_TUI_", "colours": "RUNQY_TUI_"}
"""Prefixes of variables that do not concern Redis."""

_IN_ENVIRONMENT = (
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
    "client_name",
)


class SettingKind(Enum):
    """Kind of a source; it determines how messages name its settings."""

    FLAGS = "--"
    ENVIRONMENT = "RUNQY_REDIS_"
    PROFILE = "config.toml: profiles."
    TOP = "config.toml: "


@dataclass(frozen=True, slots=True)
class Source:
    """Settings from one source. ``values`` contains no ``None``; ``profile`` is a profile's name.

    Relative file names refer to ``folder``.
    """

    kind: SettingKind
    values: Mapping[str, Any] = field(repr=False)
    folder: Path = field(default_factory=Path)
    profile: str = ""

    @property
    def in_file(self) -> bool:
        """Whether the source is a part of ``config.toml``."""
        return self.kind in (SettingKind.PROFILE, SettingKind.TOP)

    def where(self, name: str) -> str:
        """Return the name of a setting as the user wrote it."""
        if self.kind is SettingKind.FLAGS:
            return f"--{name.replace('_', '-')}"
        if self.kind is SettingKind.ENVIRONMENT:
            return variable_name(name)
        table = f"profiles.{self.profile}." if self.kind is SettingKind.PROFILE else ""
        return f"config.toml: {table}{name}"


@dataclass(frozen=True, slots=True)
class FoundSetting:
    """A value and where it was found."""

    value: Any = field(repr=False)
    where: str
    source: Source


def find_setting(sources: Sequence[Source], *names: str) -> FoundSetting | None:
    """Return the setting from the strongest source that has any of the names, or ``None``."""
    for source in sources:
        for name in names:
            if name in source.values:
                return FoundSetting(source.values[name], source.where(name), source)
    return None


def variable_name(name: str) -> str:
    """Return the name of a setting's environment variable."""
    return f"{_PREFIXES.get(name, SettingKind.ENVIRONMENT.value)}{name.upper()}"


def environment_source(env: Mapping[str, str]) -> Source:
    """Read ``RUNQY_REDIS_*`` except the URL, and the preferences; an empty variable is unset.

    Raises:
        ConfigError: a variable that must be true or false is neither.
    """
    values: dict[str, Any] = {}
    for name in (*_IN_ENVIRONMENT, "colours"):
        if value := env.get(variable_name(name)):
            values[name] = value
    if low_bandwidth := env.get(variable_name("low_bandwidth")):
        auto = low_bandwidth.strip().lower() == "auto"
        values["low_bandwidth"] = (
            "auto" if auto else boolean_word(low_bandwidth, variable_name("low_bandwidth"))
        )
    if insecure := env.get("RUNQY_REDIS_TLS_INSECURE"):
        values["tls_insecure"] = boolean_word(insecure, "RUNQY_REDIS_TLS_INSECURE")
    return Source(SettingKind.ENVIRONMENT, values)
