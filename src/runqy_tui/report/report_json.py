"""The report as JSON (schema 1), with the same secrets masked as in the Markdown."""

from __future__ import annotations

from dataclasses import asdict

from runqy_tui.diagnosis.findings.finding import Finding, Subject
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey
from runqy_tui.model import JsonObject, LogLine, QueueKey
from runqy_tui.model.json_schema import SCHEMA, snapshot_object
from runqy_tui.report.report_model import ErrorExample, MonitorStatistics, Report
from runqy_tui.report.sparklines import Series


def to_object(report: Report) -> JsonObject:
    """Return the JSON object of a report; ``snapshot`` is as in ``runqy-tui snapshot --json``."""
    diagnosis = report.diagnosis
    return {
        "schema": SCHEMA,
        "kind": "report",
        "made_at": float(report.made_at),
        "taken_at": float(diagnosis.snapshot.taken_at),
        "payloads_included": report.with_payloads,
        "notes": list(report.notes),
        "findings": [_finding(finding) for finding in report.findings],
        "snapshot": snapshot_object(diagnosis.snapshot),
        "trends": [_queue(key) | trend._asdict() for key, trend in diagnosis.trends.items()],
        "durations": [_queue(key) | asdict(seen) for key, seen in diagnosis.durations.items()],
        "errors": None if report.survey is None else _survey(report.survey),
        "examples": [_example(example) for example in report.examples],
        "series": [_series(series) for series in report.series],
        "logs": [
            {
                "worker": tail.worker_id,
                "state": tail.state,
                "problem": tail.problem,
                "lines": [_line(line) for line in tail.lines],
            }
            for tail in report.logs
        ],
        "monitor": _monitor(report.statistics),
    }


def _queue(key: QueueKey) -> JsonObject:
    return {"queue": key.name, "braced": key.braced}


def _finding(finding: Finding) -> JsonObject:
    return {
        "id": finding.id,
        "detector": finding.detector,
        "severity": finding.severity.name.lower(),
        "object": _subject(finding.subject),
        "reason": finding.reason,
        "sentence": finding.sentence,
        "next_step": finding.next_step,
        "since": finding.since,
        "since_known": finding.since_known,
        "before_start": finding.before_start,
        "acknowledged_at": finding.acknowledged_at,
        "evidence": [fact._asdict() for fact in finding.evidence],
    }


def _subject(subject: Subject) -> JsonObject:
    place = subject.queue
    return {
        "kind": subject.kind,
        "name": subject.name,
        "queue": None if place is None else place.name,
        "braced": None if place is None else place.braced,
    }


def _survey(survey: ErrorSurvey) -> JsonObject:
    return {
        "sample": survey.sample,
        "total": survey.total,
        "sampled": survey.sampled,
        "without_text": survey.untold,
        "without_data": survey.gone,
        "not_stored": [_queue(key) | {"failed_total": n} for key, n in survey.unstored],
        "left_out": [_queue(key) for key in survey.left_out],
        "groups": [_group(group) for group in survey.groups],
    }


def _group(group: ErrorGroup) -> JsonObject:
    return {
        "key": group.signature.key,
        "title": group.signature.title,
        "headline": group.headline,
        "frame": group.signature.frame,
        "count": group.count,
        "share": round(group.share, 4),
        "total": group.total,
        "sampled": group.sampled,
        "first_at": group.first_at,
        "last_at": group.last_at,
        "queues": [_queue(key) | {"count": count} for key, count in group.queues],
        "example": _queue(group.example.queue)
        | {"id": group.example.task_id, "state": group.example.state},
    }


def _example(example: ErrorExample) -> JsonObject:
    return _queue(example.queue) | {
        "id": example.task_id,
        "state": example.state,
        "at": example.at,
        "error": example.error,
        "payload": None if example.payload is None else example.payload._asdict(),
        "result": None if example.result is None else example.result._asdict(),
    }


def _series(series: Series) -> JsonObject:
    return _queue(series.queue) | {
        "name": series.name,
        "started_at": series.started_at,
        "step_s": round(series.step_s, 3),
        "values": [None if value is None else round(value, 4) for value in series.values],
    }


def _line(line: LogLine) -> JsonObject:
    return {"seq": line.seq, "at": line.at, "source": line.source, "text": line.text}


def _monitor(statistics: MonitorStatistics) -> JsonObject:
    return {
        "version": statistics.version,
        "polls": statistics.polls,
        "failures": statistics.failures,
        "watched_s": round(statistics.watched_s, 3),
        "poll_ms": [round(each, 3) for each in statistics.poll_ms],
        "round_trips": list(statistics.round_trips),
        "last_error": statistics.last_error,
    }
