"""Writing to a file of the operator's: never over another, never half a value."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from runqy_tui.tui.copy_out import save


class Quiet(App[None]):
    """Keeps what it is asked to say."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def notify(self, message: str, **_: object) -> None:
        self.heard.append(message)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_same_name_gets_a_number(folder: Path) -> None:
    app = Quiet()
    for _ in range(3):
        save(app, "runqy-a", "json", b"{}")
    assert sorted(path.name for path in folder.iterdir()) == [
        "runqy-a-2.json",
        "runqy-a-3.json",
        "runqy-a.json",
    ]
    assert app.heard[0] == f"Saved 2 bytes to {folder / 'runqy-a.json'}"


def test_a_link_is_not_followed(folder: Path) -> None:
    target = folder / "precious"
    (folder / "runqy-a.json").symlink_to(target)
    assert save(Quiet(), "runqy-a", "json", b"{}") == folder / "runqy-a-2.json"
    assert not target.exists()


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("../../etc/passwd", "etc_passwd.txt"),
        ("\x1b[2J\x00\ud800", "2J.txt"),
        ("...", "runqy.txt"),
        ("", "runqy.txt"),
        ("x" * 5_000, "x" * 100 + ".txt"),
    ],
)
def test_names_are_tame_and_stay_in_the_folder(folder: Path, stem: str, name: str) -> None:
    save(Quiet(), stem, "txt", b"")
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_folder_of_a_hostile_name_is_said_tamely(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = folder / "\x1b]52;c;eA==\x07"
    hostile.mkdir()
    monkeypatch.chdir(hostile)
    app = Quiet()
    save(app, "a", "txt", b"x")
    assert app.heard[0].isprintable()


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A file may have 1,000 bytes: the write fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_disk")
def test_half_a_value_does_not_stay(folder: Path) -> None:
    app = Quiet()
    assert save(app, "a", "bin", b"x" * 5_000) is None
    assert list(folder.iterdir()) == []
    assert app.heard[0].startswith("Not saved: File too large: a.bin")
