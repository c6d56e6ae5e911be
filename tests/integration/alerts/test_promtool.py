"""What ``rules prometheus`` prints, judged by Prometheus's own tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runqy_tui.alerts.rule_exports import rule_file
from runqy_tui.alerts.rule_file import default_rules, parse_rules
from tests.integration.alerts.conftest import Promtool

ODD = r"""
[[rule]]
name = "Odd name. 1-a_b"
kind = "queue-depth"
threshold = 0.5
for = "1500ms"
queues = ["a\"b*", "größe", 'back\slash', "[!x-z]?", "{{ $labels }}", "!line\nbreak", "![ab]+.(c)"]

[[rule]]
name = "w"
kind = "worker-unhealthy"
workers = ["gpu-*:*", "!gpu-9:*"]

[[rule]]
name = "f"
kind = "failure-rate"
unit = "per-second"
threshold = 2
clear = 1
queues = "a.*"

[[rule]]
name = "s"
kind = "slow-tasks"
threshold = 1
queues = "!a.*"

[[rule]]
name = "x"
kind = "finding"
detector = ["queue-*", "!queue-paused"]

[[rule]]
name = "y"
kind = "finding"
detector = "*"
queues = "a"
"""


def test_the_built_in_rules_are_accepted(promtool: Promtool, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(rule_file(default_rules()), encoding="utf-8")
    done = promtool("check", "rules", "r.yml")
    assert done.returncode == 0, done.stderr
    assert "SUCCESS: 6 rules found" in done.stdout


def test_odd_names_and_patterns_are_accepted(promtool: Promtool, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(rule_file(parse_rules(ODD, "odd")), encoding="utf-8")
    done = promtool("check", "rules", "r.yml")
    assert done.returncode == 0, done.stderr
    assert "SUCCESS: 6 rules found" in done.stdout


def case(
    series: dict[str, str], rule: str, at: str, expected: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """One unit test of Prometheus: which alerts of a rule fire at a time."""
    alerts = [{"exp_labels": labels} for labels in expected or []]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": rule, "eval_time": at, "exp_alerts": alerts}],
    }


def annotated(tests: list[dict[str, Any]], summaries: dict[str, str]) -> list[dict[str, Any]]:
    for test in tests:
        for check in test["alert_rule_test"]:
            for alert in check["exp_alerts"]:
                alert["exp_annotations"] = {"summary": summaries[check["alertname"]]}
    return tests


Q = {"queue": "q", "job": "j", "instance": "i"}
ON = '{queue="q", job="j", instance="i"}'
WARNING = [Q | {"severity": "warning"}]
DEPTH = f"runqy_queue_pending_tasks{ON}"
FAILED, DONE = f"runqy_tasks_failed_total{ON}", f"runqy_tasks_processed_total{ON}"
SUMMARIES = {
    "worker-unhealthy": "worker w is unhealthy",
    "queue-depth": "q has 900 pending tasks",
    "failure-rate": "50% of q fail",
    "slow-tasks": "q takes 9m 45s at p95, as observed",
    "critical-finding": "2 × queue-no-consumer",
    "runqy-down": "runqy-tui metrics cannot reach Redis: all other metrics are stale",
}


def bucket(bound: str) -> str:
    return f'runqy_task_duration_seconds_bucket{{queue="q", job="j", instance="i", le="{bound}"}}'


def slow(per_minute: float) -> dict[str, str]:
    """All tasks take between 300 and 600 s."""
    growing, never = f"0+{per_minute}x60", "0x60"
    return {
        bucket("300"): never,
        bucket("600"): growing,
        bucket("+Inf"): growing,
        f"runqy_task_duration_seconds_count{ON}": growing,
    }


CASES = [
    case({'runqy_worker_healthy{worker="w"}': "1 0x9"}, "worker-unhealthy", "90s", []),
    case(
        {'runqy_worker_healthy{worker="w"}': "1 0x9"},
        "worker-unhealthy",
        "5m",
        [{"worker": "w", "severity": "critical"}],
    ),
    case({'runqy_worker_healthy{worker="w"}': "1x9"}, "worker-unhealthy", "9m", []),
    case({DEPTH: "1001x4 1000x9"}, "queue-depth", "9m", []),
    case({DEPTH: "900x20"}, "queue-depth", "20m", []),
    case({DEPTH: "2000x9 900x9"}, "queue-depth", "15m", WARNING),
    case({DEPTH: "2000x9 800x9"}, "queue-depth", "15m", []),
    case({FAILED: "0+10x20", DONE: "0+10x20"}, "failure-rate", "15m", WARNING),
    case({FAILED: "0+10x20", DONE: "0+90x20"}, "failure-rate", "15m", []),
    case({FAILED: "0+0.5x20", DONE: "0x20"}, "failure-rate", "15m", []),
    case({FAILED: "0x20", DONE: "0x20"}, "failure-rate", "15m", []),
    case({FAILED: "0+10x20"}, "failure-rate", "15m", []),
    case(slow(2), "slow-tasks", "45m", WARNING),
    case(slow(0.1), "slow-tasks", "45m", []),
    case(
        {'runqy_findings{detector="queue-no-consumer", severity="critical"}': "2x9"},
        "critical-finding",
        "5m",
        [{"detector": "queue-no-consumer", "severity": "critical"}],
    ),
    case(
        {'runqy_findings{detector="queue-paused", severity="warning"}': "2x9"},
        "critical-finding",
        "5m",
        [],
    ),
    case(
        {'runqy_findings{detector="worker-lost", severity="critical"}': "2x9"},
        "critical-finding",
        "5m",
        [],
    ),
    case({"runqy_up": "1 0x9"}, "runqy-down", "5m", [{"severity": "critical"}]),
    case({"runqy_up": "1x9"}, "runqy-down", "5m", []),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_when_the_built_in_rules_fire(promtool: Promtool, tmp_path: Path, number: int) -> None:
    (tmp_path / "r.yml").write_text(rule_file(default_rules()), encoding="utf-8")
    tests = annotated([json.loads(json.dumps(CASES[number]))], SUMMARIES)
    # JSON is YAML, so the test needs no writer of its own.
    suite = {"rule_files": ["r.yml"], "evaluation_interval": "30s", "tests": tests}
    (tmp_path / "t.yml").write_text(json.dumps(suite, ensure_ascii=False), encoding="utf-8")
    done = promtool("test", "rules", "t.yml")
    assert done.returncode == 0, done.stdout + done.stderr
