"""Everything that is wrong, in one list, worst first."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runqy_tui.severity import Severity
from runqy_tui.store import View
from runqy_tui.tui import text
from runqy_tui.tui.everywhere import in_modal
from runqy_tui.tui.notices import calm, notices
from runqy_tui.tui.resources.signs import sign
from runqy_tui.tui.session import Session

_STYLES = {Severity.CRITICAL: "$error", Severity.WARNING: "$warning"}
_MOST = 500


class NoticesModal(ModalScreen[None]):
    """Follows the polls while it is open."""

    CSS_PATH: ClassVar[str | Path] = "notices.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "dismiss", "close", id="notices.close", tooltip="Close"),
        *in_modal("app.quit"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._list = Static(Content(""), markup=False)

    def compose(self) -> ComposeResult:
        """Build the list."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "What is wrong"
            dialog.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield self._list

    def on_mount(self) -> None:
        """Listen for polls."""
        self._session.polled.subscribe(self, self._show)
        self._show(self._session.view)

    def _show(self, view: View) -> None:
        found = notices(view)
        lines = [
            Content.assemble(
                (f"{sign(notice.severity)} ", _STYLES[notice.severity]), text.content(notice.text)
            )
            for notice in found[:_MOST]
        ]
        if len(found) > _MOST:
            lines.append(Content.styled(f"and {len(found) - _MOST:,} more", "$muted"))
        self._list.update(Content("\n").join(lines) if lines else Content(calm(view)))
