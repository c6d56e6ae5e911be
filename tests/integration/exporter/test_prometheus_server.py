"""A real Prometheus scrapes the exporter and evaluates the printed rules."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import redis

from tests.integration.conftest import Cli
from tests.integration.exporter.conftest import Exporter
from tests.support import dialect_writers

DEADLINE_S = 60.0
RULES = """
[[rule]]
name = "sick"
kind = "worker-unhealthy"

[[rule]]
name = "deep"
kind = "queue-depth"
threshold = 1
queues = "a*"

[[rule]]
name = "not-so-deep"
kind = "queue-depth"
threshold = 100
"""


class Prometheus:
    """The server, asked over its own API."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self.process = process
        self.address = address
        self.log = log

    def ask(self, path: str, **query: str) -> Any:
        with urlopen(
            f"http://{self.address}/api/v1/{path}?{urlencode(query)}", timeout=5
        ) as answer:
            return json.load(answer)["data"]

    def until(self, path: str, holds: Callable[[Any], bool], **query: str) -> Any:
        ends = time.monotonic() + DEADLINE_S
        seen = None
        while time.monotonic() < ends:
            try:
                seen = self.ask(path, **query)
            except (URLError, OSError):
                seen = None
            if seen is not None and holds(seen):
                return seen
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.2)
        raise AssertionError(f"never happened; the last answer was {seen}")

    def value(self, query: str) -> float:
        """Value of a query that has exactly one series."""
        (series,) = self.until("query", lambda data: len(data["result"]) == 1, query=query)[
            "result"
        ]
        return float(series["value"][1])


@pytest.fixture
def prometheus(exporter: Exporter, cli: Cli, tmp_path: Path) -> Iterator[Prometheus]:
    """Scrapes the exporter each half second; without the program such a test is skipped."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (Debian: apt-get install prometheus)")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    printed = cli("rules", "prometheus", "--rules", str(tmp_path / "rules.toml"))
    (tmp_path / "rules.yml").write_text(printed.out, encoding="utf-8")
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {
                "job_name": "runqy",
                "scrape_timeout": "400ms",
                "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}],
            }
        ],
    }
    (tmp_path / "p.yml").write_text(json.dumps(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = tmp_path / "p.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                program,
                "--config.file=p.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address={address}",
            ],
            cwd=tmp_path,
            stdout=out,
            stderr=out,
        )
    yield Prometheus(process, address, log)
    process.terminate()
    process.wait(timeout=30)


def test_target_values_and_alerts(
    writer: redis.Redis, exporter: Exporter, prometheus: Prometheus
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now + 25, "map[a:1]", healthy=0, status="running")
    dialect_writers.pending(writer, "a", "t1", "t2", "t3", since=now - 30)
    dialect_writers.task(writer, "a", "slow", state="active")
    writer.zadd("asynq:{a}:lease", {"slow": now + 120})
    writer.mset({"asynq:{a}:processed": 41, "asynq:{a}:failed": 7})
    exporter.polled()
    writer.lpush("asynq:{a}:active", "slow")
    exporter.polled(4)
    dialect_writers.put(writer, "asynq:{a}:t:slow", {"state": "completed"})
    writer.lrem("asynq:{a}:active", 0, "slow")

    (target,) = prometheus.until(
        "targets",
        lambda data: data["activeTargets"] and data["activeTargets"][0]["health"] == "up",
    )["activeTargets"]
    assert target["lastError"] == ""
    value = prometheus.value
    assert value("runqy_up") == 1
    assert value('runqy_tasks_processed_total{queue="a"}') == 41
    assert value('runqy_tasks_failed_total{queue="a"}') == 7
    assert value('runqy_worker_healthy{worker="w:1"}') == 0
    assert value('runqy_worker_last_beat_age_seconds{worker="w:1"}') < 60
    assert value('runqy_queue_pending_tasks{queue="a"}') == 3
    assert value('runqy_queue_tasks{queue="a", state="active"}') in (0, 1)
    assert value('runqy_task_duration_seconds_count{queue="a"}') == 1
    assert value('runqy_queue_oldest_pending_age_seconds{queue="a"}') > 25
    assert value('runqy_queue_consumers{queue="a"}') == 1
    assert value('sum(runqy_findings{severity="critical"})') > 0

    alerts = prometheus.until(
        "alerts",
        lambda data: {a["labels"]["alertname"] for a in data["alerts"]} >= {"sick", "deep"},
    )["alerts"]
    firing = {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}
    assert firing == {"sick", "deep"}
    (group,) = prometheus.ask("rules")["groups"]
    assert {rule["health"] for rule in group["rules"]} == {"ok"}

    writer.lrem("asynq:{a}:pending", 0, "t1")
    writer.incrby("asynq:{a}:processed", 1)
    exporter.polled()
    prometheus.until(
        "query",
        lambda data: data["result"][0]["value"][1] == "42",
        query='runqy_tasks_processed_total{queue="a"}',
    )
