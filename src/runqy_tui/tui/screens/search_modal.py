"""Search in tasks: what is found comes in as it is found, and opens like any other task."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

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
from runqy_tui.tui.input.global_bindings import in_modal, quiet
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.screens.object_modal import SMALL
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
_HINT = "Enter searches. Small letters find capitals too. Nothing is read before that."
_PARTS: Mapping[str, str] = {
    SearchField.ANY: "anything",
    SearchField.PAYLOAD: "payload",
    SearchField.ERROR: "error",
    SearchField.TYPE: "type",
    SearchField.RESULT: "result",
    SearchField.HEADERS: "headers",
    SearchField.ID: "start of the id",
}


class _Scope(NamedTuple):
    """Queues and states to search; none of either means all."""

    queues: tuple[QueueKey, ...] = ()
    states: tuple[TaskState, ...] = ()


class SearchModal(BaseModal):
    """Asks for a text, and where and in what to look for it.

    Args:
        session: what all screens share.
        shown: the list behind, which is offered as the place to search.
    """

    CSS_PATH: ClassVar[str | Path] = "search_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop, close", id="search.stop", tooltip="Stop, then close"),
        Binding("f2", "where(1)", "where", id="search.where", tooltip="Search in another place"),
        Binding("f3", "part(1)", "in what", id="search.part", tooltip="Another part of the tasks"),
        Binding("slash", "edit", "text", id="search.edit", tooltip="Another text"),
        Binding("y", "copy", "copy", id="search.copy", tooltip="Copy the id (OSC 52)"),
        quiet("tab", "app.focus_next", "Next field", "search.focus-next"),
        *in_modal("app.search"),
    ]

    def __init__(self, session: Session, shown: ListTarget | None = None) -> None:
        super().__init__()
        self._session = session
        self._places = _places(shown)
        self._place = next(iter(self._places))
        self._part = SearchField.ANY
        self._rows = HitRows()
        self._reading: Worker[None] | None = None
        self._progress = SearchProgress()
        self._entry = TextEntry(placeholder="text to search for")
        self._where = TabLine()
        self._what = TabLine()
        self._said = Static(Content.styled(_HINT, "$muted"), id="progress")
        self._table = Table(COLUMNS, placeholder="What is found appears here.")

    def compose(self) -> ComposeResult:
        """Build the modal."""
        with Vertical(id="frame") as frame:
            frame.border_title = "Search in tasks"
            yield self._entry
            yield self._where
            yield self._what
            yield self._said
            yield self._table
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the choices."""
        self._show_choices()
        self._entry.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Take all there is where there is little."""
        self.set_class(event.size.width < SMALL[0] or event.size.height < SMALL[1], "-small")

    # Choices

    def _show_choices(self) -> None:
        places = [Tab(name, safe_text.line(name), name.partition(":")[0]) for name in self._places]
        self._where.show(places, self._place)
        self._what.show([Tab(key, name, name) for key, name in _PARTS.items()], self._part)

    def action_where(self, step: int) -> None:
        """Search in the next place."""
        names = list(self._places)
        self._choose(names[(names.index(self._place) + step) % len(names)], self._part)

    def action_part(self, step: int) -> None:
        """Search in the next part of the tasks."""
        parts = [SearchField(key) for key in _PARTS]
        self._choose(self._place, parts[(parts.index(self._part) + step) % len(parts)])

    @on(TabLine.Chosen)
    def _chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        if event.key in self._places:
            self._choose(event.key, self._part)
        else:
            self._choose(self._place, SearchField(event.key))

    def _choose(self, place: str, part: SearchField) -> None:
        self._place, self._part = place, part
        self._show_choices()
        if self._reading is not None:
            self._start()

    # Searching

    @property
    def searching(self) -> bool:
        """Whether Redis is being read."""
        return self._reading is not None and self._reading.is_running

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self._table.focus()
            self._start()

    def _start(self) -> None:
        wanted = self._entry.value
        if not wanted:
            return
        if self._reading is not None:
            self._reading.cancel()
        queues, states = self._places[self._place]
        search = SearchQuery(
            text=wanted,
            part=self._part,
            queues=queues,
            states=states,
            ignore_case=smart_case(wanted),
            most=MOST_HITS,
        )
        self._rows, self._progress = HitRows(), SearchProgress()
        self._table.placeholder = "Nothing found so far."
        self._table.set_rows(self._rows, reset=True)
        self._reading = self.run_worker(partial(self._search, search), group="search")

    async def _search(self, search: SearchQuery) -> None:
        shown_at, first = 0.0, True
        rows = self._rows
        try:
            async with aclosing(self._session.reader.search(search)) as steps:
                async for step in steps:
                    rows.add(step.hits)
                    self._progress = step.progress
                    now = monotonic()
                    if step.progress.done or now - shown_at > _SHOW_EVERY_S or (first and rows):
                        shown_at, first = now, first and not len(rows)
                        self._show(rows)
        except RunqyTuiError as error:
            self._show(rows)
            self._tell(safe_text.content(f"Stopped: {error}", "$error"), whole=True)

    def _show(self, rows: HitRows, *, stopped: bool = False) -> None:
        if not self.is_attached:
            return
        snapshot = self._session.view.snapshot
        rows.now = 0.0 if snapshot is None else snapshot.taken_at
        if self._progress.done and not len(rows):
            self._table.placeholder = "No task contains it."
        self._table.set_rows(rows)
        if self._progress.done or stopped:
            style = "bold" if len(rows) else "$warning"
            said = safe_text.content(summary(self._progress, stopped=stopped), style)
            self._tell(said, whole=True)
        else:
            self._tell(_progress_line(self._progress))

    def _tell(self, said: Content, *, whole: bool = False) -> None:
        """Write the line over the table; ``whole``: all of it, on several lines if need be."""
        self._said.set_class(whole, "-whole")
        self._said.update(said)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave letters to the text while it is typed."""
        del parameters
        return not (action in ("edit", "copy") and self._entry.has_focus)

    def action_stop(self) -> None:
        """Stop reading and keep what was found; close where nothing is read."""
        if self._reading is not None and self.searching:
            self._reading.cancel()
            self._show(self._rows, stopped=True)
        else:
            self.dismiss()

    def on_unmount(self) -> None:
        """Stop reading, whatever took the modal away."""
        if self._reading is not None:
            self._reading.cancel()

    def action_edit(self) -> None:
        """Go back to the text."""
        self._entry.focus()

    def action_copy(self) -> None:
        """Copy the id of the selected hit."""
        from runqy_tui.tui.copy_out import copy

        key = self._table.selected
        copy(self.app, key[0] if isinstance(key, tuple) else None)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if isinstance(event.key, tuple):
            from runqy_tui.tui.screens.task_modal import TaskModal

            task_id, queue = event.key
            self.app.push_screen(TaskModal(self._session, task_id, queue, self._step))

    def _step(self, delta: int) -> Hashable | None:
        self._table.action_step(delta)
        return self._table.selected


def _places(shown: ListTarget | None) -> dict[str, _Scope]:
    """Names of the places to search: the list behind, its queue in all states, everything."""
    everywhere = {"everywhere": _Scope()}
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
    """Bar, share, how many of how many, rate and the time that is left."""
    rate, left = progress.rate, progress.eta_s
    words = [f"{progress.searched:,} of {amount(progress.total, 'task')}"]
    if rate is not None:
        words.append(f"{rate:,.0f}/s")
    if left is not None:
        words.append(f"{span(left)} left")
    words.append(amount(progress.found, "hit"))
    return Content.assemble(
        (bar(progress.share, _BAR_CELLS), "$accent"),
        f" {percent(progress.share * 100)}  ",
        "  ".join(words),
        ("  Esc stops", "$muted"),
    )
