"""The programs that are compared on a terminal, as commands."""

from __future__ import annotations

import shutil
import sys

OURS = "runqy-tui"
EMPTY = "empty Textual app"
EMPTY_REDIS = "empty app, redis loaded"
STOCK = "stock DataTable"
POLLS = "the same polls, no screen"

BY_WORKER = {OURS: (b"1", b"s"), STOCK: ()}
"""Keys that bring the cursor into the workers' table, in the order of their ids."""


def ours(url: str, interval_s: float, *more: str) -> list[str]:
    """The monitor as a user starts it."""
    return [sys.executable, "-m", "runqy_tui", "--url", url, "--interval", f"{interval_s:g}", *more]


def stock(url: str, interval_s: float) -> list[str]:
    """Three stock tables on the same data."""
    return [sys.executable, "-m", "benchmarks.apps.stock", url, f"{interval_s:g}"]


def polls(url: str, interval_s: float) -> list[str]:
    """What the stock tables read, and nothing shown of it."""
    return [*stock(url, interval_s), "--unseen"]


def empty(*more: str) -> list[str]:
    """A Textual application with one line of text."""
    return [sys.executable, "-m", "benchmarks.apps.empty", *more]


def installed() -> dict[str, list[str]]:
    """Monitors of other things that this machine has, refreshing once a second."""
    known = {"htop": ["htop", "-d", "10"], "btop": ["btop"]}
    return {name: command for name, command in known.items() if shutil.which(name)}
