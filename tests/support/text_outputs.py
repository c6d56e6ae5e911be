"""Every text that leaves the program made of what was read, each held to what it promises."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from time import monotonic

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from runqy_tui.commands.snapshot_command import snapshot_text, task_text
from runqy_tui.diagnosis.diagnoser import Diagnoser, TaskChecks
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.signatures.error_survey import ErrorSurvey, group
from runqy_tui.exporter.collector import RunqyCollector
from runqy_tui.exporter.scrape_state import (
    MonotonicCounters,
    ScrapeFrame,
    ScrapeState,
    count_findings,
)
from runqy_tui.model import LogBatch, QueueKey, Snapshot, Task, TaskRow
from runqy_tui.model.json_schema import snapshot_object, task_object
from runqy_tui.report import MonitorStatistics, build_report, to_markdown, to_object
from runqy_tui.runtime.cooperative import run_to_end

_BARRED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_clean(text: str) -> None:
    """Nothing in it moves a cursor, reorders what is read, or has no bytes in UTF-8."""
    bad = {
        char
        for char in set(text) - {"\n"}
        if unicodedata.category(char) in _BARRED or char in _BIDI
    }
    assert not bad, sorted(bad)
    text.encode()


def check_json(value: object) -> None:
    """It is JSON as a strict reader wants it, and reads back as itself."""
    spelled = json.dumps(value, allow_nan=False)
    assert json.loads(spelled) == json.loads(json.dumps(json.loads(spelled)))
    assert spelled.isascii()


def check_forms(
    snapshot: Snapshot,
    *,
    rows: Iterable[tuple[QueueKey, TaskRow]] = (),
    logs: Mapping[str, LogBatch] | None = None,
    diagnoser: Diagnoser | None = None,
    checks: TaskChecks | None = None,
) -> tuple[Finding, ...]:
    """Findings, JSON, plain text, report and metrics of a poll; gives the findings."""
    diagnosis = run_to_end((diagnoser or Diagnoser()).update(snapshot, checks))
    broken = [
        finding for finding in diagnosis.findings if "fault in runqy-tui" in finding.next_step
    ]
    assert not broken, broken
    for worker in snapshot.workers:
        beat_age_s = snapshot.last_beat_age_s(worker)
        assert beat_age_s is None or beat_age_s >= 0
    for queue in snapshot.queues:
        oldest_s = snapshot.oldest_pending_age_s(queue)
        assert oldest_s is None or oldest_s >= 0
    check_json(snapshot_object(snapshot))
    check_clean(snapshot_text(snapshot))
    groups = group(rows)
    report = build_report(
        diagnosis,
        made_at=snapshot.taken_at,
        statistics=MonitorStatistics("1.0", polls=1, last_error="\x1b[2J"),
        survey=ErrorSurvey(snapshot.taken_at, groups),
        logs=logs,
        notes=snapshot.warnings,
        with_payloads=True,
    )
    check_clean(to_markdown(report))
    check_json(to_object(report))
    _check_metrics(snapshot, diagnosis.findings)
    return diagnosis.findings


def check_task(task: Task) -> None:
    """One task as text and as JSON."""
    check_clean(task_text(task))
    check_json(task_object(task))


def _check_metrics(snapshot: Snapshot, findings: Iterable[Finding]) -> None:
    frame = ScrapeFrame(
        snapshot,
        monotonic(),
        MonotonicCounters().update(snapshot.queues),
        {},
        count_findings(list(findings)),
    )
    registry = CollectorRegistry()
    registry.register(RunqyCollector(lambda: ScrapeState(frame=frame)))
    text = generate_latest(registry).decode()
    check_clean(text)
    seen: set[object] = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in seen, series
            seen.add(series)
            for value in sample.labels.values():
                assert len(value) < 300
                check_clean(value)
