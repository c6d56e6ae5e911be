"""The report as a whole: everything is in it, secrets are not, and hostile text stays text."""

from __future__ import annotations

import json
from typing import Any

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Evidence, Finding, Subject, SubjectKind
from runqy_tui.diagnosis.signatures import ErrorSurvey, group
from runqy_tui.model import (
    Blob,
    Counts,
    LogBatch,
    LogLine,
    QueueKey,
    RedisInfo,
    Task,
    TaskRow,
    TaskState,
    WorkerState,
)
from runqy_tui.model.severity import Severity
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.observation.history import Point, Trend
from runqy_tui.report import MonitorStatistics, Report, build_report, to_markdown, to_object
from runqy_tui.report.report_builder import LOG_LINES, unhealthy_workers, without_escapes
from runqy_tui.report.sparklines import build_series
from tests.support.builders import NOW, queue, snapshot, worker
from tests.unit.report.markdown_documents import parse

HOSTILE = "a|b`c</td>\n## forged\n\x1b[2J<img src=x>\u202e [x](http://evil.example) @all"
SECRETS = ("hunter2", "s3cr3tvalue", "abcdef0123456789abcdef0123456789")
KEY = QueueKey(HOSTILE)


def finding(
    kind: SubjectKind = SubjectKind.WORKER, name: str = "gpu-1:1", **fields: Any
) -> Finding:
    given: dict[str, Any] = {
        "detector": "worker-degraded",
        "severity": Severity.CRITICAL,
        "subject": Subject(kind, name, fields.pop("queue", None)),
        "reason": "crashed",
        "sentence": f"worker {name} is degraded",
        "next_step": "restart it",
        "since": NOW - 90,
    }
    return Finding(**(given | fields))


def hostile_report(*, with_payloads: bool = False) -> Report:
    """Every text in it tries to break out, and secrets are wherever programs leave them."""
    error = f"redis://:hunter2@h refused {HOSTILE}\ntoken: s3cr3tvalue\n```\n# out"
    rows = [(KEY, TaskRow(HOSTILE, TaskState.ARCHIVED, when=NOW - 5, error=error))]
    secret = f"password=hunter2 token {SECRETS[2]}"
    seen = snapshot(
        queues=(queue(HOSTILE, counts=Counts(3, 0, 0, 0, 1, 0, 0), consumers=(HOSTILE,)),),
        workers=(
            worker(HOSTILE, WorkerState.DEGRADED, queues={HOSTILE: 1}, healthy=False),
            worker("fine:1"),
        ),
        redis=RedisInfo(HOSTILE, HOSTILE, HOSTILE, 1, 2.0),
        warnings=(HOSTILE,),
    )
    evidence = (Evidence(HOSTILE, HOSTILE, secret), Evidence("k", "f", HOSTILE))
    diagnosis = Diagnosis(
        snapshot=seen,
        findings=(
            finding(name=HOSTILE, sentence=HOSTILE, next_step=HOSTILE, evidence=evidence),
            finding(
                SubjectKind.QUEUE, HOSTILE, queue=KEY, reason=HOSTILE, severity=Severity.WARNING
            ),
            finding(SubjectKind.TASK, HOSTILE, queue=KEY, severity=Severity.WARNING),
        ),
        trends={KEY: Trend(20, 1.5, 0.25, 2.0, -0.5, 360.0)},
        durations={KEY: ObservedDurations(1.0, 2.0, 3.0, 40, 2.0)},
    )
    task = Task(
        id=HOSTILE,
        queue=KEY,
        taken_at=NOW,
        payload=Blob(f'{{"api_key": "hunter2", "n": "{HOSTILE}"}}'.encode(), 5_000),
        result=Blob(b"\xff\xfe\x00", 3),
    )
    pending = build_series(KEY, "pending", [Point(NOW - 2, 1), Point(NOW - 1, None), Point(NOW, 3)])
    assert pending is not None
    lines = (LogLine(1, f"\x1b[32mDEBUG\x1b[0m {secret}", "stderr", NOW), LogLine(2, HOSTILE))
    return build_report(
        diagnosis,
        made_at=NOW,
        statistics=MonitorStatistics(
            "0.1", 3, 1, 2.0, (1.0, 3.0), (3, 1), f"{HOSTILE} password=hunter2"
        ),
        survey=ErrorSurvey(
            NOW, group(rows), 1, 9, untold=2, gone=1, unstored=((KEY, 3),), left_out=(KEY,)
        ),
        tasks={(KEY, HOSTILE): task},
        series=[pending],
        logs={
            HOSTILE: LogBatch(lines),
            "fine:1": f"{HOSTILE} token: s3cr3tvalue",
            "not there": "x",
        },
        notes=[f"{HOSTILE} secret=hunter2"],
        with_payloads=with_payloads,
    )


