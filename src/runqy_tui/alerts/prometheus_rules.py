"""The rules as a rule file for Prometheus, over the metrics of ``runqy-tui metrics``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from runqy_tui.alerts.name_patterns import Globs
from runqy_tui.alerts.rule import RateUnit, Rule, RuleKind, format_span
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
