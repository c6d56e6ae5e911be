"""One command for each habit: ``nox -s check``, or any other session of ``nox --list``.

All run in the active environment (``python -m pip install -e '.[dev]'``), so that a check costs no
installation; ``.ci/run`` makes a fresh environment and runs the same sessions in it.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["check"]

BENCHMARKS = ("startup", "terminal", "link", "poll", "scale", "search", "memory")
COVERED = {
    "runqy_tui.redis.decoding": "src/runqy_tui/redis/decoding/*",
    "runqy_tui.diagnosis": "src/runqy_tui/diagnosis/*",
    "runqy_tui.text": "src/runqy_tui/text/*",
}
"""Rooms of pure functions: what their tests do not reach is not tested at all."""


@nox.session
def check(session: nox.Session) -> None:
    """Before each commit, under a minute: linters, types, import contracts, unit tests."""
    lint(session)
    session.run("python", "-m", "pytest", "-q", "-n", "auto", "tests/unit", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Linters, types and import contracts."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def test(session: nox.Session) -> None:
    """All tests, on real servers and terminals; arguments after ``--`` go to pytest."""
    session.run("python", "-m", "pytest", "-n", "auto", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage of the rooms that are pure functions: at least 95 % each."""
    session.run("coverage", "erase")
    session.run(
        "python",
        *("-m", "pytest", "-q", "-n", "auto", "--cov", "--cov-report="),
        "tests/unit",
        "tests/integration/diagnosis/signatures",
        "tests/integration/redis/task_reading",
    )
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page:
            session.run("coverage", "report", "--format=markdown", "--fail-under=0", stdout=page)
    for room, files in COVERED.items():
        session.log(f"branch coverage of {room}")
        session.run("coverage", "report", f"--include={files}")


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks in their short form, or one: ``nox -s bench -- terminal --runs 3``."""
    if session.posargs:
        name, *arguments = session.posargs
        session.run("python", "-m", f"benchmarks.{name}", *arguments)
        return
    for name in BENCHMARKS:
        session.run("python", "-m", f"benchmarks.{name}", "--short")


@nox.session
def screens(session: nox.Session) -> None:
    """Renew the pictures in ``screenshots/`` from the demo."""
    session.run("python", "scripts/screenshots.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Check the documents: commands, texts, paths and links that they quote."""
    session.run("python", "-m", "pytest", "-q", "tests/unit/repository", *session.posargs)
