"""A binding in ``[keys]`` that does not exist is said before the screen is taken."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.integration.conftest import DEADLINE_S, Cli


def test_an_unknown_binding_ends_the_monitor_before_it_draws(cli: Cli) -> None:
    config = cli.home / "own.toml"
    config.write_text('[keys]\n"app.qiut" = "f10"\n', encoding="utf-8")
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "runqy_tui"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env=cli.environment(RUNQY_TUI_CONFIG=str(config)),
            timeout=DEADLINE_S,
        )
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 78
    assert done.stderr.decode() == (
        "runqy-tui: config.toml: [keys]: unknown binding 'app.qiut'; did you mean "
        "'app.quit'? Help (?) lists all bindings.\n"
    )
