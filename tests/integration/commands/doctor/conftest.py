"""Fixtures of the doctor's tests: the program in this process, and what it says line by line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.conftest import Result


@dataclass(frozen=True)
class DoctorRun:
    """One run with ``--json``."""

    code: int
    lines: list[dict[str, Any]]

    def of(self, topic: str) -> list[tuple[str, str]]:
        """Verdict and text of each line on a topic."""
        return [(line["verdict"], line["said"]) for line in self.lines if line["topic"] == topic]

    def one(self, topic: str, verdict: str = "ok") -> str:
        """Text of the only line on a topic, with this verdict."""
        ((found, text),) = self.of(topic)
        assert found == verdict, text
        return text

    def mend(self, topic: str) -> str:
        """What the first line on a topic that is not well says is to be done."""
        return next(
            str(line["mend"])
            for line in self.lines
            if line["topic"] == topic and line["mend"] is not None
        )

    def failures(self) -> list[str]:
        """Topics that failed."""
        return [line["topic"] for line in self.lines if line["verdict"] == "fail"]

    def skipped(self) -> list[str]:
        """Topics that could not be looked at."""
        return [line["topic"] for line in self.lines if line["verdict"] == "skip"]


Doctor = Callable[..., DoctorRun]


@pytest.fixture
def doctor(here: Callable[..., Result]) -> Doctor:
    """Runs ``doctor --json`` on a URL; keywords are environment variables."""

    def run(url: str | None = None, *options: str, **env: str) -> DoctorRun:
        given = () if url is None else ("--url", url)
        result = here(*given, *options, "doctor", "--json", **{"TERM": "xterm-256color"} | env)
        assert result.err == ""
        document = result.json
        assert document["schema"] == 1
        assert document["exit_code"] == result.code
        return DoctorRun(result.code, document["lines"])

    return run