def test_hostile_text_leaves_no_table_no_code_and_makes_no_markup() -> None:
    document = parse(to_markdown(hostile_report(with_payloads=True)))
    assert "html_block" not in document.kinds
    assert not document.kinds & {"link_open", "image", "em_open", "hr"}
    assert [name for name in document.headings if name.startswith("forged")] == []
    named = [name.partition(":")[0].split(" ")[0] for name in document.headings]
    assert named.count("Findings") == named.count("Errors") == named.count("Series") == 1
    widths = {tuple({len(row) for row in table}) for table in document.tables}
    assert widths == {(3,), (9,), (18,), (6,), (8,)}
    assert len(document.tables) == 6
    assert len(document.blocks) == 4  # error, payload, result, log


def test_secrets_are_in_neither_form() -> None:
    for with_payloads in (False, True):
        report = hostile_report(with_payloads=with_payloads)
        for form in (to_markdown(report), json.dumps(to_object(report))):
            assert not [secret for secret in SECRETS if secret in form]
            assert "***" in form


def test_payloads_and_results_get_in_on_request_only() -> None:
    shown, hidden = hostile_report(with_payloads=True), hostile_report()
    assert "Payload (4.9 KiB, first part):" in to_markdown(shown)
    assert "Result (3 B, binary):\n\n```text\nff fe 00\n" in to_markdown(shown)
    assert "payload (" not in to_markdown(hidden)
    assert (hidden.examples[0].payload, hidden.examples[0].result) == (None, None)
    assert '"api_key": "***"' in to_markdown(shown)
    assert to_object(hidden)["payloads_included"] is False


def test_a_report_of_nothing() -> None:
    report = build_report(Diagnosis(snapshot()), made_at=NOW, statistics=MonitorStatistics("0.1"))
    document = parse(to_markdown(report))
    assert document.headings == [
        "runqy incident report",
        "Findings",
        "Workers",
        "Queues",
        "Monitor statistics",
    ]
    assert "No findings." in to_markdown(report)
    report_json = to_object(report)
    assert json.loads(json.dumps(report_json, allow_nan=False)) == report_json
    assert (report_json["errors"], report_json["findings"], report_json["logs"]) == (None, [], [])


def test_a_finding_tells_its_evidence_its_age_and_the_next_step() -> None:
    found = finding(evidence=(Evidence("asynq:workers:gpu-1:1", "healthy", "0"),))
    seen = [
        found._replace(since_known=True),
        found._replace(before_start=True, acknowledged_at=NOW - 5),
        found._replace(since=None),
        found,
    ]
    text = to_markdown(
        build_report(
            Diagnosis(snapshot(), tuple(seen)), made_at=NOW, statistics=MonitorStatistics("0.1")
        )
    )
    assert text.count("| `asynq:workers:gpu-1:1` | `healthy` | `0` |") == 4
    assert "### 1. CRITICAL: worker `gpu-1:1`\n\n**worker gpu-1:1 is degraded**\n" in text
    assert text.count("- Next step: restart it") == 4
    assert [line for line in text.split("\n") if line.startswith("- Since: ")] == [
        "- Since: 01:27:24 UTC (1m ago)",
        "- Since: already present at the first poll, 01:27:24 UTC (1m ago)",
        "- Since: unknown",
        "- Since: 01:27:24 UTC (1m ago), first observed",
    ]
    assert "- Acknowledged: 01:28:49 UTC" in text


