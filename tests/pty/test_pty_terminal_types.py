"""All types of terminals and none: signs, colours, and one line where nothing can be drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import termios
from collections.abc import Mapping

import pytest

from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import PATIENCE_S, Terminal

ASCII = ("1 Workers 3 X2", "X sick:2", "+- ", "| pending 1 ")


def colours(raw: bytes) -> set[str]:
    """What kinds of colours were asked for: named, indexed, rgb; and hue if one is no grey."""
    found = set()
    for sequence in re.findall(rb"\x1b\[([\d;]*)m", raw):
        codes = iter([int(code or 0) for code in sequence.split(b";")])
        for code in codes:
            if code in (38, 48):
                if next(codes) == 2:
                    rgb = {next(codes) for _ in range(3)}
                    found |= {"rgb", "hue"} if len(rgb) > 1 else {"rgb"}
                else:
                    next(codes)
                    found |= {"indexed", "hue"}
            elif 30 <= code < 48 or 90 <= code < 108:
                found |= {"named"} if code % 10 in (0, 7, 9) else {"named", "hue"}
    return found


def left_in_order(seen: Terminal) -> None:
    """Assert that it ends by its key and gives the terminal back."""
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LANG": "C"},
        {"LANG": "en_US.ISO-8859-1"},
    ],
    ids=["C for Python too", "C", "Latin-1"],
)
def test_a_terminal_that_cannot_show_unicode(
    monitor: Monitor, fleet_url: str, locale: Mapping[str, str]
) -> None:
    """It gets ASCII, also where Python takes UTF-8 for granted, and is given back."""
    seen = monitor.watch_for("live . data", fleet_url, env=dict(locale))
    seen.sees(*ASCII)
    assert seen.raw.isascii()
    left_in_order(seen)


@pytest.mark.parametrize("locale", [{"LANG": "xx_XX.utf8"}, {"LANG": ""}])
def test_a_terminal_that_can(monitor: Monitor, fleet_url: str, locale: Mapping[str, str]) -> None:
    """Also where the locale is not installed, or not set."""
    seen = monitor.watch(fleet_url, env=dict(locale))
    seen.sees("✖ sick:2")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, {"named", "hue"}),
        ({"TERM": "nobody-knows-it"}, {"named", "hue"}),
        ({"TERM": "xterm-256color"}, {"indexed", "hue"}),
        ({"COLORTERM": "truecolor"}, {"rgb", "hue"}),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, {"rgb"}),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_colours(
    monitor: Monitor, fleet_url: str, environment: dict[str, str], wanted: set[str]
) -> None:
    """Those that the terminal says it has; what is wrong is a sign as well as a colour."""
    seen = monitor.watch(fleet_url, env=environment)
    seen.sees(*PANES, "✖ sick:2", "? help")
    assert colours(seen.raw) == wanted
    left_in_order(seen)


NONE = "The monitor needs a terminal, and standard {} is not one."


@pytest.mark.parametrize(
    ("redirected", "environment", "why"),
    [
        ({"stdout": subprocess.PIPE}, {}, NONE.format("output")),
        ({"stdin": subprocess.DEVNULL}, {}, NONE.format("input")),
        ({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}, {}, NONE.format("input")),
        ({}, {"TERM": "dumb"}, "TERM='dumb' cannot show the monitor."),
        ({}, {"TERM": ""}, "TERM='' cannot show the monitor."),
        ({}, {"TERM": "unknown"}, "TERM='unknown' cannot show the monitor."),
    ],
    ids=["output", "input", "both", "dumb", "unset", "unknown"],
)
def test_no_terminal_to_draw_on(
    monitor: Monitor, redirected: dict[str, int], environment: dict[str, str], why: str
) -> None:
    """One line that says why and what to do instead, and nothing was touched."""
    ours, theirs = os.openpty()
    try:
        before = termios.tcgetattr(theirs)
        done = subprocess.run(
            [sys.executable, "-m", "runqy_tui", "--url", "redis://127.0.0.1:1/0"],
            **({"stdin": theirs, "stdout": theirs} | redirected),  # type: ignore[call-overload]
            stderr=subprocess.PIPE,
            env={k: v for k, v in (monitor.environment | environment).items() if v},
            timeout=PATIENCE_S,
        )
        assert termios.tcgetattr(theirs) == before
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout or b"") == (2, b"")
    assert done.stderr.decode().startswith(f"runqy-tui: {why}")
    assert done.stderr.count(b"\n") == 1
    assert b"runqy-tui snapshot" in done.stderr
