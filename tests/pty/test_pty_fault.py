"""An internal error: one line that names a report, exit 70, and a restored terminal."""

from __future__ import annotations

import re
import sys

import pytest

from runqy_tui import __version__
from tests.pty.conftest import Monitor
from tests.pty.terminal import Terminal

PROGRAM = """
import sys
from runqy_tui import cli
from runqy_tui.monitor.poller import Poller
from runqy_tui.tui.app import RunqyApp
from runqy_tui.tui.renderer.driver import RunqyDriver
from runqy_tui.tui.panes.resource_panes import WorkersPane
from runqy_tui.tui.widgets.header_bar import HeaderBar

def broken(self, *args, **options):
    url = sys.argv[2]  # in a variable, where a generous traceback would show it
    raise ZeroDivisionError("\\x1b]0;owned\\x07 and \\x1b[2Jmore")

{where} = broken
cli.main()
"""
WHERE = {
    "an action": "RunqyApp.action_freeze",
    "a render": "HeaderBar.render",
    "the taking of a poll": "WorkersPane.rows_of",
    "a background worker": "Poller._poll",
    "compose": "WorkersPane.compose",
    "the reading of keys": "RunqyDriver.process_message",
}


def one_line(seen: Terminal) -> str:
    """What is left on the screen of a shell."""
    assert seen.ends() == 70
    seen.restored()
    after = seen.raw.rpartition(b"\x1b[?1049l")[2].decode()
    after = re.sub(r"\x1b\[\?\d+[hl]|\x1b\]22;default\x07", "", after)
    assert after.startswith("runqy-tui: Internal error in runqy-tui: ZeroDivisionError.")
    assert after.endswith("\r\n")
    assert after.count("\n") == 1
    assert "Traceback" not in seen.raw.decode()
    assert "owned" not in seen.raw.decode()
    return after


@pytest.mark.parametrize("where", WHERE)
def test_a_fault(monitor: Monitor, locked_url: str, where: str) -> None:
    url = locked_url.replace("redis://", "redis://:right@")
    program = PROGRAM.format(where=WHERE[where])
    seen = monitor.run("--url", url, program=(sys.executable, "-c", program))
    if "action" in where:
        seen.sees("2 Queues")
        seen.press("p")
    elif "keys" in where:
        seen.sees("2 Queues")
        seen.press("x")
    line = one_line(seen)
    (report,) = monitor.home.glob(".local/state/runqy-tui/log/crash-*.txt")
    assert f" The report is in {report}." in line
    report_text = report.read_text()
    assert report_text.startswith(f"runqy-tui {__version__}\n")
    assert "ZeroDivisionError: ␛]0;owned␇ and ␛[2Jmore" in report_text
    assert "in broken" in report_text
    assert "right" not in report_text + seen.raw.decode()


def test_a_fault_where_no_report_can_be_written(monitor: Monitor, fleet_url: str) -> None:
    (monitor.home / ".local").write_text("in the way")
    program = PROGRAM.format(where="RunqyApp.action_freeze")
    seen = monitor.run("--url", fleet_url, program=(sys.executable, "-c", program))
    seen.sees("2 Queues")
    seen.press("p")
    assert "report" not in one_line(seen)
