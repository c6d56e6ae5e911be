"""Headless commands load no terminal library, and no client before they need one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import Cli

# The record is written at exit, after whatever the command loaded late.
PROGRAM = """
import atexit, os, signal, sys, threading
record = sys.argv.pop(1)
atexit.register(lambda: open(record, "w").write(" ".join(sys.modules)))
if "metrics" in sys.argv:
    threading.Timer(3, os.kill, (os.getpid(), signal.SIGTERM)).start()
from runqy_tui.cli import main
main()
"""


def loaded_by(cli: Cli, *args: str) -> set[str]:
    """Modules that a run of the command has loaded by its end."""
    record = Path(cli.home / "modules")
    done = cli.python(PROGRAM, str(record), *args)
    assert done.code in (0, 1, 2), done.err
    return set(record.read_text(encoding="utf-8").split())


def top(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "args",
    [("check",), ("check", "--json"), ("metrics", "--listen", "127.0.0.1:0")],
)
def test_no_terminal_library(cli: Cli, redis_url: str, args: tuple[str, ...]) -> None:
    modules = loaded_by(cli, "--url", redis_url, "--interval", "0.2", *args)
    assert "runqy_tui.diagnosis.diagnoser" in modules
    assert "redis" in top(modules)
    assert not top(modules) & {"textual", "rich"}
    assert not any(name.startswith(("runqy_tui.tui", "runqy_tui.demo")) for name in modules)
    assert ("prometheus_client" in top(modules)) == ("metrics" in args)


@pytest.mark.parametrize("args", [("rules", "prometheus"), ("rules", "grafana"), ("check", "-h")])
def test_what_asks_nothing_loads_no_client(cli: Cli, args: tuple[str, ...]) -> None:
    assert not top(loaded_by(cli, *args)) & {"textual", "rich", "redis", "prometheus_client"}
