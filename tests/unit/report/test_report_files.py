"""Two new files or none: nothing is overwritten, nothing is left half done."""

from __future__ import annotations

import json
import resource
import stat
from pathlib import Path

import pytest

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.model.errors import CannotCreateError
from runqy_tui.report import (
    MonitorStatistics,
    Report,
    build_report,
    default_path,
    to_markdown,
    write_report,
)
from runqy_tui.report.report_files import check_path
from tests.support.builders import NOW, snapshot


@pytest.fixture
def report() -> Report:
    return build_report(Diagnosis(snapshot()), made_at=NOW, statistics=MonitorStatistics("0.1"))


def test_markdown_and_json_side_by_side_for_their_owner_only(
    tmp_path: Path, report: Report
) -> None:
    path, beside = write_report(report, tmp_path / "a.md")
    assert (path, beside) == (tmp_path / "a.md", tmp_path / "a.json")
    assert path.read_text(encoding="utf-8") == to_markdown(report)
    assert json.loads(beside.read_text(encoding="utf-8"))["kind"] == "report"
    assert {stat.S_IMODE(each.stat().st_mode) for each in (path, beside)} == {0o600}


@pytest.mark.parametrize("taken", ["a.md", "a.json"])
def test_nothing_is_overwritten_and_nothing_left(
    tmp_path: Path, report: Report, taken: str
) -> None:
    (tmp_path / taken).write_text("mine")
    with pytest.raises(CannotCreateError, match=f"{taken} cannot be written: File exists"):
        write_report(report, tmp_path / "a.md")
    assert [each.name for each in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"
    with pytest.raises(CannotCreateError, match="exists; not overwritten"):
        check_path(tmp_path / "a.md")


def test_a_dangling_link_is_not_followed(tmp_path: Path, report: Report) -> None:
    (tmp_path / "a.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotCreateError):
        write_report(report, tmp_path / "a.md")
    assert not (tmp_path / "elsewhere").exists()


def test_default_names_are_new(tmp_path: Path) -> None:
    first = default_path(tmp_path, NOW)
    assert first == tmp_path / "runqy-report-20261124T012854Z.md"
    first.touch()
    second = default_path(tmp_path, NOW)
    assert second.name == "runqy-report-20261124T012854Z-2.md"
    second.with_suffix(".json").touch()
    assert default_path(tmp_path, NOW).name == "runqy-report-20261124T012854Z-3.md"


def test_a_folder_that_is_not_there(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "no" / "a.md"
    with pytest.raises(CannotCreateError, match="does not exist"):
        check_path(path)
    with pytest.raises(CannotCreateError, match="No such file or directory"):
        write_report(report, path)


def test_a_file_that_cannot_be_finished_is_taken_away(tmp_path: Path, report: Report) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(CannotCreateError, match="File too large"):
            write_report(report, tmp_path / "a.md")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
