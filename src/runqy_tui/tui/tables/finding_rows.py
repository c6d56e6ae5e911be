"""Findings as rows of the screen."""

from __future__ import annotations

from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.presentation.finding_columns import FINDING_TABLE, FindingRow, grouped_rows
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.tui.tables.screen_table import ScreenTable
from runqy_tui.tui.widgets.row_provider import Style


def single_rows(view: View) -> list[FindingRow]:
    """A row for each of a view's findings."""
    return [] if view.snapshot is None else [FindingRow(finding) for finding in view.findings]


def finding_rows(view: View) -> list[FindingRow]:
    """Rows of a view's findings; many findings of one kind share a row."""
    return [] if view.snapshot is None else grouped_rows(view.findings, view.snapshot.taken_at)


def _sign(row: FindingRow, _: DisplayContext) -> Style:
    return "dim" if row.acknowledged else row.finding.severity.style


def _sentence(row: FindingRow, _: DisplayContext) -> Style:
    if row.acknowledged:
        return "dim"
    return "bold" if row.finding.severity is Severity.CRITICAL else ""


FINDINGS = ScreenTable(FINDING_TABLE, {"sign": _sign, "finding": _sentence, "next": "dim"})
