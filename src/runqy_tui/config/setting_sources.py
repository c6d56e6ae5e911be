"""Where a setting may stand, from the strongest source to the weakest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from runqy_tui.config.validation import boolean_word

_PREFIXES = {"low_bandwidth": "RUNQY_TUI_", "colours": "RUNQY_TUI_"}
"""Of variables for what has nothing to do with Redis."""

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
    """What a source is; it decides how a setting in it is named."""

    FLAGS = "--"
    ENVIRONMENT = "RUNQY_REDIS_"
    PROFILE = "config.toml: profiles."
    TOP = "config.toml: "


@dataclass(frozen=True, slots=True)
class Source:
    """Settings of one origin. ``values`` has no ``None``; ``profile`` is its name, if it is one.

    ``folder`` is where relative names of files begin.
    """

    kind: SettingKind
    values: Mapping[str, Any] = field(repr=False)
    folder: Path = field(default_factory=Path)
    profile: str = ""

    @property
    def in_file(self) -> bool:
        """Whether it is a part of ``config.toml``."""
        return self.kind in (SettingKind.PROFILE, SettingKind.TOP)

    def where(self, name: str) -> str:
        """The setting as the user wrote it."""
        if self.kind is SettingKind.FLAGS:
            return f"--{name.replace('_', '-')}"
        if self.kind is SettingKind.ENVIRONMENT:
            return variable(name)
        table = f"profiles.{self.profile}." if self.kind is SettingKind.PROFILE else ""
        return f"config.toml: {table}{name}"


@dataclass(frozen=True, slots=True)
class FoundSetting:
    """A value with the place it was found in."""

    value: Any = field(repr=False)
    where: str
    source: Source


def pick(sources: Sequence[Source], *names: str) -> FoundSetting | None:
    """What the strongest source says that has any of the names."""
    for source in sources:
        for name in names:
            if name in source.values:
                return FoundSetting(source.values[name], source.where(name), source)
    return None


def variable(name: str) -> str:
    """The name that a setting has in the environment."""
    return f"{_PREFIXES.get(name, SettingKind.ENVIRONMENT.value)}{name.upper()}"


def environment(env: Mapping[str, str]) -> Source:
    """The variables ``RUNQY_REDIS_*`` but the URL, and those of habits; an empty one is not set.

    Raises:
        ConfigError: a variable that must be true or false is neither.
    """
    values: dict[str, Any] = {}
    for name in (*_IN_ENVIRONMENT, "colours"):
        if value := env.get(variable(name)):
            values[name] = value
    if sparing := env.get(variable("low_bandwidth")):
        auto = sparing.strip().lower() == "auto"
        values["low_bandwidth"] = (
            "auto" if auto else boolean_word(sparing, variable("low_bandwidth"))
        )
    if insecure := env.get("RUNQY_REDIS_TLS_INSECURE"):
        values["tls_insecure"] = boolean_word(insecure, "RUNQY_REDIS_TLS_INSECURE")
    return Source(SettingKind.ENVIRONMENT, values)
