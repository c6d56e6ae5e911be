"""What settings there are, once all sources are merged."""

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
"""How many colours are used: those that the terminal says it has, or these."""

COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "grey")
"""Names of colours for a profile; ``#rrggbb`` is the other way to give one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings. ``url`` may hold a password, so it stays out of ``repr``.

    ``interval_s`` and ``timeout_s`` are seconds, ``budget`` is commands per second. ``keys`` maps a
    binding's id to the keys the user wants for it. ``url_source`` says where the URL came from, for
    error messages. ``name`` is shown before the address, so that nobody takes one Redis for
    another. ``rules`` is a file of alert rules (the built-in ones if ``None``), ``notify`` one of
    :data:`NOTIFY`, ``depth`` one of :data:`DEPTHS`. ``low_bandwidth``: spare the link to the
    terminal; if ``None``, when it is slow. ``access`` is how to get in. ``profile`` is the name of
    the profile whose Redis this is, ``colour`` (one of :data:`COLOURS` or ``#rrggbb``) the one its
    bar has on screen, ``marked_read_only`` whether it asks for the read-only mark wherever there is
    room for one. ``unverified``: TLS is asked for, and nobody is to check who is at the other end.
    ``warnings`` are sentences for the user, before anything else is shown.
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
