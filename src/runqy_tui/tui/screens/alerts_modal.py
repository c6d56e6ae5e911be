"""The alerts window: firing and pending alerts, their log, and rules without data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from runqy_tui.alerts.alert_states import Alert, AlertBoard, AlertLogEntry, AlertState
from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import age, amount, clock
from runqy_tui.tui.screens.tabbed_modal import TabbedModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table

_CellOf = Callable[[Alert, str], Cell]

_NOW_COLUMNS = (
    ColumnLayout("sign", "", 1),
    ColumnLayout("state", "STATE", 8),
    ColumnLayout("since", "SINCE", 5, align="right"),
    ColumnLayout("rule", "RULE", 22, importance=2),
    ColumnLayout("alert", "ALERT", 40, grow=3),
    ColumnLayout("next", "NEXT", 24, importance=1, grow=1),
)
_LOG_COLUMNS = (
    ColumnLayout("sign", "", 1),
    ColumnLayout("at", "UTC", 19),
    ColumnLayout("state", "STATE", 8),
    ColumnLayout("rule", "RULE", 22, importance=1),
    ColumnLayout("alert", "ALERT", 40, grow=1),
)


class AlertsModal(TabbedModal):
    """Alerts of all rules; Enter opens the object of one."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("present", "Now"),
        ("past", "Log"),
        ("unknown", "No data"),
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._board = AlertBoard()

    @property
    def object_name(self) -> str:
        """Title of the window."""
        return "Alerts"

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield three tables."""
        yield Table(_NOW_COLUMNS, id="present", placeholder="No alerts firing or pending.")
        yield Table(_LOG_COLUMNS, id="past", placeholder="No alert has fired since start.")
        yield Table(_NOW_COLUMNS, id="unknown", placeholder="Every rule has data.")

    async def load(self) -> None:
        """Show the alerts as of the latest poll."""
        self._board = board = self.session.board
        rules = amount(len(self.session.alerts.rules), "rule")
        headline = f"{len(board.firing)} firing, {len(board.pending)} pending; {rules}"
        style = "bold $error" if board.worst is Severity.CRITICAL else "bold"
        self.show_headline(headline, style)
        now = board.at or 0.0
        present = [*board.firing, *board.pending]
        self._fill("present", present, lambda alert, column: _now_cell(alert, column, now))
        log = list(reversed(board.log))
        table = self.query_one("#past", Table)
        table.set_rows(ListRows(log, lambda e: (e.at, _key(e.alert)), _log_cell))
        unknown = [
            Alert(u.rule, u.subject, AlertState.PENDING, now, 0.0, u.sentence)
            for u in board.unknown
        ]
        self._fill("unknown", unknown, _unknown_cell)

    def _fill(self, tab: str, alerts: Sequence[Alert], cell: _CellOf) -> None:
        self.query_one(f"#{tab}", Table).set_rows(ListRows(alerts, _key, cell))

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        for alert in (*self._board.firing, *self._board.pending):
            if _key(alert) == event.key:
                self.session.open_object(alert.subject, None)

    def tab_labels(self) -> dict[str, str]:
        """Return labels that add the number of entries."""
        board = self._board
        return {
            "present": f"Now {len(board.firing) + len(board.pending)}",
            "past": f"Log {len(board.log)}",
            "unknown": f"No data {len(board.unknown)}",
        }

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the log as text, whatever the tab."""
        del tab
        lines = [
            f"{clock(e.at)} {e.alert.state} {e.alert.rule.name}: {e.alert.sentence}"
            for e in self._board.log
        ]
        return ("log", "\n".join(lines).encode("utf-8", "replace")) if lines else None


def _key(alert: Alert) -> tuple[str, Subject]:
    return alert.rule.name, alert.subject


def _now_cell(alert: Alert, column: str, now: float) -> Cell:
    firing = alert.state is AlertState.FIRING
    style = alert.severity.style if firing else "dim"
    texts = {
        "sign": sign(alert.severity),
        "state": alert.state.value,
        "since": age(now - (alert.fired_at or alert.since)),
        "rule": alert.rule.name,
        "alert": alert.sentence,
        "next": f"→ {alert.next_step}" if alert.next_step else "",
    }
    return Cell(texts[column], style if column in ("sign", "state") else "")


def _unknown_cell(alert: Alert, column: str) -> Cell:
    texts = {"sign": "?", "state": "no data", "rule": alert.rule.name, "alert": alert.sentence}
    return Cell(texts.get(column, ""), "dim")


def _log_cell(entry: AlertLogEntry, column: str) -> Cell:
    alert = entry.alert
    firing = alert.state is AlertState.FIRING
    texts = {
        "sign": sign(alert.severity if firing else Severity.FINE),
        "at": clock(entry.at),
        "state": alert.state.value,
        "rule": alert.rule.name,
        "alert": alert.sentence,
    }
    style = alert.severity.style if firing else "fine"
    return Cell(texts[column], style if column in ("sign", "state") else "")
