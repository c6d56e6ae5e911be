"""One definition per resource: every column works on every surface, and a new one appears."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import HeartbeatField, QueueKey, TaskRow, TaskState
from runqy_tui.model.search_query import SearchHit
from runqy_tui.model.severity import Severity
from runqy_tui.presentation.finding_columns import FINDING_TABLE, FindingRow
from runqy_tui.presentation.queue_columns import QUEUE_TABLE, QueueRow
from runqy_tui.presentation.resource import (
    ColumnSet,
    DisplayContext,
    ResourceColumn,
    ResourceTable,
    Surface,
)
from runqy_tui.presentation.task_columns import HIT_COLUMNS, TASK_COLUMNS, task_columns
from runqy_tui.presentation.worker_columns import (
    WORKER_TABLE,
    WorkerRow,
    report_columns,
    reported_text,
)
from runqy_tui.text.humanize import moment
from tests.support.builders import NOW, queue, worker

CONTEXT = DisplayContext(NOW)
FINE = Condition(Severity.FINE)
TASK = TaskRow("id-1", TaskState.PENDING)
FINDING = Finding(
    "worker-degraded", Severity.CRITICAL, Subject(SubjectKind.WORKER, "w"), "r", "w is degraded", ""
)
ROWS: list[tuple[ColumnSet[object], object]] = [
    (WORKER_TABLE, WorkerRow(worker(), FINE)),  # type: ignore[list-item]
    (QUEUE_TABLE, QueueRow(queue(), FINE)),  # type: ignore[list-item]
    (FINDING_TABLE, FindingRow(FINDING)),  # type: ignore[list-item]
    (TASK_COLUMNS, TASK),  # type: ignore[list-item]
    (HIT_COLUMNS, SearchHit(QueueKey("q"), TASK, "payload", "x")),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("columns", "row"), ROWS)
def test_every_column_has_a_text_on_every_surface(columns: ColumnSet[object], row: object) -> None:
    keys = [column.key for column in columns.columns]
    assert len(keys) == len(set(keys))
    for column in columns.columns:
        assert isinstance(column.value(row, CONTEXT), str)
        assert isinstance(column.document_text(row, CONTEXT), str)
        assert column.title.isprintable()
        if column.sort is not None:
            column.sort(row, CONTEXT)


@pytest.mark.parametrize(("columns", "row"), ROWS)
@pytest.mark.parametrize("surface", [Surface.SCREEN, Surface.TEXT, Surface.REPORT])
def test_a_surface_shows_exactly_the_columns_that_name_it(
    columns: ColumnSet[object], row: object, surface: Surface
) -> None:
    shown = columns.columns_on(surface)
    assert {column.key for column in shown} == {
        column.key for column in columns.columns if surface in column.surfaces
    }
    assert len(shown) == len({column.key for column in shown})


def test_a_new_column_appears_on_all_surfaces_before_the_note() -> None:
    def letter(key: str) -> ResourceColumn[str]:
        return ResourceColumn(key, key.upper(), lambda row, _: row, 3)

    columns = ColumnSet(
        [letter("a"), letter("b"), letter("new"), letter("note")],
        {Surface.TEXT: ("b", "a", "note")},
    )

    def keys(surface: Surface) -> list[str]:
        return [column.key for column in columns.columns_on(surface)]

    assert keys(Surface.SCREEN) == keys(Surface.REPORT) == ["a", "b", "new", "note"]
    assert keys(Surface.TEXT) == ["b", "a", "new", "note"]


def declared(label: str | None, *, in_report: bool) -> HeartbeatField:
    return HeartbeatField("instance_id", "instance_id", "text", label, True, in_report)


def test_a_declared_heartbeat_field_has_a_column_in_the_report_alone() -> None:
    (column,) = report_columns(
        [
            declared("instance", in_report=True),
            declared("instance", in_report=False),
            declared(None, in_report=True),
        ]
    )
    assert (column.heading, column.surfaces) == ("instance", Surface.REPORT)
    texts = [
        column.document_text(WorkerRow(one, FINE), CONTEXT)
        for one in (worker(instance_id="as-1"), worker())
    ]
    assert texts == ["as-1", "–"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1_234, "1,234"),
        ("eu-1", "eu-1"),
        (NOW, moment(NOW)),
    ],
)
def test_reported_values(value: object, text: str) -> None:
    assert reported_text(value) == text


def test_unknown_values_sort_last_both_ways() -> None:
    table: ResourceTable[tuple[str, int | None]] = ResourceTable(
        [ResourceColumn("n", "N", lambda row, _: row[0], 3, sort=lambda row, _: row[1])],
        key=lambda row: row[0],
        order=lambda row, _: row[0],
        words=lambda row: row[0],
    )
    rows = [("c", None), ("b", 2), ("a", None), ("d", 1)]

    def arranged(**how: object) -> str:
        return "".join(row[0] for row in table.arrange(rows, CONTEXT, **how))  # type: ignore[arg-type]

    assert arranged() == "abcd"
    assert arranged(sort="n") == "dbac"
    assert arranged(sort="n", descending=True) == "bdac"
    assert arranged(needle="B") == "b"


def test_a_task_list_has_the_columns_of_its_state() -> None:
    def keys(state: TaskState) -> set[str]:
        return {column.key for column in task_columns(state)}

    always = keys(TaskState.PENDING)
    assert keys(TaskState.ARCHIVED) - always == {"error", "expires"}
    assert keys(TaskState.RETRY) - always == {"error"}
    assert keys(TaskState.COMPLETED) - always == {"expires"}
    titles = {column.key: column.title for column in task_columns(TaskState.RETRY)}
    assert titles["when"] == "NEXT IN"


def test_an_overdue_task_fits_its_column_beside_error_and_tries_on_80_columns() -> None:
    columns = {column.key: column.width for column in task_columns(TaskState.RETRY)}
    assert columns["when"] >= len("overdue 59m")
    shown = ("task", "when", "try", "error")
    assert sum(columns[key] for key in shown) + len(shown) - 1 <= 80 - 4
    hits = [column.width for column in HIT_COLUMNS.columns_on(Surface.SCREEN)]
    assert sum(hits) + len(hits) - 1 <= 108  # the search window on 120 columns


PLAIN_TITLES = {
    *("", "QUEUE", "QUEUES", "WORKER", "STATE", "DIALECT", "NOTE"),
    *("TASK", "WHEN", "TYPE", "EXPIRES", "ERROR", "SIZE", "PAYLOAD"),
}
"""Titles that need no explanation."""


@pytest.mark.parametrize("table", [WORKER_TABLE, QUEUE_TABLE, TASK_COLUMNS])
def test_the_legend_explains_every_abbreviated_title(table: ColumnSet[Any]) -> None:
    for column in table.columns_on(Surface.SCREEN):
        assert bool(column.meaning) == (column.title not in PLAIN_TITLES), column.title
