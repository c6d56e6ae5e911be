"""What a terminal shows and receives: all panes, at every size, on standard output alone."""

from __future__ import annotations

import base64
import re
import tempfile

import redis

from tests.pty.conftest import PANES, Monitor
from tests.support import dialect_writers


def test_three_panes_or_one(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--interval", "60")
    seen.sees(*PANES, "sick:2", "degraded", "alpha.high", "beta-1", "? help", "live · data")
    assert seen.lines[0].startswith(" runqy-tui")
    upper = next(line for line in seen.lines if "1 Workers" in line)
    assert [upper.count(corner) for corner in "╭╮"] == [2, 2]
    assert [seen.lines[-2].count(corner) for corner in "╰╯"] == [1, 1]
    seen.resize(80, 24)
    seen.sees("alpha.high", "1 Workers 3", "3 Tasks", "? help")
    seen.misses("● fine:1", "beta-1")
    seen.press("1")
    seen.sees("● fine:1", "2 Queues 4")
    seen.misses("alpha.high  ")


def test_the_screen_is_on_standard_output(monitor: Monitor, fleet_url: str) -> None:
    with tempfile.TemporaryFile() as stderr:
        seen = monitor.watch(fleet_url, stderr=stderr)
        seen.sees(*PANES, "sick:2")
        seen.press("q")
        assert seen.ends() == 0
        seen.restored()
        stderr.seek(0)
        assert stderr.read() == b""


def test_bytes_that_nobody_means(monitor: Monitor, fleet_url: str) -> None:
    """From a terminal in Latin-1, or with old mouse reports: dropped, and the next key works."""
    seen = monitor.watch(fleet_url)
    for typed in (b"\xe9", b"\xff\xfe\x80", b"\x1b[M \xff\xff", b"\x1b[200~\xc3\x1b[201~"):
        seen.press(typed)
        seen.still()
        seen.press("?")
        seen.sees("Esc closes")
        seen.press("?")
        seen.misses("Esc closes")
    assert b"Traceback" not in seen.raw


def test_what_is_pasted_is_what_can_be_seen(monitor: Monitor, fleet_url: str) -> None:
    """An id from a web page or a log comes with more than its letters."""
    seen = monitor.watch(fleet_url)
    seen.press("i")
    seen.sees("Find a task by id")
    seen.press("\x1b[200~\u2066be\x9b\u202eta-1\x85\u200b\x07\x1b[201~")
    seen.sees("  beta-1  ")
    seen.press("\r")
    seen.sees("╭─ beta-1 ─", "pending for")
    assert re.findall("[\x80-\x9f\u200b\u202e\u2066]", seen.raw.decode()) == []


def test_keys_typed_ahead_go_where_they_belong(monitor: Monitor, fleet_url: str) -> None:
    """The pane changes with its key, not a moment later."""
    seen = monitor.watch(fleet_url)
    seen.press("1gj\r")
    seen.sees("╭─ lost:3 ─", "lost: no heartbeat")


def test_y_copies_through_the_terminal(
    monitor: Monitor, writer: redis.Redis, fleet_url: str
) -> None:
    name = "weird \x1b]52;c;c3RvbGVu\x07 [@click=app.quit]x[/] \u202e ü"
    dialect_writers.pending(writer, "alpha.high", name)
    seen = monitor.watch(fleet_url)
    seen.press("2", "g", "j")
    seen.sees("3 Tasks ─ alpha.high", "weird ␛]52;c;c3RvbGVu")
    seen.press("3", "G")
    seen.sees("▌weird ␛]52;c;c3RvbGVu")
    seen.press("y")
    seen.sees("Copied weird ␛]52;c;c3RvbGVu␇ [@click=app.quit]x[/]")
    copied = re.findall(rb"\x1b\]52;c;([^\x07\x1b]*)(?:\x07|\x1b\\)", seen.raw)
    assert [base64.b64decode(data).decode() for data in copied] == [name]
    assert seen.raw.count(b"\x1b]52") == 1
