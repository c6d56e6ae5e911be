"""Findings as rows: what is wrong, since when, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.findings.base import Finding
from runqy_tui.humanize import age
from runqy_tui.severity import Severity
from runqy_tui.store import View
from runqy_tui.tui.resources.field import Field, Resource
from runqy_tui.tui.resources.signs import sign
from runqy_tui.tui.widgets.columns import Column
from runqy_tui.tui.widgets.rows import Cell


class FindingRow(NamedTuple):
    """A finding at the moment of the poll."""

    finding: Finding
    now: float


def finding_rows(view: View) -> list[FindingRow]:
    """Rows of a view's findings."""
    if view.snapshot is None:
        return []
    return [FindingRow(finding, view.snapshot.taken_at) for finding in view.findings]


def since_text(finding: Finding, now: float) -> str:
    """Age of a finding; ``≥`` where it was there before the monitor started."""
    if finding.since is None:
        return "new"
    mark = "≥" if finding.before_start and not finding.since_known else ""
    return mark + age(now - finding.since)


def _sign(row: FindingRow) -> Cell:
    if row.finding.acknowledged_at is not None:
        return Cell(sign(Severity.IDLE), "dim")
    severity = row.finding.severity
    return Cell(sign(severity), severity.style)


def _sentence(row: FindingRow) -> Cell:
    if row.finding.acknowledged_at is not None:
        return Cell(row.finding.sentence, "dim")
    return Cell(row.finding.sentence, "bold" if row.finding.severity is Severity.CRITICAL else "")


def _order(row: FindingRow) -> tuple[bool, int, float, float, str]:
    """What is acknowledged sinks; else severity, weight, and the oldest first."""
    finding = row.finding
    since = row.now if finding.since is None else finding.since
    acknowledged = finding.acknowledged_at is not None
    return acknowledged, -finding.severity, -finding.weight, since, finding.id


FINDINGS: Resource[FindingRow] = Resource(
    (
        Field(Column("sign", "", 1), _sign),
        Field(
            Column("since", "SINCE", 5, align="right"),
            lambda row: Cell(since_text(row.finding, row.now)),
            lambda row: row.finding.since,
        ),
        Field(Column("finding", "FINDING", 44, grow=5), _sentence),
        Field(
            Column("next", "NEXT", 28, importance=1, grow=2),
            lambda row: Cell(f"→ {row.finding.next_step}" if row.finding.next_step else "", "dim"),
        ),
    ),
    key=lambda row: row.finding.id,
    order=_order,
    words=lambda row: f"{row.finding.sentence} {row.finding.detector}",
)
