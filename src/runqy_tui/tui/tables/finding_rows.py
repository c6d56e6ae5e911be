"""Findings as rows: what is wrong, since when, and what to do.

Where one thing is wrong with very many objects, as when every queue has lost its workers, they are
one row: a thousand lines of one kind would hide the two that are of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.text.humanize import age
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.tables.table_column import Resource, TableColumn
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell

MANY = 8
"""More than so many findings of one kind are one row; no screen has more lines for findings."""

_ABOUT = {"queue": "{} queues", "worker": "{} workers", "task": "tasks of {} queues"}


class FindingRow(NamedTuple):
    """A finding at the moment of the poll, or the worst of a kind with all the ``others``."""

    finding: Finding
    now: float
    others: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        """The finding's id, or its kind where there are others."""
        return kind_of(self.finding) if self.others else self.finding.id

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return (self.finding, *self.others)


def single_rows(view: View) -> list[FindingRow]:
    """A row for each of a view's findings."""
    if view.snapshot is None:
        return []
    return [FindingRow(finding, view.snapshot.taken_at) for finding in view.findings]


def finding_rows(view: View) -> list[FindingRow]:
    """Rows of a view's findings, those of one kind together where they are many."""
    singles = single_rows(view)
    if len(singles) <= MANY:
        return singles
    kinds: dict[str, list[FindingRow]] = {}
    for row in singles:
        kinds.setdefault(kind_of(row.finding), []).append(row)
    rows: list[FindingRow] = []
    for same in kinds.values():
        if len(same) > MANY:
            same.sort(key=_order)
            rows.append(same[0]._replace(others=tuple([row.finding for row in same[1:]])))
        else:
            rows += same
    return rows


def kind_of(finding: Finding) -> str:
    """What is the same of findings that may share a row; no finding's id looks like it."""
    seen = "" if finding.acknowledged_at is None else "*seen"
    return f"{finding.detector}*{finding.severity.name.lower()}{seen}"


def of_row(findings: Iterable[Finding], key: str) -> list[Finding]:
    """The findings of the row with this key."""
    return [finding for finding in findings if key in (finding.id, kind_of(finding))]


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
    sentence = f"{_amount(row)}; {row.finding.sentence}" if row.others else row.finding.sentence
    if row.finding.acknowledged_at is not None:
        return Cell(sentence, "dim")
    return Cell(sentence, "bold" if row.finding.severity is Severity.CRITICAL else "")


def _amount(row: FindingRow) -> str:
    """As in ``1,000 queues: no consumer``."""
    about, _, what = row.finding.detector.partition("-")
    count = f"{len(row.others) + 1:,}"
    return f"{_ABOUT.get(about, about + ' × {}').format(count)}: {what.replace('-', ' ')}"


def _since(row: FindingRow) -> Cell:
    """Of many the one in the middle: what came of one cause began at the same time."""
    told = sorted(row.findings, key=lambda finding: finding.since or row.now)
    return Cell(since_text(told[len(told) // 2], row.now))


def _order(row: FindingRow) -> tuple[bool, int, float, float, str]:
    """What is acknowledged sinks; else severity, weight, and the oldest first."""
    finding = row.finding
    since = row.now if finding.since is None else finding.since
    acknowledged = finding.acknowledged_at is not None
    return acknowledged, -finding.severity, -finding.weight, since, finding.id


FINDINGS: Resource[FindingRow] = Resource(
    (
        TableColumn(ColumnLayout("sign", "", 1), _sign),
        TableColumn(
            ColumnLayout("since", "SINCE", 5, align="right"),
            _since,
            lambda row: row.finding.since,
        ),
        TableColumn(ColumnLayout("finding", "FINDING", 44, grow=5), _sentence),
        TableColumn(
            ColumnLayout("next", "NEXT", 28, importance=1, grow=2),
            lambda row: Cell(f"→ {row.finding.next_step}" if row.finding.next_step else "", "dim"),
        ),
    ),
    key=lambda row: row.key,
    order=_order,
    words=lambda row: " ".join(f"{one.sentence} {one.detector}" for one in row.findings),
)
