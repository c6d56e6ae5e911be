"""Loads settings from a config file that a test writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runqy_tui.config import Settings, load_settings
from runqy_tui.model.errors import RunqyTuiError

SECRET = "hunter2"


@dataclass
class Desk:
    """A folder with a ``config.toml``, and the environment of a user who works there."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env["RUNQY_TUI_CONFIG"] = str(self.config)
        self.write("")

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self, text: str, mode: int = 0o600) -> None:
        """Write the config file."""
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(mode)

    def secret_file(self, content: bytes | str, name: str = "pw", mode: int = 0o600) -> Path:
        """Write a file with a password."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def load(self, env: dict[str, str] | None = None, **flags: Any) -> Settings:
        """Load; more environment, and flags."""
        return load_settings(self.env | (env or {}), **flags)

    def complaint(self, env: dict[str, str] | None = None, **flags: Any) -> str:
        """What is said of settings that are refused; never a secret."""
        with pytest.raises(RunqyTuiError) as raised:
            self.load(env, **flags)
        assert SECRET not in str(raised.value)
        return str(raised.value)
