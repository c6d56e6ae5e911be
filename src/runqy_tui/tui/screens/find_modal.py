"""The window that finds a task by its id."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import in_modal
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.text_entry import TextEntry


class FindModal(BaseModal):
    """Asks for an id; opens the task, or shows that no queue has it."""

    CSS_PATH: ClassVar[str | Path] = "find_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", id="find.close", tooltip="Close"),
        *in_modal(),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._result = Static(Content.styled("Searches every queue and state.", "$muted"))

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Find a task by id"
            dialog.border_subtitle = "Esc closes"
            yield TextEntry(placeholder="task id, as in a log or an API response")
            yield self._result

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        wanted = event.value.strip()
        if wanted:
            self._result.update(Content.styled("Searching…", "$muted"))
            self._find(wanted)

    @work(group="find", exclusive=True)
    async def _find(self, task_id: str) -> None:
        try:
            found = await self._session.reader.task(task_id)
        except RunqyTuiError as error:
            self._result.update(safe_text.content(str(error), "$error"))
            return
        if not self.is_current:
            return
        if found is None:
            self._result.update(safe_text.content(f"No queue has task {task_id}.", "$warning"))
            return
        self.dismiss()
        self._session.open_object(Subject(SubjectKind.TASK, found.id, found.queue), None)
