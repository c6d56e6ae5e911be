"""The documents name files, folders, headings and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / ".github").glob("*.md")]
PLACES = (ROOT, ROOT / "src" / "runqy_tui", ROOT / "benchmarks")
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)\s]*)\)")
HISTORY = "CHANGELOG.md"
"""It names what there was."""


def anchors(document: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(document: Path) -> None:
    missing = []
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert missing == []


@pytest.mark.parametrize(
    "document", [one for one in DOCUMENTS if one.name != HISTORY], ids=lambda path: path.name
)
def test_paths_exist(document: Path) -> None:
    paths = sorted(set(NAMED.findall(document.read_text(encoding="utf-8"))))
    missing = [path for path in paths if not any((place / path).exists() for place in PLACES)]
    assert [path for path in missing if "NAME" not in path] == []


def test_every_session_of_the_task_runner_is_described() -> None:
    sessions = re.findall(
        r"^@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE
    )
    described = set(re.findall(r"nox -s (\w+)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert described <= set(sessions)
    assert set(sessions) - described == {"lint"}  # a part of check


def test_every_name_in_the_architecture_exists() -> None:
    """Names of classes, functions, fields and packages are those of the source."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")]
    source = " ".join(path.read_text(encoding="utf-8") for path in files)
    names = set(re.findall(r"`@?(?:\w+\.)?(\w+)(?:\(\))?`", text))
    assert len(names) > 20
    assert sorted(names - set(re.findall(r"\w+", source))) == []


def test_the_test_folders_of_the_nox_sessions_exist() -> None:
    folders = re.findall(r'"(tests/[\w/]+)"', (ROOT / "noxfile.py").read_text())
    assert folders
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
