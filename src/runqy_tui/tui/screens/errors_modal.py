"""The errors window: failed tasks grouped by the cause that their error texts name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from time import monotonic
from typing import ClassVar

from textual import on
from textual.widget import Widget

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey, Failure, collect
from runqy_tui.monitor.store import View
from runqy_tui.text.humanize import UNKNOWN, age, amount, count
from runqy_tui.tui.screens.tabbed_modal import TabbedModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.text_view import TextView

REFRESH_S = 10.0
"""Shortest time between two surveys, in seconds: each reads several pages of tasks."""

_GROUP_COLUMNS = (
    ColumnLayout("count", "COUNT", 6, align="right"),
    ColumnLayout("share", "SHARE", 5, importance=3, align="right"),
    ColumnLayout("last", "LAST", 5, importance=1, align="right"),
    ColumnLayout("first", "FIRST", 5, importance=4, align="right"),
    ColumnLayout("error", "ERROR", 40, grow=3),
    ColumnLayout("frame", "AT", 22, importance=5, grow=1),
    ColumnLayout("queues", "QUEUES", 20, importance=2, grow=1),
)
_TASK_COLUMNS = (
    ColumnLayout("task", "TASK", 36),
    ColumnLayout("at", "FAILED", 6, importance=1, align="right"),
    ColumnLayout("state", "STATE", 9, importance=2),
    ColumnLayout("queue", "QUEUE", 20, importance=3, grow=1),
)


class ErrorsModal(TabbedModal):
    """Causes of failures in the whole deployment; Enter lists the tasks of one, then opens one."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("groups", "Causes"),
        ("failures", "Tasks"),
        ("example", "Example"),
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._survey: ErrorSurvey | None = None
        self._surveyed_at = 0.0
        self._group: ErrorGroup | None = None

    @property
    def object_name(self) -> str:
        """Title of the window, or the selected cause, as ``y`` copies it."""
        return "Errors by cause" if self._group is None else self._group.signature.title

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield two tables and a text."""
        yield Table(_GROUP_COLUMNS, id="groups", placeholder="Reading failed tasks…")
        yield Table(
            _TASK_COLUMNS, id="failures", placeholder="Press Enter on a cause to list its tasks."
        )
        yield TextView(id="example")

    def _polled(self, view: View) -> None:
        if monotonic() - self._surveyed_at >= REFRESH_S:
            super()._polled(view)

    async def load(self) -> None:
        """Survey the failed tasks.

        Raises:
            RunqyTuiError: Redis cannot be read.
        """
        snapshot = self.session.view.snapshot
        if snapshot is None:
            self.show_headline("no data yet", "$warning")
            return
        self._surveyed_at = monotonic()
        self._survey = survey = await collect(self.session.reader, snapshot)
        self.show_headline(summary(survey))
        self._show_groups(survey)
        if self._group is not None:
            self._show_group(self._group.signature.key)

    def _show_groups(self, survey: ErrorSurvey) -> None:
        def cell(group: ErrorGroup, column: str) -> Cell:
            return _GROUP_CELLS[column](group, survey.taken_at)

        table = self.query_one("#groups", Table)
        table.placeholder = "No failed task has an error text."
        table.set_rows(ListRows(survey.groups, lambda group: group.signature.key, cell))

    def _show_group(self, key: Hashable) -> None:
        survey = self._survey
        found = [g for g in (survey.groups if survey else ()) if g.signature.key == key]
        if survey is None or not found or not self._ready:
            return
        self._group = group = found[0]

        def cell(failure: Failure, column: str) -> Cell:
            return _TASK_CELLS[column](failure, survey.taken_at)

        rows = ListRows(group.tasks, lambda f: (f.task_id, f.queue), cell)
        self.query_one("#failures", Table).set_rows(rows)
        is_traceback = "Traceback (most recent" in group.example_error
        view = self.query_one("#example", TextView)
        view.set_text(group.example_error, kind="traceback" if is_traceback else "plain", wrap=True)
        self._show_tab_line()

    @on(Table.Selected, "#groups")
    def _group_selected(self, event: Table.Selected) -> None:
        self._show_group(event.key)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if event.table.id == "groups":
            self._show_group(event.key)
            if self._ready:
                self.show_tab("failures")
        elif isinstance(event.key, tuple):
            self.session.open_object(Subject(SubjectKind.TASK, *event.key), None)

    def tab_labels(self) -> dict[str, str]:
        """Return labels that add the number of causes and tasks."""
        if self._survey is None:
            return {}
        labels = {"groups": f"Causes {len(self._survey.groups)}"}
        if self._group is not None:
            labels["failures"] = f"Tasks {len(self._group.tasks)}"
        return labels

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the example's error on its tab, else the causes as tab-separated values."""
        if tab == "example" and self._group is not None:
            return "txt", self._group.example_error.encode("utf-8", "replace")
        if self._survey is None or not self._survey.groups:
            return None
        lines = [
            f"{g.count}\t{g.signature.title}\t{g.signature.frame or ''}"
            for g in self._survey.groups
        ]
        return "tsv", "\n".join(lines).encode("utf-8", "replace")


def summary(survey: ErrorSurvey) -> str:
    """Return how many failed tasks were read, of how many, and how many causes they have."""
    if not survey.total and not survey.unstored:
        return "no failed tasks stored"
    tasks = amount(survey.sample, "failed task")
    if survey.sampled:
        tasks = f"newest {survey.sample:,} of {survey.total:,} failed tasks"
    parts = [f"{tasks}, {amount(len(survey.groups), 'cause')}"]
    if survey.untold:
        parts.append(f"{survey.untold:,} without an error text (runqy stores none on a retry)")
    if survey.unstored:
        names = ", ".join(key.name for key, _ in survey.unstored[:3])
        failed = sum(number for _, number in survey.unstored)
        parts.append(f"{amount(failed, 'more failure')} not stored ({names})")
    return "; ".join(parts)


def _queues(group: ErrorGroup) -> str:
    return " ".join(f"{key.name}:{number}" for key, number in group.queues)


def _ago(at: float | None, now: float) -> str:
    return UNKNOWN if at is None else age(now - at)


_GROUP_CELLS: Mapping[str, Callable[[ErrorGroup, float], Cell]] = {
    "count": lambda g, _: Cell(count(g.count) + ("+" if g.sampled else ""), "bold"),
    "share": lambda g, _: Cell(f"{g.share * 100:.0f}%"),
    "last": lambda g, now: Cell(_ago(g.last_at, now)),
    "first": lambda g, now: Cell(_ago(g.first_at, now), "dim"),
    "error": lambda g, _: Cell(g.headline),
    "frame": lambda g, _: Cell(g.signature.frame or UNKNOWN, "dim"),
    "queues": lambda g, _: Cell(_queues(g)),
}
_TASK_CELLS: Mapping[str, Callable[[Failure, float], Cell]] = {
    "task": lambda f, _: Cell(f.task_id),
    "at": lambda f, now: Cell(_ago(f.at, now)),
    "state": lambda f, _: Cell(f.state.value),
    "queue": lambda f, _: Cell(f.queue.name),
}
