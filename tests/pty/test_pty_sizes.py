"""Windows of every size: the same screen after any change, at a limited cost."""

from __future__ import annotations

from time import monotonic

from runqy_tui.tui.renderer.resizing import PATIENCE_S
from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import Terminal

SIGNS = ("sick:2", "beta-1", "? help", "^p palette")
RESIZES = 10_000
PAINTED = 3
"""Frames for one change of size, at most: the widgets take theirs one after the other."""


def as_new(seen: Terminal, before: list[str], what: str) -> None:
    """Wait until the screen, without its clock, is what it was, and is so when drawn anew."""
    seen.until(lambda: seen.lines[1:] == before, what)
    seen.until(lambda: seen.still() == before, f"{what}, at rest")  # a frame may be on its way
    seen.wipe()
    assert seen.lines[1:] != before
    seen.press("\x0c")
    seen.until(lambda: seen.lines[1:] == before, f"{what}, drawn anew")


def test_the_same_screen_after_sizes_and_noise(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--interval", "60")
    seen.sees(*SIGNS)
    before = seen.still()
    for columns, rows in ((20, 5), (1, 1), (500, 200), (200, 3), (3, 60)):
        so_far = len(seen.raw)
        seen.resize(columns, rows)
        seen.until(lambda so_far=so_far: len(seen.raw) > so_far, "drawn anew")  # type: ignore[misc]
        if columns == 500:
            seen.sees(*PANES, *SIGNS)
            seen.until(lambda: len(seen.lines[-2]) == 500, "as wide as it is")
    seen.resize(120, 40)
    as_new(seen, before, "the same screen as before")
    seen.press("1", "g", "\r")
    seen.sees("degraded (heartbeat ok)", "reports no metrics", "esc close", "w save to file")
    before = seen.still()
    seen.resize(20, 5)
    seen.until(lambda: seen.lines[1:] != before, "drawn anew")
    seen.resize(120, 40)
    as_new(seen, before, "the same modal as before")


def test_ten_thousand_sizes(monitor: Monitor, fleet_url: str) -> None:
    """They cost a few frames, not ten thousand; ``COLUMNS`` is no size of a terminal."""
    seen = monitor.watch(fleet_url, "--interval", "60", env={"COLUMNS": "33", "LINES": "7"})
    seen.sees(*PANES, *SIGNS)
    before = seen.still()
    frame = len(seen.raw)  # from nothing to the first still picture
    used, start = seen.cpu_s, monotonic()
    seen.storm((20 + at % 120, 5 + at % 50) for at in range(RESIZES))
    seen.resize(120, 40)
    seen.until(lambda: seen.lines[1:] == before, "the screen of the last size")
    took = monotonic() - start
    as_new(seen, before, "the same screen as before")
    frames = (took / PATIENCE_S + 2) * PAINTED
    assert len(seen.raw) - frame < (frames + 2) * frame
    assert seen.cpu_s - used < took + PAINTED
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()
