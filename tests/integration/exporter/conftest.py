"""The exporter as a service runs it: a process of its own, asked over HTTP."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.conftest import Cli

__all__ = ["Answer", "Exporter", "StartExporter"]

INTERVAL_S = 0.2
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP, and how long it took in seconds."""

    code: int
    kind: str
    text: str
    took_s: float


@dataclass
class Exporter:
    """A running ``runqy-tui metrics``."""

    process: subprocess.Popen[bytes]
    lines: list[str] = field(default_factory=list)
    port: int = 0

    def wait_until_it_serves(self) -> None:
        assert self.process.stderr is not None
        line = self.process.stderr.readline().decode()
        found = re.search(r"Serving http://\S+:(\d+)/metrics", line)
        assert found is not None, line
        self.lines.append(line)
        self.port = int(found[1])

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        started = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        kind = answer.getheader("Content-Type") or ""
        return Answer(answer.status, kind, text, time.monotonic() - started)

    def samples(self) -> dict[str, float]:
        """Every sample of a scrape by name and labels: ``name{a=1,b=2}``."""
        found = {}
        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return found

    def polled(self, times: int = 2) -> dict[str, float]:
        """Samples after so many more polls."""
        goal = self.samples()["runqy_exporter_polls_total"] + times
        return self.until(lambda seen: seen["runqy_exporter_polls_total"] >= goal)

    def until(self, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Scrape until a condition holds."""
        ends = time.monotonic() + DEADLINE_S
        while time.monotonic() < ends:
            seen = self.samples()
            if holds(seen):
                return seen
            time.sleep(0.05)
        raise AssertionError(f"never happened; the last scrape was {seen}")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code, and what it had written to standard error since it served."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        assert out == b""
        return self.process.returncode, err.decode()


StartExporter = Callable[..., Exporter]


@pytest.fixture
def start(cli: Cli, redis_url: str) -> Iterator[StartExporter]:
    """Starts exporters on a free port; those that still run in the end are stopped."""
    with ExitStack() as stack:

        def run(*args: str, url: str = redis_url) -> Exporter:
            process = cli.popen(
                *("--url", url, "--interval", str(INTERVAL_S), "--timeout", "1"),
                *("metrics", "--listen", "127.0.0.1:0", *args),
                stdout=subprocess.PIPE,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            exporter = Exporter(process)
            exporter.wait_until_it_serves()
            return exporter

        yield run


@pytest.fixture
def exporter(start: StartExporter) -> Exporter:
    """One on the tests' server, after its first poll."""
    running = start()
    running.until(lambda seen: seen["runqy_up"] == 1)
    return running
