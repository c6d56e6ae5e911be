"""The pane of findings: the first thing seen when anything is wrong, and not there when not."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

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
    """A table without titles: its lines speak for themselves, and each line counts."""

    @property
    def header_height(self) -> int:
        """No titles."""
        return 0


class FindingsPane(ResourcePane[FindingRow]):
    """Takes as many lines as it needs, up to :attr:`most_lines`."""

    number: ClassVar[int] = 4
    noun: ClassVar[str] = "Findings"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "acknowledge",
            "acknowledge",
            id="findings.acknowledge",
            tooltip="Acknowledge a finding here; it returns if it gets worse",
        ),
        Binding("w", "why", "why", id="findings.why", tooltip="Evidence and next step"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session, FINDINGS, table=FindingsTable)
        self.most_lines = 5

    def rows_of(self, view: View) -> list[FindingRow]:
        """Rows of a view; whoever filters wants each by itself."""
        return single_rows(view) if self.needle else finding_rows(view)

    def severity(self, item: FindingRow) -> Severity:
        """How bad a finding is; acknowledged ones no longer count."""
        if item.finding.acknowledged_at is not None:
            return Severity.IDLE
        return item.finding.severity

    @property
    def total(self) -> int:
        """How many findings there are, whatever the number of rows."""
        return sum(1 + len(row.others) for row in self._items)

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        rows = [row for row in self._items if self.severity(row) is severity]
        return sum(1 + len(row.others) for row in rows)

    def empty_text(self) -> str:
        """Nothing is wrong."""
        return "Nothing is wrong."

    def name_of(self, key: object) -> str:
        """What to call a finding that has gone, or a kind of them."""
        name = str(key).partition(":")[2]
        return name or f"the row of {str(key).partition('*')[0]}"

    def refill(self, *, typed: bool = False) -> None:
        """Fill the table, and take the lines that are needed."""
        if typed:
            self._items = self.rows_of(self.session.view)
        selected = self.table.selected
        super().refill(typed=typed)
        if self.table.selected is None and isinstance(selected, str):
            self._select_row_of(selected)
        self.display = bool(self._items)
        lines = max(1, min(len(self._items), self.most_lines))
        self.styles.height = lines + _BORDERS + self.filter_lines

    def _select_row_of(self, key: str) -> None:
        """A finding that has become one of many is in their row now, and the other way round."""
        for row in self._items:
            if findings_of_row(row.findings, key):
                self.table.select(row.key)
                return

    def full(self) -> Content:
        """How many, what is left out of sight, and that there is more to be said."""
        hidden = len(self._items) - self.most_lines
        more = f" ─ {hidden} more below" if hidden > 0 else ""
        view = self.session.view
        count = (
            len(notices(view)) if view.link is ConnectionState.LIVE else 0
        )  # else they have their line
        noticed = f" ─ {amount(count, 'notice')}: w" if count else ""
        return Content.assemble(super().full(), (more, "$muted"), (noticed, "$warning"))

    def action_acknowledge(self) -> None:
        """Acknowledge the selected finding, or all of the selected row."""
        table = self.table
        key, place = table.selected, table.cursor_index
        if isinstance(key, str):
            chosen = findings_of_row(self.session.view.findings, key)
            self.session.acknowledge(*(finding.id for finding in chosen))
            # It sinks to the bottom; whoever works through the list wants the next one.
            following = table.rows.key(place) if place < len(table.rows) else None
            if following in (None, key) and len(table.rows):
                following = table.rows.key(0)
            if following is not None:
                table.select(following)

    def action_why(self) -> None:
        """Show the evidence of the selected finding, or of all."""
        from runqy_tui.tui.screens.findings_modal import FindingsModal

        key = self.table.selected
        self.app.push_screen(FindingsModal(self.session, key if isinstance(key, str) else None))
