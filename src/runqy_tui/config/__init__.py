"""Settings from flags, then environment, then ``config.toml``, then defaults.

Each invalid value is an error that names the setting, its source and the fix. No message contains
a password: values that may contain one are named but not shown.
"""

from __future__ import annotations

from runqy_tui.config.config_file import Profile, config_path, list_profiles
from runqy_tui.config.loading import Flags, load_settings
from runqy_tui.config.settings import (
    COLOURS,
    DEFAULT_URL,
    DEPTHS,
    INTERVALS_S,
    NOTIFY,
    Settings,
)

__all__ = [
    "COLOURS",
    "DEFAULT_URL",
    "DEPTHS",
    "INTERVALS_S",
    "NOTIFY",
    "Flags",
    "Profile",
    "Settings",
    "config_path",
    "list_profiles",
    "load_settings",
]
