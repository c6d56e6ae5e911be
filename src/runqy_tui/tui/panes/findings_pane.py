"""The pane of findings above the other panes; hidden while there are none."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.presentation.finding_columns import FindingRow, findings_of_row
from runqy_tui.text.humanize import amount
from runqy_tui.tui.notices import notices
from runqy_tui.tui.panes.resource_panes import ResourcePane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.finding_rows import FINDINGS, finding_rows, single_rows
from runqy_tui.tui.widgets.table import Table

_BORDERS = 2


class FindingsTable(Table):
    """A table without column titles, which saves a line."""

    @property
    def header_height(self) -> int:
        """Lines of column titles: none."""
        return 0


class FindingsPane(ResourcePane[FindingRow]):
    """Findings, most urgent first; as many lines as needed, up to :attr:`max_lines`."""

    number: ClassVar[int] = 4
    noun: ClassVar[str] = "Findings"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "acknowledge",
            "acknowledge",
            id="findings.acknowledge",
            tooltip="Acknowledge (returns if worse)",
        ),
        Binding("w", "why", "why", id="findings.why", tooltip="Evidence and next step"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, FINDINGS, table=FindingsTable)
        self.max_lines = 5

    def rows_of(self, view: View) -> list[FindingRow]:
        """Return the rows of a view: those of one kind grouped, but not while filtering."""
        return single_rows(view) if self.needle else finding_rows(view)

    def severity(self, item: FindingRow) -> Severity:
        """Return the severity of a finding; idle once it is acknowledged."""
        if item.finding.acknowledged_at is not None:
            return Severity.IDLE
        return item.finding.severity

    @property
    def total(self) -> int:
        """Number of findings, also of those grouped into one row."""
        return sum(1 + len(row.others) for row in self._items)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        rows = [row for row in self._items if self.severity(row) is severity]
        return sum(1 + len(row.others) for row in rows)

    def empty_text(self) -> str:
        """Return the text of the empty table."""
        return "No findings."

    def name_of(self, key: object) -> str:
        """Return the name of a finding's object, or of its group, from the key alone."""
        name = str(key).partition(":")[2]
        return name or f"the group {str(key).partition('*')[0]}"

    def subject_of(self, key: Hashable) -> Subject | None:
        """Return the object of a single finding, ``None`` for a group."""
        findings = self.session.view.findings
        return next((finding.subject for finding in findings if finding.id == key), None)

    def refill(self, *, typed: bool = False) -> None:
        """Fill the table, and adapt the height to the number of rows."""
        if typed:
            self._items = self.rows_of(self.session.view)
        selected = self.table.selected
        super().refill(typed=typed)
        if self.table.selected is None and isinstance(selected, str):
            self._select_row_of(selected)
        self.display = bool(self._items)
        lines = max(1, min(len(self._items), self.max_lines))
        self.styles.height = lines + _BORDERS + self.filter_lines

    def _select_row_of(self, key: str) -> None:
        """Select the row a finding has moved to: into a group, or out of one."""
        for row in self._items:
            if findings_of_row(row.findings, key):
                self.table.select(row.key)
                return

    def full_title(self) -> Content:
        """Return the title with the numbers of rows below the last line and of notices."""
        hidden = len(self._items) - self.max_lines
        more = f" ─ {hidden} more below" if hidden > 0 else ""
        view = self.session.view
        # While the connection is lost, the notice line shows them.
        count = len(notices(view)) if view.link is ConnectionState.LIVE else 0
        noticed = f" ─ {amount(count, 'notice')} (w)" if count else ""
        return Content.assemble(super().full_title(), (more, "$muted"), (noticed, "$warning"))

    def action_acknowledge(self) -> None:
        """Acknowledge the selected finding, or all of the selected group."""
        table = self.table
        key, index = table.selected, table.cursor_index
        if isinstance(key, str):
            chosen = findings_of_row(self.session.view.findings, key)
            self.session.acknowledge(*(finding.id for finding in chosen))
            # Its row moves to the bottom; select the next one, to work through the list.
            next_key = table.rows.key(index) if index < len(table.rows) else None
            if next_key in (None, key) and len(table.rows):
                next_key = table.rows.key(0)
            if next_key is not None:
                table.select(next_key)

    def action_why(self) -> None:
        """Show the evidence of the selected row, or of all findings."""
        from runqy_tui.tui.screens.findings_modal import FindingsModal

        key = self.table.selected
        self.app.push_screen(FindingsModal(self.session, key if isinstance(key, str) else None))
