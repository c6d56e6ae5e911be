"""The search window: shows matching tasks as they are found; Enter opens one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.search_query import (
    MOST_HITS,
    SearchField,
    SearchProgress,
    SearchQuery,
    smart_case,
    summary,
)
from runqy_tui.text.humanize import amount, percent, span
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import hidden_binding, in_modal
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.hit_rows import COLUMNS, HitRows
from runqy_tui.tui.tables.task_listing import ListTarget
from runqy_tui.tui.widgets.bars import bar
from runqy_tui.tui.widgets.keys_footer import KeysFooter
from runqy_tui.tui.widgets.tab_line import Tab, TabLine
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.text_entry import TextEntry

_SHOW_EVERY_S = 0.1
_BAR_CELLS = 20
_EVERYWHERE = "all queues"
_HINT = "Enter starts the search. Text in lower case matches both cases."
_FIELDS: Mapping[str, str] = {
    SearchField.ANY: "any field",
    SearchField.PAYLOAD: "payload",
    SearchField.ERROR: "error",
    SearchField.TYPE: "type",
    SearchField.RESULT: "result",
    SearchField.HEADERS: "headers",
    SearchField.ID: "id prefix",
}


class _Scope(NamedTuple):
    """Queues and states to search; empty means all."""

    queues: tuple[QueueKey, ...] = ()
    states: tuple[TaskState, ...] = ()


class SearchModal(BaseModal):
    """Asks for a text, a scope (queues and states) and a field, and lists the matches.

    Args:
        session: shared by all screens.
        shown: the task list behind, offered as the first scope; ``None`` if there is none.
    """

    CSS_PATH: ClassVar[str | Path] = "search_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "cancel / close", id="search.stop", tooltip="Cancel, then close"),
        Binding("f2", "scope(1)", "scope", id="search.where", tooltip="Next scope"),
        Binding("f3", "field(1)", "field", id="search.part", tooltip="Next field of the tasks"),
        Binding("slash", "edit", "edit text", id="search.edit", tooltip="Edit the text"),
        Binding("y", "copy", "copy", id="search.copy", tooltip="Copy the id (OSC 52)"),
        hidden_binding("tab", "app.focus_next", "Next field", "search.focus-next"),
        *in_modal("app.search"),
    ]

    def __init__(self, session: Session, shown: ListTarget | None = None) -> None:
        super().__init__()
        self._session = session
        self._scopes = _scopes(shown)
        self._scope = next(iter(self._scopes))
        self._field = SearchField.ANY
        self._rows = HitRows()
        self._search: Worker[None] | None = None
        self._progress = SearchProgress()
        self._entry = TextEntry(placeholder="text to search for")
        self._scope_line = TabLine()
        self._field_line = TabLine()
        self._status = Static(Content.styled(_HINT, "$muted"), id="progress")
        self._table = Table(COLUMNS, placeholder="Results appear here.")

    def compose(self) -> ComposeResult:
        """Build the modal."""
        with Vertical(id="frame") as frame:
            frame.border_title = "Search in tasks"
            yield self._entry
            yield self._scope_line
            yield self._field_line
            yield self._status
            yield self._table
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the choices."""
        self._show_choices()
        self._entry.focus()

    # Choices

    def _show_choices(self) -> None:
        scopes = [Tab(name, safe_text.line(name), name.partition(":")[0]) for name in self._scopes]
        self._scope_line.show(scopes, self._scope)
        self._field_line.show([Tab(key, name, name) for key, name in _FIELDS.items()], self._field)

    def action_scope(self, step: int) -> None:
        """Choose the next scope."""
        names = list(self._scopes)
        self._choose(names[(names.index(self._scope) + step) % len(names)], self._field)

    def action_field(self, step: int) -> None:
        """Choose the next field."""
        fields = [SearchField(key) for key in _FIELDS]
        self._choose(self._scope, fields[(fields.index(self._field) + step) % len(fields)])

    @on(TabLine.Chosen)
    def _chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        if event.key in self._scopes:
            self._choose(event.key, self._field)
        else:
            self._choose(self._scope, SearchField(event.key))

    def _choose(self, scope: str, searched: SearchField) -> None:
        """Set scope and field; a search that was started before is started again with them."""
        self._scope, self._field = scope, searched
        self._show_choices()
        if self._search is not None:
            self._start()

    # Searching

    @property
    def searching(self) -> bool:
        """Whether a search is running."""
        return self._search is not None and self._search.is_running

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self._table.focus()
            self._start()

    def _start(self) -> None:
        text = self._entry.value
        if not text:
            return
        self._cancel()
        queues, states = self._scopes[self._scope]
        query = SearchQuery(
            text=text,
            part=self._field,
            queues=queues,
            states=states,
            ignore_case=smart_case(text),
            most=MOST_HITS,
        )
        self._rows, self._progress = HitRows(), SearchProgress()
        self._table.placeholder = "No match so far."
        self._table.set_rows(self._rows, reset=True)
        self._search = self.run_worker(partial(self._run, query), group="search")

    def _cancel(self) -> None:
        if self._search is not None:
            self._search.cancel()

    async def _run(self, query: SearchQuery) -> None:
        shown_at, first = 0.0, True
        rows = self._rows
        try:
            async with aclosing(self._session.reader.search(query)) as steps:
                async for step in steps:
                    rows.add(step.hits)
                    self._progress = step.progress
                    now = monotonic()
                    if step.progress.done or now - shown_at > _SHOW_EVERY_S or (first and rows):
                        shown_at, first = now, first and not len(rows)
                        self._show(rows)
        except RunqyTuiError as error:
            self._show(rows)
            self._show_status(safe_text.content(f"Search failed: {error}", "$error"), wrap=True)

    def _show(self, rows: HitRows, *, stopped: bool = False) -> None:
        if not self.is_attached:
            return
        snapshot = self._session.view.snapshot
        rows.now = 0.0 if snapshot is None else snapshot.taken_at
        if self._progress.done and not len(rows):
            self._table.placeholder = self._no_match_text()
        self._table.set_rows(rows)
        if self._progress.done or stopped:
            style = "bold" if len(rows) else "$warning"
            status = safe_text.content(summary(self._progress, stopped=stopped), style)
            self._show_status(status, wrap=True)
        else:
            self._show_status(_progress_line(self._progress))

    def _no_match_text(self) -> str:
        if self._scope == _EVERYWHERE:
            return "No match in any queue."
        return f"No match in {self._scope}. f2 widens the search."

    def _show_status(self, status: Content, *, wrap: bool = False) -> None:
        """Write the line above the table; ``wrap`` allows it several lines."""
        self._status.set_class(wrap, "-whole")
        self._status.update(status)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave letter keys to the text while it is being typed."""
        del parameters
        return not (action in ("edit", "copy") and self._entry.has_focus)

    def action_stop(self) -> None:
        """Cancel the search and keep its matches; close the window if none is running."""
        if self.searching:
            self._cancel()
            self._show(self._rows, stopped=True)
        else:
            self.dismiss()

    def on_unmount(self) -> None:
        """Cancel the search, however the window was closed."""
        self._cancel()

    def action_edit(self) -> None:
        """Focus the text."""
        self._entry.focus()

    def action_copy(self) -> None:
        """Copy the id of the selected match."""
        from runqy_tui.tui.copy_out import copy

        key = self._table.selected
        copy(self.app, key[0] if isinstance(key, tuple) else None)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if isinstance(event.key, tuple):
            self._session.open_object(Subject(SubjectKind.TASK, *event.key), self._step)

    def _step(self, delta: int) -> Hashable | None:
        self._table.action_step(delta)
        return self._table.selected


def _scopes(shown: ListTarget | None) -> dict[str, _Scope]:
    """Return the scopes by name: the list behind, its queue in all states, all queues."""
    everywhere = {_EVERYWHERE: _Scope()}
    if shown is None:
        return everywhere
    queue, state = shown.queue, shown.state
    name = safe_text.fit(queue.name, min(30, len(queue.name)))
    here = {
        f"this list: {name} {state.value}": _Scope((queue,), (state,)),
        "this queue: all states": _Scope((queue,)),
    }
    return here | everywhere


def _progress_line(progress: SearchProgress) -> Content:
    """Return bar, percentage, tasks searched of all, rate and time left."""
    rate, left = progress.rate, progress.eta_s
    parts = [f"{progress.searched:,} of {amount(progress.total, 'task')}"]
    if rate is not None:
        parts.append(f"{rate:,.0f}/s")
    if left is not None:
        parts.append(f"{span(left)} left")
    parts.append(amount(progress.found, "hit"))
    return Content.assemble(
        (bar(progress.share, _BAR_CELLS), "$accent"),
        f" {percent(progress.share * 100)}  ",
        "  ".join(parts),
        ("  Esc cancels", "$muted"),
    )
