"""Each command loads what it needs, and the layers depend in one direction only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import DEADLINE_S, Cli

ROOT = Path(__file__).resolve().parents[3]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
RUN = """
import sys
from runqy_tui.cli import main
try:
    main()
finally:
    with open(sys.argv[0], "w") as file:
        print(*sys.modules, file=file)
"""


def loaded_by(cli: Cli, *args: str) -> set[str]:
    """Modules that a run of the command has loaded by its end."""
    record = cli.home / "modules"
    program = f"import sys; sys.argv[0] = {str(record)!r}\n{RUN}"
    assert cli.python(program, *args).code == 0
    return set(record.read_text().split())


def top(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_command_line_alone_loads_nothing_heavy(cli: Cli) -> None:
    result = cli.python("import sys, runqy_tui.cli; print(*sys.modules)")
    modules = set(result.out.split())
    assert "runqy_tui.config" in modules
    assert not top(modules) & {"textual", "rich", "redis", "hiredis", "platformdirs"}
    assert not any(name.startswith("google.protobuf") for name in modules)
    ours = {name for name in modules if name.startswith("runqy_tui.")}
    light = ("runqy_tui.cli", "runqy_tui.config")
    ours = {name for name in ours if not f"{name}.".startswith(tuple(f"{n}." for n in light))}
    allowed = ("model", "model.credentials", "model.errors", "runtime", "runtime.gc_control")
    assert ours == {f"runqy_tui.{name}" for name in allowed}


@pytest.mark.parametrize("args", [["--version"], ["task", "--help"]])
def test_help_loads_no_client(cli: Cli, args: list[str]) -> None:
    assert not top(loaded_by(cli, *args)) & {"textual", "rich", "redis", "google"}


def test_a_snapshot_loads_no_terminal_library(cli: Cli, redis_url: str) -> None:
    modules = loaded_by(cli, "--url", redis_url, "snapshot")
    assert "redis.asyncio" in modules
    assert not top(modules) & {"textual", "rich"}
    assert not any(name.startswith(("runqy_tui.tui", "runqy_tui.demo")) for name in modules)


def test_every_import_contract_is_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 broken." in done.stdout
