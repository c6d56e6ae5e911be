"""The rules as a rule file for Prometheus, over the metrics of ``runqy-tui metrics``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runqy_tui.alerts.rule import Globs, RateUnit, Rule, RuleKind, format_span
from runqy_tui.model.severity import Severity

_BY = "job, instance, queue"


def rule_file(rules: Sequence[Rule]) -> str:
    """YAML that ``promtool check rules`` accepts."""
    lines = [
        "# Alerts over what `runqy-tui metrics` exports, made by `runqy-tui rules prometheus`.",
        "groups:",
        "  - name: runqy",
        "    rules:",
    ]
    for rule in rules:
        lines += _entry(rule)
    return "\n".join((*lines, *_down())) + "\n"


def _entry(rule: Rule) -> Iterable[str]:
    if rule.kind is RuleKind.FINDING and not (rule.queues.all and rule.workers.all):
        yield f"      # {rule.name}: left out, runqy_findings tells neither queue nor worker."
        return
    expression, summary = _KINDS[rule.kind](rule)
    yield from _alert(rule.name, expression, format_span(rule.for_s), rule.severity, summary)


def _down() -> Iterable[str]:
    summary = "runqy-tui metrics cannot reach Redis: what it shows is old"
    return _alert("runqy-down", "runqy_up == 0", "1m", Severity.CRITICAL, summary)


def _alert(
    name: str, expression: str, span: str, severity: Severity, summary: str
) -> Iterable[str]:
    yield f"      - alert: {_quoted(name)}"
    yield f"        expr: {_quoted(expression)}"
    yield f"        for: {span}"
    yield "        labels:"
    yield f"          severity: {severity.name.lower()}"
    yield "        annotations:"
    yield f"          summary: {_quoted(summary)}"


def _quoted(text: str) -> str:
    """A double-quoted scalar: what JSON quotes is YAML too, while pairs of surrogates are not."""
    return json.dumps(text, ensure_ascii=False)


def _matchers(**labels: Globs) -> str:
    found = []
    for label, globs in labels.items():
        some, none = globs.regexes()
        found += [f"{label}=~{_string(some)}"] if some is not None else []
        found += [f"{label}!~{_string(none)}"] if none is not None else []
    return f"{{{', '.join(found)}}}" if found else ""


def _string(text: str) -> str:
    """A string of PromQL, whose escapes are those of Go."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _with_hysteresis(rule: Rule, value: str) -> str:
    """Over the threshold, or over ``clear`` while the alert fires."""
    if rule.clear == rule.threshold:
        return f"{value} > {_number(rule.threshold)}"
    firing = f'ALERTS{{alertname={_string(rule.name)}, alertstate="firing"}}'
    return (
        f"({value} > {_number(rule.threshold)}) "
        f"or ({value} > {_number(rule.clear)} and on ({_BY}) {firing})"
    )


def _number(value: float) -> str:
    return f"{value:.15g}"


def _worker(rule: Rule) -> tuple[str, str]:
    expression = f"runqy_worker_healthy{_matchers(worker=rule.workers)} == 0"
    return expression, "worker {{ $labels.worker }} is unhealthy"


def _depth(rule: Rule) -> tuple[str, str]:
    value = f"runqy_queue_pending_tasks{_matchers(queue=rule.queues)}"
    return (
        _with_hysteresis(rule, value),
        "{{ $labels.queue }} has {{ $value }} pending tasks",
    )


def _failures(rule: Rule) -> tuple[str, str]:
    only = _matchers(queue=rule.queues)
    failed = f"increase(runqy_tasks_failed_total{only}[5m])"
    if rule.unit is RateUnit.PER_SECOND:
        value = f"rate(runqy_tasks_failed_total{only}[5m])"
        summary = "{{ $value | humanize }} tasks of {{ $labels.queue }} fail per second"
    else:
        value = f"({failed} / ({failed} + increase(runqy_tasks_processed_total{only}[5m])))"
        summary = "{{ $value | humanizePercentage }} of {{ $labels.queue }} fail"
    # Half a failure of slack: increase() extrapolates, and five of them may come out as 4.9.
    enough = f"{failed} > {_number(rule.least - 0.5)}"
    return f"({_with_hysteresis(rule, value)}) and {enough}", summary


