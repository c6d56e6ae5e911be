"""The report as Markdown, for a ticket or a mail, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import utc_clock
from runqy_tui.model.severity import Severity
from runqy_tui.report.markdown_escape import code, code_block, markdown_table, prose, queue_code
from runqy_tui.report.markdown_sections import (
    durations_section,
    errors_section,
    queues_section,
    workers_section,
)
from runqy_tui.report.report_model import LogTail, MonitorStatistics, Report
from runqy_tui.report.sparklines import COLUMNS, GAP, Series, sparkline
from runqy_tui.text.humanize import UNKNOWN, age, clock, moment, size, span
from runqy_tui.text.safe import few_marks

MOST_FINDINGS = 50


def to_markdown(report: Report) -> str:
    """Return the whole document, with a newline at its end."""
    snapshot = report.diagnosis.snapshot
    sections = [
        _head(report),
        _findings(report),
        workers_section(snapshot, report.findings),
        queues_section(report.diagnosis, report.findings),
        durations_section(report.diagnosis),
        errors_section(report),
        _series(report),
        _logs(report),
        _monitor_statistics(report),
    ]
    text = "\n\n".join("\n".join(lines) for lines in sections if lines)
    return few_marks(text) + "\n"


def _head(report: Report) -> list[str]:
    snapshot = report.diagnosis.snapshot
    redis = snapshot.redis
    critical = sum(finding.severity is Severity.CRITICAL for finding in report.findings)
    warning = sum(finding.severity is Severity.WARNING for finding in report.findings)
    lines = [
        "# runqy incident report",
        "",
        f"- **Generated:** {moment(report.made_at)}",
        f"- **Redis:** {code(redis.address)}, {prose(redis.version or 'version unknown')}, "
        f"{prose(redis.mode or 'mode unknown')}; its clock: {moment(snapshot.taken_at)}",
        f"- **Summary:** {critical} critical and {warning} warning findings, "
        f"{len(snapshot.workers):,} workers, {len(snapshot.queues):,} queues, "
        f"{_pending(report)} tasks pending",
        "- **Omitted:** "
        + ("nothing" if report.with_payloads else "payloads and results of tasks")
        + "; recognised secrets in errors and logs are masked as `***`",
    ]
    lines += [f"- **Warning:** {prose(text)}" for text in snapshot.warnings]
    return lines + [f"- **Missing:** {prose(note)}" for note in report.notes]


def _pending(report: Report) -> str:
    known = [queue.counts.pending for queue in report.diagnosis.snapshot.queues]
    return f"{sum(number or 0 for number in known):,}"


def _findings(report: Report) -> list[str]:
    if not report.findings:
        return ["## Findings", "", "No findings."]
    lines = ["## Findings"]
    now = report.diagnosis.snapshot.taken_at
    for number, finding in enumerate(report.findings[:MOST_FINDINGS], 1):
        lines += ["", *_finding(number, finding, now)]
    rest = len(report.findings) - MOST_FINDINGS
    return [*lines, "", f"{rest:,} more are in the JSON."] if rest > 0 else lines


def _finding(number: int, finding: Finding, now: float) -> list[str]:
    lines = [
        f"### {number}. {finding.severity.name}: {_subject(finding.subject)}",
        "",
        f"**{prose(finding.sentence)}**",
        "",
        f"- Since: {_since(finding, now)}",
        f"- Next step: {prose(finding.next_step)}",
        f"- Detector: {code(finding.detector)}",
    ]
    if finding.acknowledged_at is not None:
        lines.append(f"- Acknowledged: {utc_clock(finding.acknowledged_at, now)}")
    if finding.evidence:
        facts = [[code(fact.key), code(fact.field), code(fact.value)] for fact in finding.evidence]
        lines += ["", *markdown_table(["key", "field", "value"], facts)]
    return lines


def _subject(subject: Subject) -> str:
    named = f"{subject.kind} {code(subject.name)}"
    if subject.kind is SubjectKind.TASK and subject.queue is not None:
        return f"{named} in queue {queue_code(subject.queue)}"
    if subject.kind is SubjectKind.QUEUE and subject.queue is not None:
        return f"queue {queue_code(subject.queue)}"
    return named


def _since(finding: Finding, now: float) -> str:
    if finding.since is None:
        return "unknown"
    since = f"{utc_clock(finding.since, now)} ({age(now - finding.since)} ago)"
    if finding.since_known:
        return since
    if finding.before_start:
        return f"already present at the first poll, {since}"
    return f"{since}, first observed"


def _series(report: Report) -> list[str]:
    if not report.series:
        return []
    rows = [
        [
            queue_code(key) if place == 0 else "",
            series.name + (" /s" if series.name in ("done", "failed") else ""),
            f"`{sparkline(series.values)}`",
            _number(min(series.known)),
            _number(max(series.known)),
            _number(series.last),
        ]
        for key, many in groupby(report.series, key=lambda each: each.queue)
        for place, series in enumerate(many)
    ]
    return [
        "## Series",
        "",
        f"{_time_range(report.series)} `{GAP}` marks gaps in the data; bars start at zero.",
        "",
        *markdown_table(
            ["queue", "series", "values", "min", "max", "last"], rows, frozenset({3, 4, 5})
        ),
    ]


def _time_range(many: Iterable[Series]) -> str:
    longest = max(many, key=lambda each: each.step_s * len(each.values))
    covered = longest.step_s * len(longest.values)
    started = clock(longest.started_at)
    return f"{span(round(covered))} from {started} UTC, in at most {COLUMNS} columns."


def _number(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def _logs(report: Report) -> list[str]:
    if not report.logs:
        return []
    lines = ["## Logs of unhealthy workers"]
    for tail in report.logs:
        lines += ["", f"### {code(tail.worker_id)} ({tail.state})", ""]
        lines += [prose(tail.problem)] if tail.problem else code_block(_tail(tail))
    return lines


def _tail(tail: LogTail) -> str:
    return "\n".join(
        f"{clock(line.at)[-8:]} {(line.source or '')[:6]:<6} {line.text}" for line in tail.lines
    )


def _monitor_statistics(report: Report) -> list[str]:
    statistics = report.statistics
    redis = report.diagnosis.snapshot.redis
    lines = [
        "## Monitor statistics",
        "",
        f"- runqy-tui {prose(statistics.version)}: {statistics.polls:,} polls in "
        f"{span(statistics.watched_s)}, {statistics.failures:,} failed",
        f"- Poll duration: {_times(statistics)}; last poll {redis.elapsed_ms:.0f} ms",
        f"- Round trips: {redis.round_trips} in the last poll"
        + (f", {sum(statistics.round_trips):,} in total" if statistics.round_trips else ""),
    ]
    if statistics.last_error:
        lines.append(f"- Last failure: {prose(statistics.last_error)}")
    if (health := report.diagnosis.snapshot.health) is not None:
        lines.append(
            f"- Redis memory: {size(health.used_memory_bytes)} of "
            f"{size(health.maxmemory_bytes) if health.maxmemory_bytes else 'no limit'}, "
            f"role {prose(health.role or 'unknown')}"
        )
    return lines


def _times(statistics: MonitorStatistics) -> str:
    if not statistics.poll_ms:
        return "unknown"
    times = statistics.poll_ms
    mean = sum(times) / len(times)
    return f"{min(times):.0f} to {max(times):.0f} ms, {mean:.0f} ms on average"
