"""The doctor in a terminal, and in deployments of several servers."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from runqy_tui.commands.doctor_command import Terminal, terminal_lines
from runqy_tui.model.check_line import CheckLine, Verdict
from tests.integration.cli.test_imports import loaded_by, top
from tests.integration.commands.doctor.conftest import Doctor
from tests.integration.conftest import DEADLINE_S, Cli
from tests.support.processes import eventually
from tests.support.servers import RealServer, debian, embedded, free_port

GOOD = Terminal("xterm-256color", (120, 40), "UTF-8", colorterm="truecolor")


@pytest.mark.parametrize(
    ("seen", "topic", "verdict", "says"),
    [
        (GOOD, "terminal", Verdict.OK, "xterm-256color, 120 columns by 40 lines"),
        (GOOD._replace(size=(80, 24)), "terminal", Verdict.OK, "one pane at a time"),
        (GOOD._replace(size=None), "terminal", Verdict.WARN, "none here"),
        (GOOD._replace(term="dumb"), "terminal", Verdict.WARN, "'dumb' cannot show"),
        (GOOD._replace(term="unknown"), "terminal", Verdict.WARN, "'unknown' cannot show"),
        (GOOD._replace(within="tmux"), "terminal", Verdict.OK, "xterm-256color in tmux"),
        (GOOD._replace(within="tmux"), "mouse", Verdict.OK, "set-clipboard on"),
        (GOOD._replace(mouse=False), "mouse", Verdict.OK, "disabled"),
        (GOOD, "colours", Verdict.OK, "16 million"),
        (GOOD._replace(colorterm=""), "colours", Verdict.OK, "256 according to TERM"),
        (GOOD._replace(colorterm="", term="vt100"), "colours", Verdict.WARN, "8 according to TERM"),
        (GOOD._replace(no_color=True), "colours", Verdict.OK, "NO_COLOR is set"),
        (GOOD, "characters", Verdict.OK, "UTF-8"),
        (GOOD._replace(encoding="ANSI_X3.4-1968"), "characters", Verdict.WARN, "not UTF-8"),
    ],
)
def test_terminals(seen: Terminal, topic: str, verdict: Verdict, says: str) -> None:
    (line,) = [line for line in terminal_lines(seen) if line.topic == topic]
    assert line.verdict is verdict
    assert says in line.text
    assert (line.remedy is None) is (verdict is Verdict.OK)
    assert isinstance(line, CheckLine)


def test_in_a_real_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
        done = subprocess.run(
            [sys.executable, "-m", "runqy_tui", "--url", "redis://127.0.0.1:1", "doctor"],
            stdin=theirs,
            capture_output=True,
            env=Cli(tmp_path).environment(TERM="xterm-256color"),
            timeout=DEADLINE_S,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 69
    assert "OK    terminal        xterm-256color, 110 columns by 30 lines\n" in done.stdout.decode()


def test_it_loads_no_terminal_library(tmp_path: Path) -> None:
    with RealServer(embedded()) as server:
        modules = loaded_by(Cli(tmp_path), "--url", server.url, "doctor")
    assert "runqy_tui.redis.checkup.steps" in modules
    assert not top(modules) & {"textual", "rich"}


def test_by_sentinel(doctor: Doctor) -> None:
    with RealServer(debian()) as primary:
        watch = {"sentinel": f"monitor mymaster 127.0.0.1 {primary.port} 1"}
        with RealServer(debian("redis-sentinel"), watch, sentinel=True) as sentinel:
            url = f"redis+sentinel://127.0.0.1:{sentinel.port},127.0.0.1:1/mymaster/0"
            report = doctor(url)
            other = doctor(url.replace("mymaster", "nobody"))
    assert report.code == 0
    assert "no connection to 127.0.0.1:1 (refused)" in report.one("connection", "warn")
    assert report.one("Sentinel") == f"names 127.0.0.1:{primary.port} as the primary"
    assert (other.code, other.failures()) == (69, ["authentication"])
    assert 'no service "nobody"' in other.one("authentication", "fail")


def test_a_cluster_and_one_node_of_it(doctor: Doctor) -> None:
    options = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with RealServer(embedded(), options) as node:
        with node.client() as client:
            admin: Any = client
            admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            assert eventually(lambda: "ok" in str(admin.cluster("info")), within=10)
        whole = doctor(f"redis+cluster://127.0.0.1:{node.port}")
        alone = doctor(node.url)
    assert whole.code == 0
    assert whole.one("cluster") == f"1 primary: 127.0.0.1:{node.port}"
    assert whole.one("commands") == "all 29 that a monitor needs are allowed"
    assert "one node of it" in alone.one("server", "warn")
    assert "redis+cluster://" in alone.mend("server")
