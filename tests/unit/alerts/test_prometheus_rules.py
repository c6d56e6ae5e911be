"""The Prometheus rule file and the Grafana dashboard, as text."""

from __future__ import annotations

import json
from typing import Any

from runqy_tui.alerts.rule import NamePatterns, Rule, RuleKind
from runqy_tui.alerts.rule_exports import dashboard, rule_file
from runqy_tui.alerts.rule_file import default_rules
from runqy_tui.exporter.metric_families import FAMILIES


def test_every_rule_and_one_for_the_exporter() -> None:
    text = rule_file(default_rules())
    names = [line.split('"')[1] for line in text.splitlines() if "- alert:" in line]
    assert names == [*(rule.name for rule in default_rules()), "runqy-down"]


def test_patterns_become_matchers_and_are_quoted() -> None:
    globs = NamePatterns(('a".*', "b\\c", "!x"))
    text = rule_file([Rule("r", RuleKind.QUEUE_DEPTH, threshold=5, clear=5, queues=globs)])
    (line,) = (line for line in text.splitlines() if "pending_tasks" in line)
    expression = json.loads(line.partition(": ")[2])
    assert expression == (r'runqy_queue_pending_tasks{queue=~"a\"\\..*|b\\\\c", queue!~"x"} > 5')


def test_a_rule_that_prometheus_cannot_have_is_named() -> None:
    rule = Rule("mine", RuleKind.FINDING, queues=NamePatterns(("a",)))
    assert "# mine: omitted, runqy_findings has no queue or worker label." in rule_file([rule])


def queries(value: Any) -> list[str]:
    return [target["expr"] for panel in value["panels"] for target in panel["targets"]]


def test_the_dashboard_has_every_metric_and_no_overlap() -> None:
    board = dashboard()
    text = " ".join(queries(board))
    for family in FAMILIES:
        assert family.name in text
    assert json.loads(json.dumps(board)) == board
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
