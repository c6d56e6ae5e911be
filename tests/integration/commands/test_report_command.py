"""``runqy-tui report`` as a user runs it, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

import runqy_tui
from runqy_tui.cli import main
from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.report.markdown import to_markdown
from runqy_tui.report.report_builder import make_report
from runqy_tui.report.report_model import MonitorStatistics
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import Captures
from tests.support.leftovers import inherited
from tests.unit.report.markdown_documents import Document, parse


@dataclass(frozen=True)
class Ran:
    """What one run left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Document:
        assert self.code == 0, self.err
        return parse(self.out)


Run = Callable[..., Ran]


def environment(home: Path) -> dict[str, str]:
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    return own | inherited()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", environment(tmp_path))

    def go(url: str, *args: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["runqy-tui", "--url", url, "report", *args])
        code: Any = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code
        output = capsys.readouterr()
        return Ran(code, output.out, output.err)

    return go


def failed(ran: Ran, code: int) -> str:
    """One line on standard error and nothing else; gives the line."""
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("runqy-tui: ")
    assert ran.err.count("\n") == 1
    return ran.err


def test_two_new_files_by_default(
    run: Run, redis_url: str, captures: Captures, tmp_path: Path
) -> None:
    captures.load("runqy-07", rebase=True)
    ran = run(redis_url, "--for", "1s")
    assert (ran.code, ran.err) == (0, "")
    markdown, json_file = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert ran.out == f"Wrote {markdown} and {json_file.name}\n"
    assert markdown.name.startswith("runqy-report-2")
    document = parse(markdown.read_text(encoding="utf-8"))
    report = json.loads(json_file.read_text(encoding="utf-8"))
    assert report["kind"] == "report"
    assert report["monitor"]["polls"] == 2
    assert len(report["monitor"]["poll_ms"]) == 2
    assert [group["count"] for group in report["errors"]["groups"]] == [4, 2, 2, 2, 1, 1, 1]
    objects = {finding["object"]["name"] for finding in report["findings"]}
    assert {"vm:28230", "flaky.default"} <= objects
    assert "CRITICAL: worker vm:28230" in " ".join(document.headings)
    assert len(document.blocks) == 7
    assert "payload" not in "".join(document.headings)
    assert {series["queue"] for series in report["series"]} == {
        queue["name"] for queue in report["snapshot"]["queues"]
    }


def test_payloads_on_request(run: Run, redis_url: str, captures: Captures) -> None:
    captures.load("runqy-07", rebase=True)
    assert '{"action":"retry"}' not in run(redis_url, "-o", "-", "--for", "0s").out
    assert '{"action":"retry"}' in run(redis_url, "-o", "-", "--for", "0s", "--with-payloads").out


@pytest.mark.parametrize(
    ("name", "worker"),
    [("runqy-02", "vm:27281"), ("runqy-03", "vm:27281"), ("runqy-06", "vm:28230")],
)
def test_the_sick_worker_of_a_capture(
    run: Run, redis_url: str, captures: Captures, name: str, worker: str
) -> None:
    captures.load(name, rebase=True)
    document = run(redis_url, "-o", "-", "--for", "0s").document
    assert any(worker in heading for heading in document.headings)
    (workers,) = [table for table in document.tables if "beat" in table[0]]
    assert [row[0] for row in workers if row[1] == worker] != [""]


def test_an_asynq_capture(run: Run, redis_url: str, captures: Captures) -> None:
    captures.load("asynq-01", rebase=True)
    document = run(redis_url, "-o", "-", "--for", "0s").document
    assert [name for name in document.headings if name.startswith("Error ")] == [
        "Error 1: resize failed: connection refused",
        'Error 2: handler not found for task "no:handler"',
        "Error 3: unsupported codec",
    ]


