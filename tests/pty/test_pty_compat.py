"""Without Textual's private names: each feature that needs some is off, and the program works."""

from __future__ import annotations

import sys

import pytest

from runqy_tui.tui.compat import private_names
from tests.pty.conftest import Monitor

PROGRAM = """
from runqy_tui import cli
from runqy_tui.tui.compat import private_names

for name in {names}:
    vars(getattr(private_names, name))["missing"] = ("Textual._renamed",)
cli.main()
"""
NAMES = [name for name, value in vars(private_names).items() if value in private_names.FEATURES]


@pytest.mark.parametrize("names", [NAMES, *([name] for name in NAMES)], ids="-".join)
def test_without_private_names(monitor: Monitor, fleet_url: str, names: list[str]) -> None:
    program = PROGRAM.format(names=names)
    seen = monitor.run("--url", fleet_url, program=(sys.executable, "-c", program))
    seen.sees("2 Queues", "differs from")
    seen.press("?")
    seen.sees("─ Help ─")
    seen.press("\x03")
    assert seen.ends() == 0
    seen.restored()
