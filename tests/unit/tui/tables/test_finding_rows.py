"""Findings as rows: each by itself, or many of one kind as one."""

from __future__ import annotations

from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import QueueKey
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.presentation.finding_columns import MOST_SINGLE, FindingRow, findings_of_row
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.tui.tables.finding_rows import FINDINGS, finding_rows
from tests.support.builders import NOW, snapshot


def stuck(number: int, **fields: object) -> Finding:
    name = f"q{number:04}.default"
    return Finding(
        "queue-no-consumer",
        Severity.CRITICAL,
        Subject(SubjectKind.QUEUE, name, QueueKey(name)),
        "no consumer",
        f"{name} is not draining",
        "start a worker",
        since=NOW - 240,
        since_known=True,
        weight=float(number),
    )._replace(**fields)  # type: ignore[arg-type]


def degraded(name: str = "gpu-7:1") -> Finding:
    subject = Subject(SubjectKind.WORKER, name)
    return Finding("worker-degraded", Severity.CRITICAL, subject, "r", f"{name} is degraded", "n")


def rows_of(*findings: Finding) -> list[FindingRow]:
    return finding_rows(View(snapshot=snapshot(), findings=findings))


def shown(rows: list[FindingRow]) -> list[str]:
    arranged = FINDINGS.arrange(rows, DisplayContext(NOW), sort=None, descending=False, needle="")
    lines = (arranged.cells(at, ("since", "finding", "next")) for at in range(len(arranged)))
    return [" ".join(cell.text for cell in cells or ()) for cells in lines]


def test_few_stand_by_themselves() -> None:
    rows = rows_of(*(stuck(number) for number in range(MOST_SINGLE)), degraded())
    assert [row.key for row in rows] == [row.finding.id for row in rows]
    assert len(rows) == MOST_SINGLE + 1
    assert rows_of() == finding_rows(View()) == []


def test_many_of_a_kind_are_one_row_that_names_the_worst() -> None:
    rows = rows_of(*(stuck(number) for number in range(1_000)), degraded())
    assert shown(rows) == [
        "4m 1,000 queues: no consumer; q0999.default is not draining → start a worker",
        "new gpu-7:1 is degraded → n",
    ]
    assert {row.key for row in rows} == {"queue-no-consumer*critical", "worker-degraded:gpu-7:1"}
    assert [len(row.findings) for row in rows] == [1_000, 1]


def test_a_kind_is_of_one_severity_and_known_or_not() -> None:
    found = [stuck(number) for number in range(40)]
    found[:10] = [stuck(number, severity=Severity.WARNING) for number in range(10)]
    found[10:20] = [stuck(number, acknowledged_at=NOW) for number in range(10, 20)]
    rows = rows_of(*found)
    assert [(row.key, len(row.findings)) for row in rows] == [
        ("queue-no-consumer*warning", 10),
        ("queue-no-consumer*critical*seen", 10),
        ("queue-no-consumer*critical", 20),
    ]
    assert [line.partition(" queues")[0] for line in shown(rows)] == ["4m 20", "4m 10", "4m 10"]
    for row in rows:
        assert findings_of_row(found, row.key) == list(row.findings)[::-1]


def test_one_old_case_does_not_make_all_of_them_old() -> None:
    (line,) = shown(rows_of(stuck(0, since=NOW - 90_000), *map(stuck, range(1, 20))))
    assert line.startswith("4m 20 queues")


def test_what_they_are_about() -> None:
    def first(detector: str) -> str:
        return shown(rows_of(*(stuck(number, detector=detector) for number in range(9))))[0]

    assert "9 workers: clock off; " in first("worker-clock-off")
    assert "tasks of 9 queues: held by degraded; " in first("task-held-by-degraded")
    assert "detector × 9: failed; " in first("detector-failed")