def test_secrets_and_hostile_text_end_to_end(run: Run, redis_url: str, writer: redis.Redis) -> None:
    now = dialect_writers.now_of(writer)
    name = "evil|`q`\n## forged <b>.x"
    error = "redis://:hunter2@db refused\n```\n| a | b |\n\x1b[2Jtoken: hunter2"
    for task_id in ("t1", "`|<i>"):
        dialect_writers.task(
            writer, name, task_id, state="archived", error_msg=error, last_failed_at=int(now)
        )
        writer.zadd(f"asynq:{{{name}}}:archived", {task_id: now + 9_000})
    dialect_writers.queue(writer, name)
    recovery = '{"evil":{"consecutive_fails":3,"state":"degraded","total_restarts":2}}'
    dialect_writers.worker(writer, "w|`1`:1", now, f"map[{name}:1]", healthy=0, recovery=recovery)
    writer.rpush(
        "asynq:workers:w|`1`:1:logs", dialect_writers.log_line(1, "\x1b[31mpassword=hunter2\x1b[0m")
    )
    ran = run(redis_url, "-o", "-", "--for", "0s", "--with-payloads")
    assert "hunter2" not in ran.out
    assert "\x1b" not in ran.out
    assert not any(heading.startswith("forged") for heading in ran.document.headings)
    assert "password=***" in "".join(ran.document.blocks)


def test_what_cannot_be_reached(run: Run, tmp_path: Path) -> None:
    line = failed(run(f"unix://{tmp_path}/no.sock", "--for", "0s"), 69)
    assert "no.sock" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "output"),
    [
        ("taken.md", "taken.md exists; not overwritten."),
        ("beside.md", "beside.json exists; not overwritten."),
        ("no/such/a.md", "no/such/a.md cannot be written: no/such does not exist."),
        ("folder", "folder exists; not overwritten."),
    ],
)
def test_a_file_that_cannot_be_made(
    run: Run, redis_url: str, tmp_path: Path, target: str, output: str
) -> None:
    for name in ("taken.md", "beside.json"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "folder").mkdir()
    line = failed(run(redis_url, "-o", target, "--for", "0s"), 73)
    assert line == f"runqy-tui: {output}\n"
    files = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert files == {"taken.md": "mine", "beside.json": "mine"}


def test_a_folder_where_nothing_can_be_made(run: Run, redis_url: str) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc: does not exist where even root can make no file")
    line = failed(run(redis_url, "-o", "/proc/a.md", "--for", "0s"), 73)
    assert line.startswith("runqy-tui: /proc/a.md cannot be written: ")


@pytest.mark.parametrize(
    "args", [["--for", "soon"], ["--for", "2h"], ["--for", "-1s"], ["-o", "a.json"], ["-o", ""]]
)
def test_wrong_usage(run: Run, redis_url: str, args: list[str]) -> None:
    failed(run(redis_url, *args), 2)


def test_from_a_process_to_a_file(redis_url: str, tmp_path: Path) -> None:
    """The whole way, with a name of the user's own."""
    env = environment(tmp_path) | {"PYTHONPATH": str(Path(runqy_tui.__file__).parents[1])}
    command = [sys.executable, "-m", "runqy_tui", "--url", redis_url]
    command += ["report", "-o", "incident.txt", "--for", "0s"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Wrote incident.txt and incident.json\n"
    assert {path.name for path in tmp_path.iterdir()} == {"incident.txt", "incident.json"}


async def test_where_the_connection_goes_the_report_is_made_of_what_there_is(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a.b:1]", healthy=0)
    dialect_writers.task(writer, "a.b", "t1", state="archived", error_msg="x")
    dialect_writers.queue(writer, "a.b")
    writer.zadd("asynq:{a.b}:archived", {"t1": now + 9_000})
    reader, diagnoser = await reader_of(), Diagnoser()
    diagnosis = await diagnoser.diagnose(reader, await reader.overview())
    gone = await reader_of("unix:///nowhere/redis.sock")
    made = await make_report(
        gone, diagnosis, diagnoser.history, statistics=MonitorStatistics("0.1"), with_payloads=True
    )
    assert made.survey is None
    assert any(note.startswith("The error texts could not be read: ") for note in made.notes)
    text = to_markdown(made)
    assert "- **Missing:** The error texts could not be read: " in text
    assert "The log could not be read: " in text
    assert "worker `w:1`" in text
