"""The settings, merged from all sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runqy_tui.model.credentials import Credentials

DEFAULT_URL = "redis://localhost:6379/0"
DEFAULT_BUDGET = 2_000
INTERVALS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Steps of the refresh interval, in seconds, for the keys ``+`` and ``-``."""

NOTIFY = ("none", "bell", "osc9")
"""How a firing alert is announced: not at all, by the bell, or by a desktop notification."""

DEPTHS = ("auto", "16", "256", "truecolor")
"""Colour depths: as the terminal reports, or a fixed one."""

COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "grey")
"""Names of colours for a profile; ``#rrggbb`` is accepted too."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings. ``url`` may contain a password, so it is not part of ``repr``.

    ``url_source`` states where the URL came from, for error messages; ``access`` holds the
    credentials. ``unverified``: TLS is used without verifying the server's certificate. ``name``
    is shown before the address, to distinguish one Redis from another. ``profile`` is the name of
    the profile in use, ``colour`` (one of :data:`COLOURS` or ``#rrggbb``) that of its bar on
    screen, ``marked_read_only`` whether the read-only mark is shown if there is room.

    ``interval_s`` and ``timeout_s`` are seconds, ``budget`` is commands per second. ``depth`` is
    one of :data:`DEPTHS`. ``low_bandwidth``: send less to the terminal; ``None`` means on a slow
    link only. ``rules`` is a file of alert rules (``None``: the built-in ones), ``notify`` one of
    :data:`NOTIFY`. ``keys`` maps a binding's id to its keys. ``warnings`` are sentences to show to
    the user first.
    """

    url: str = field(default=DEFAULT_URL, repr=False)
    url_source: str = "the default"
    access: Credentials = field(default_factory=Credentials)
    name: str | None = None
    profile: str | None = None
    colour: str | None = None
    marked_read_only: bool = False
    unverified: bool = False
    interval_s: float = 2.0
    budget: int = DEFAULT_BUDGET
    timeout_s: float = 3.0
    mouse: bool = True
    depth: str = "auto"
    low_bandwidth: bool | None = None
    rules: Path | None = None
    notify: str = "none"
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
