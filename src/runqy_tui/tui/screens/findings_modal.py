"""The findings window: each finding with its evidence, start and next step."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runqy_tui.diagnosis.findings.finding import Evidence, Finding
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.presentation.finding_columns import findings_of_row
from runqy_tui.text.humanize import moment, span
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import in_modal
from runqy_tui.tui.notices import Notice, healthy_text, notices
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.icons import sign

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "$warning"}
_SHOWN_LIMIT = 200


class FindingsModal(BaseModal):
    """All findings, worst first, or those of one row; updated after every poll.

    Args:
        session: shared by all screens.
        only: key of the row of the findings pane to show; ``None`` for all findings.
    """

    CSS_PATH: ClassVar[str | Path] = "findings_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "dismiss", "close", id="notices.close", tooltip="Close"),
        *in_modal("app.quit"),
    ]

    def __init__(self, session: Session, only: str | None = None) -> None:
        super().__init__()
        self._session = session
        self._only = only
        self._list = Static(Content(""), markup=False)

    def compose(self) -> ComposeResult:
        """Build the list."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "All findings" if self._only is None else "Finding"
            dialog.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield self._list

    def on_mount(self) -> None:
        """Subscribe to the polls."""
        self._session.polled.subscribe(self, self._show)
        self._show(self._session.view)

    def _show(self, view: View) -> None:
        found = view.findings if self._only is None else findings_of_row(view.findings, self._only)
        now = view.snapshot.taken_at if view.snapshot else 0.0
        parts = [describe(finding, now) for finding in found[:_SHOWN_LIMIT]]
        if len(found) > _SHOWN_LIMIT:
            parts.append(Content.styled(f"and {len(found) - _SHOWN_LIMIT:,} more", "$muted"))
        if self._only is None:
            noticed = [_notice(notice) for notice in notices(view)[:_SHOWN_LIMIT]]
            lost = view.link is ConnectionState.LOST
            parts = noticed[:lost] + parts + noticed[lost:]
        healthy = healthy_text(view) if self._only is None else "Resolved."
        self._list.update(Content("\n\n").join(parts) if parts else Content(healthy))


def _notice(notice: Notice) -> Content:
    style = _STYLES[notice.severity]
    return Content.assemble(
        (f"{sign(notice.severity)} ", style), safe_text.content(notice.text, style)
    )


def describe(finding: Finding, now: float) -> Content:
    """Return one finding in full; ages as of Redis's time ``now`` (unix s)."""
    lines = [
        Content.assemble(
            (f"{sign(finding.severity)} ", _STYLES.get(finding.severity, "")),
            safe_text.content(finding.sentence, _STYLES.get(finding.severity, "")),
        ),
        _line("since", _since(finding, now)),
        _line("next", finding.next_step),
    ]
    lines += [_line("evidence", _fact(each)) for each in finding.evidence]
    lines.append(_line("detector", finding.detector))
    if finding.acknowledged_at is not None:
        lines.append(_line("acknowledged", moment(finding.acknowledged_at)))
    return Content("\n").join(lines)


def _fact(evidence: Evidence) -> str:
    name = f"{evidence.key}  {evidence.field}" if evidence.field else evidence.key
    return f"{name} = {evidence.value}"


def _line(name: str, value: str) -> Content:
    return Content.assemble((f"  {name:<14}", "$muted"), safe_text.content(value))


def _since(finding: Finding, now: float) -> str:
    if finding.since is None:
        return "this poll"
    ago = f"{span(now - finding.since)} ago"
    if finding.before_start and not finding.since_known:
        return f"already present at start ({ago})"
    return f"{moment(finding.since)}, {ago}"
