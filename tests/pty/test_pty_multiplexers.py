"""Inside tmux and GNU screen: the same screen, and a restored pane afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import Terminal

SIGNS = (*PANES, "sick:2", "alpha.high", "beta-1", "? help")
PROMPT = "before$"
ROWS = 40


def program(name: str) -> str:
    """Path of a program, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine: apt-get install tmux screen")
    return found


def shows_all(picture: str) -> bool:
    """Whether one picture of the pane shows all that the monitor always shows."""
    return all(sign in picture for sign in SIGNS)


def is_back(picture: str) -> bool:
    """Whether the pane shows the old prompt, the new one, and the monitor no more."""
    return SIGNS[0] not in picture and picture.split().count(PROMPT) == 2


def in_and_out(seen: Terminal, url: str, hardcopy: Callable[[], str]) -> None:
    """Start the monitor in a shell, look at it both ways, resize it, and leave it."""
    seen.press(f"PS1='{PROMPT} '; clear\r")
    seen.until(lambda: hardcopy().strip() == PROMPT, "a prompt of our own")
    command = [sys.executable, "-m", "runqy_tui", "--url", url, "--interval", "60"]
    seen.press(shlex.join(command) + "\r")
    for columns in (120, 100):
        seen.resize(columns, ROWS)
        seen.until(lambda: shows_all(hardcopy()), "on the pane")
        seen.sees(*SIGNS, "✖ sick:2", "╭─ ")  # and on the terminal around it
    seen.press("q")
    seen.until(lambda: is_back(hardcopy()), "what was there before, without the monitor")
    seen.press("stty -a; exit\r")
    assert seen.ends() == 0
    assert b" icanon" in seen.raw
    assert b" echo " in seen.raw
    assert seen.line_modes == seen.before


def test_in_tmux(monitor: Monitor, fleet_url: str, short_folder: Path) -> None:
    tmux = [program("tmux"), "-f", os.devnull, "-L", short_folder.name]
    environment = monitor.environment | {"TMUX_TMPDIR": str(short_folder)}

    def asked(*what: str) -> str:
        done = subprocess.run([*tmux, *what], env=environment, capture_output=True, text=True)
        return done.stdout

    seen = monitor.run("sh", program=(*tmux, "-u", "new"), env={"TMUX_TMPDIR": str(short_folder)})
    try:
        in_and_out(seen, fleet_url, lambda: asked("capture-pane", "-p"))
    finally:
        asked("kill-server")


def test_in_screen(monitor: Monitor, fleet_url: str, short_folder: Path) -> None:
    screen, copy = program("screen"), short_folder / "copy"
    configuration = short_folder / "screenrc"
    configuration.write_text("startup_message off\naltscreen on\ndefutf8 on\n")
    (short_folder / "sockets").mkdir(mode=0o700)
    environment = {"SCREENDIR": str(short_folder / "sockets")}

    def asked(*what: str) -> None:
        subprocess.run(
            [screen, "-S", "tests", "-X", *what],
            env=monitor.environment | environment,
            capture_output=True,
        )

    def hardcopy() -> str:
        copy.unlink(missing_ok=True)
        asked("hardcopy", str(copy))
        picture = copy.read_text(errors="replace") if copy.exists() else ""
        # screen is told and not waited for: it may be writing still, or not have begun
        return picture if picture.count("\n") == ROWS else ""

    seen = monitor.run(
        "sh", program=(screen, "-U", "-c", str(configuration), "-S", "tests"), env=environment
    )
    try:
        in_and_out(seen, fleet_url, hardcopy)
    finally:
        asked("quit")
