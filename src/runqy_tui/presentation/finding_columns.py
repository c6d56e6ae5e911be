"""Findings as a table: the condition, since when, and the next step.

Many findings of one kind, as when every queue has lost its workers, share one row: a thousand
equal lines would hide the few that are of another kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model.severity import Severity
from runqy_tui.presentation.resource import (
    DisplayContext,
    ResourceColumn,
    ResourceTable,
    Surface,
)
from runqy_tui.text.humanize import age

MOST_SINGLE = 8
"""More findings of one kind than this share a row; no screen has more lines for findings."""

_SUBJECTS = {"queue": "{} queues", "worker": "{} workers", "task": "tasks of {} queues"}


class FindingRow(NamedTuple):
    """A finding, or the worst of a kind with all the ``others`` of that kind."""

    finding: Finding
    others: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        """The finding's id, or its kind where there are others."""
        return kind_of(self.finding) if self.others else self.finding.id

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the row, the worst first."""
        return (self.finding, *self.others)

    @property
    def acknowledged(self) -> bool:
        """Whether the operator has acknowledged the finding."""
        return self.finding.acknowledged_at is not None


def grouped_rows(findings: Iterable[Finding], now: float) -> list[FindingRow]:
    """Return a row per finding, but one row per kind with more than :data:`MOST_SINGLE`."""
    singles = [FindingRow(finding) for finding in findings]
    if len(singles) <= MOST_SINGLE:
        return singles
    kinds: dict[str, list[FindingRow]] = {}
    for row in singles:
        kinds.setdefault(kind_of(row.finding), []).append(row)
    context = DisplayContext(now)
    rows: list[FindingRow] = []
    for same in kinds.values():
        if len(same) > MOST_SINGLE:
            same.sort(key=lambda row: _order(row, context))
            rows.append(FindingRow(same[0].finding, tuple(row.finding for row in same[1:])))
        else:
            rows += same
    return rows


def kind_of(finding: Finding) -> str:
    """Key shared by findings that may share a row; it never equals a finding's id."""
    seen = "" if finding.acknowledged_at is None else "*seen"
    return f"{finding.detector}*{finding.severity.name.lower()}{seen}"


def findings_of_row(findings: Iterable[Finding], key: str) -> list[Finding]:
    """Return the findings of the row with this key."""
    return [finding for finding in findings if key in (finding.id, kind_of(finding))]


def since_text(finding: Finding, now: float) -> str:
    """Age of a finding; ``≥`` where it was present before the monitor started."""
    if finding.since is None:
        return "new"
    mark = "≥" if finding.before_start and not finding.since_known else ""
    return mark + age(now - finding.since)


def _sign(row: FindingRow, _: DisplayContext) -> str:
    return (Severity.IDLE if row.acknowledged else row.finding.severity).sign


def _sentence(row: FindingRow, _: DisplayContext) -> str:
    sentence = row.finding.sentence
    return f"{_number_of_objects(row)}; {sentence}" if row.others else sentence


def _number_of_objects(row: FindingRow) -> str:
    """As in ``1,000 queues: no consumer``."""
    subject, _, condition = row.finding.detector.partition("-")
    number = f"{len(row.others) + 1:,}"
    counted = _SUBJECTS.get(subject, subject + " × {}").format(number)
    return f"{counted}: {condition.replace('-', ' ')}"


def _since(row: FindingRow, context: DisplayContext) -> str:
    """The median of many: findings of one cause began at the same time, whatever the oldest."""
    ordered = sorted(row.findings, key=lambda finding: finding.since or context.now)
    return since_text(ordered[len(ordered) // 2], context.now)


def _order(row: FindingRow, context: DisplayContext) -> tuple[bool, int, float, float, str]:
    """Acknowledged ones last; else severity, weight, and the oldest first."""
    finding = row.finding
    since = context.now if finding.since is None else finding.since
    return row.acknowledged, -finding.severity, -finding.weight, since, finding.id


FINDING_TABLE: ResourceTable[FindingRow] = ResourceTable(
    (
        ResourceColumn("sign", "", _sign, 1, surfaces=Surface.SCREEN),
        ResourceColumn(
            "since",
            "SINCE",
            _since,
            5,
            "right",
            sort=lambda row, _: row.finding.since,
            surfaces=Surface.SCREEN,
        ),
        ResourceColumn("finding", "FINDING", _sentence, 44, grow=5, surfaces=Surface.SCREEN),
        ResourceColumn(
            "next",
            "NEXT",
            lambda row, _: f"→ {row.finding.next_step}" if row.finding.next_step else "",
            28,
            importance=1,
            grow=2,
            surfaces=Surface.SCREEN,
        ),
    ),
    key=lambda row: row.key,
    order=_order,
    words=lambda row: " ".join(f"{one.sentence} {one.detector}" for one in row.findings),
)