def test_many_rows_are_cut_and_the_json_has_them_all() -> None:
    seen = snapshot(
        workers=tuple(worker(f"w:{n}") for n in range(250)),
        queues=tuple(queue(f"q.{n}") for n in range(300)),
    )
    findings = tuple(finding(name=f"w:{n}") for n in range(60))
    report = build_report(
        Diagnosis(seen, findings), made_at=NOW, statistics=MonitorStatistics("0.1")
    )
    text = to_markdown(report)
    assert "10 more are in the JSON." in text
    assert "50 more are in the JSON." in text
    assert "100 more are in the JSON." in text
    report_json = to_object(report)
    assert (len(report_json["findings"]), len(report_json["snapshot"]["queues"])) == (60, 300)


def test_a_sample_says_that_it_is_one() -> None:
    text = to_markdown(hostile_report())
    assert "Sample: the newest 1 of 9 failed tasks in Redis" in text
    assert "2 of them have no error text: runqy stores none on a retry." in text
    assert "storage is off, or the entries expired" in text


def test_of_a_log_the_last_lines_stay_without_colour_and_without_keys() -> None:
    texts = [f"line {n}" for n in range(30)]
    texts[5] = "-----BEGIN PRIVATE KEY-----"
    texts[6:15] = ["MIIEabcdefghijklmnop"] * 9
    texts[15] = "-----END PRIVATE KEY-----"
    texts[20] = "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\tand a tab"
    texts[21] = "two\nlines " + "x" * 900
    lines = tuple(LogLine(n, text, "stdout", NOW + n) for n, text in enumerate(texts))
    sick = worker("gpu-1:1", WorkerState.DEGRADED)
    report = build_report(
        Diagnosis(snapshot(workers=(sick,))),
        made_at=NOW,
        statistics=MonitorStatistics("0.1"),
        logs={"gpu-1:1": LogBatch(lines)},
    )
    (tail,) = report.logs
    assert [line.seq for line in tail.lines] == list(range(30 - LOG_LINES, 30))
    assert [line.text for line in tail.lines[:7]] == ["***"] * 6 + ["line 16"]
    assert tail.lines[10].text == "red link\tand a tab"
    assert tail.lines[11].text.startswith("two␊lines x")
    assert len(tail.lines[11].text) == 500
    (block,) = parse(to_markdown(report)).blocks
    assert block.split("\n")[6] == "01:29:10 stdout line 16"


def test_escape_sequences_go_whole() -> None:
    assert (
        without_escapes("\x1b[1;31ma\x1b[0mb\x1b(Bc\x1b]0;title\x07d\x9b31me\x1bcf\x1bPq\x1b\\g")
        == "abcdefg"
    )
    assert without_escapes("\x1b[") == ""
    assert without_escapes("\x1b]52;never ends") == ""


def test_unhealthy_workers_are_those_whose_log_may_help() -> None:
    seen = snapshot(
        workers=(
            worker("fine:1"),
            worker("found:1"),
            worker("lost:1", WorkerState.LOST),
            worker("crashed:1", healthy=False),
            worker("stopped:1", WorkerState.STOPPED, healthy=False),
        )
    )
    names = [each.id for each in unhealthy_workers(Diagnosis(seen, (finding(name="found:1"),)))]
    assert names == ["found:1", "crashed:1", "lost:1"]


def test_the_monitor_tells_of_itself() -> None:
    text = to_markdown(hostile_report()).partition("## Monitor statistics")[2]
    assert "runqy-tui 0.1: 3 polls in 2s, 1 failed" in text
    assert "Poll duration: 1 to 3 ms, 2 ms on average; last poll 2 ms" in text
    assert "Round trips: 1 in the last poll, 4 in total" in text
