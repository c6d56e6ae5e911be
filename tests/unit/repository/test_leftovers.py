"""What tests leave behind is found: a process, a file, a socket."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import leftovers


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_PATIENCE_S", 0.0)


def test_a_process_is_found_and_ended() -> None:
    with (
        pytest.raises(AssertionError, match=r"process \d+: .*python.* -c input\(\)"),
        leftovers.nothing_is_left(),
    ):
        left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with left:
        pass
    assert left.returncode != 0


def test_a_file_is_found_and_removed() -> None:
    with pytest.raises(AssertionError, match="/forgotten"), leftovers.nothing_is_left() as d:
        Path(d, "forgotten").touch()
    assert not d.exists()


def test_a_socket_is_found() -> None:
    with socket.socket() as one:
        number = one.fileno()
    with pytest.raises(AssertionError, match=f"{number}"), leftovers.nothing_is_left():
        forgotten = socket.socket()
    forgotten.close()


def test_nothing_is_found_where_nothing_is_left() -> None:
    with leftovers.nothing_is_left() as folder:
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert not folder.exists()