def _slow(rule: Rule) -> tuple[str, str]:
    only = _matchers(queue=rule.queues)
    buckets = f"sum by ({_BY}, le) (rate(runqy_task_duration_seconds_bucket{only}[30m]))"
    value = f"histogram_quantile(0.95, {buckets})"
    seen = f"sum by ({_BY}) (increase(runqy_task_duration_seconds_count{only}[30m]))"
    return (
        f"({_with_hysteresis(rule, value)}) and {seen} > {_number(rule.least - 0.5)}",
        "{{ $labels.queue }} takes {{ $value | humanizeDuration }} at p95, as observed",
    )


def _finding(rule: Rule) -> tuple[str, str]:
    severity = Globs(("critical",)) if rule.at_least is Severity.CRITICAL else Globs()
    only = _matchers(detector=rule.detectors, severity=severity)
    return f"runqy_findings{only} > 0", "{{ $value }} × {{ $labels.detector }}"


_KINDS: Mapping[RuleKind, Callable[[Rule], tuple[str, str]]] = {
    RuleKind.WORKER_UNHEALTHY: _worker,
    RuleKind.QUEUE_DEPTH: _depth,
    RuleKind.FAILURE_RATE: _failures,
    RuleKind.SLOW_TASKS: _slow,
    RuleKind.FINDING: _finding,
}


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_Q = '{queue=~"$queue"}'
_WIDE, _HALF, _HIGH = 24, 12, 8

_QUANTILE = (
    "histogram_quantile(%s, sum by (queue, le) "
    f"(rate(runqy_task_duration_seconds_bucket{_Q}[$__rate_interval])))"
)

# Title, unit, and the queries with their legends.
_PANELS: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = (
    ("Findings", "short", (("runqy_findings", "{{detector}} ({{severity}})"),)),
    ("Worker health (1 = healthy)", "short", (("runqy_worker_healthy", "{{worker}}"),)),
    ("Last heartbeat", "s", (("runqy_worker_last_beat_age_seconds", "{{worker}}"),)),
    ("Pending tasks", "short", ((f"runqy_queue_pending_tasks{_Q}", "{{queue}}"),)),
    (
        "Oldest pending task",
        "s",
        ((f"runqy_queue_oldest_pending_age_seconds{_Q}", "{{queue}}"),),
    ),
    (
        "Tasks processed",
        "ops",
        ((f"rate(runqy_tasks_processed_total{_Q}[$__rate_interval])", "{{queue}}"),),
    ),
    (
        "Tasks failed",
        "ops",
        ((f"rate(runqy_tasks_failed_total{_Q}[$__rate_interval])", "{{queue}}"),),
    ),
    (
        "Task duration, observed",
        "s",
        (
            (_QUANTILE % 0.5, "{{queue}} p50"),
            (_QUANTILE % 0.95, "{{queue}} p95"),
        ),
    ),
    ("Tasks by state", "short", ((f"runqy_queue_tasks{_Q}", "{{queue}} {{state}}"),)),
    ("Consumers", "short", ((f"runqy_queue_consumers{_Q}", "{{queue}}"),)),
    (
        "Exporter",
        "short",
        (
            ("runqy_up", "up"),
            ("rate(runqy_exporter_errors_total[$__rate_interval])", "errors/s"),
            ("runqy_exporter_poll_seconds", "seconds per poll"),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it (schema 39, Grafana 11 and newer)."""
    return {
        "title": "runqy",
        "uid": "runqy-tui",
        "tags": ["runqy"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source_variable(), _queue_variable()]},
        "panels": [_panel(index) for index in range(len(_PANELS))],
    }


def _source_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }


def _queue_variable() -> dict[str, Any]:
    query = "label_values(runqy_queue_pending_tasks, queue)"
    return {
        "name": "queue",
        "label": "Queue",
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "queues"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(index: int) -> dict[str, Any]:
    title, unit, queries = _PANELS[index]
    return {
        "id": index + 1,
        "title": title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": _place(index),
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for number, (expression, legend) in enumerate(queries)
        ],
    }


def _place(index: int) -> dict[str, int]:
    """The first panel over the full width, the others in two columns."""
    if index == 0:
        return {"x": 0, "y": 0, "w": _WIDE, "h": _HIGH}
    row, column = divmod(index - 1, 2)
    return {"x": column * _HALF, "y": (row + 1) * _HIGH, "w": _HALF, "h": _HIGH}
