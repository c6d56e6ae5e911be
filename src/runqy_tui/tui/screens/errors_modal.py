"""The errors window: what failed, grouped by what the errors say, and the tasks behind each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from time import monotonic
from typing import ClassVar

from textual import on
from textual.widget import Widget

from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey, Failure, collect
from runqy_tui.monitor.store import View
from runqy_tui.text.humanize import UNKNOWN, age, count
from runqy_tui.tui.screens.object_modal import ObjectModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.text_view import TextView

REFRESH_S = 10.0
"""A survey reads some pages: it is taken anew no more often than this, in seconds."""

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


class ErrorsModal(ObjectModal):
    """Error signatures of the whole deployment; Enter lists the tasks of one, then opens a task."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("groups", "Signatures"),
        ("failures", "Tasks"),
        ("example", "Example"),
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._survey: ErrorSurvey | None = None
        self._taken = 0.0
        self._group: ErrorGroup | None = None

    @property
    def object_name(self) -> str:
        """Title of the window, or the signature as it is copied."""
        return "Errors" if self._group is None else self._group.signature.title

    def compose_tabs(self) -> Iterable[Widget]:
        """Two lists and a text."""
        yield Table(_GROUP_COLUMNS, id="groups", placeholder="Reading the failed tasks…")
        yield Table(
            _TASK_COLUMNS, id="failures", placeholder="Enter on a signature lists its tasks."
        )
        yield TextView(id="example")

    def retarget(self, key: Hashable) -> None:
        """There is only one errors window."""

    def _polled(self, view: View) -> None:
        if monotonic() - self._taken >= REFRESH_S:
            super()._polled(view)

    async def load(self) -> None:
        """Survey the failed tasks anew."""
        snapshot = self.session.view.snapshot
        if snapshot is None:
            self.say("nothing is known yet", "$warning")
            return
        self._taken = monotonic()
        self._survey = survey = await collect(self.session.reader, snapshot)
        self.say(*summary(survey))
        self._show_groups(survey)
        if self._group is not None:
            self._show_group(self._group.signature.key)

    def _show_groups(self, survey: ErrorSurvey) -> None:
        def cell(group: ErrorGroup, column: str) -> Cell:
            return _GROUP_CELLS[column](group, survey.taken_at)

        table = self.query_one("#groups", Table)
        table.placeholder = "No failed task stores an error text."
        table.set_rows(ListRows(survey.groups, lambda group: group.signature.key, cell))

    def _show_group(self, key: Hashable) -> None:
        survey = self._survey
        found = [g for g in (survey.groups if survey else ()) if g.signature.key == key]
        if survey is None or not found or not self._there:
            return
        self._group = group = found[0]

        def cell(failure: Failure, column: str) -> Cell:
            return _TASK_CELLS[column](failure, survey.taken_at)

        rows = ListRows(group.tasks, lambda f: (f.task_id, f.queue), cell)
        self.query_one("#failures", Table).set_rows(rows)
        traced = "Traceback (most recent" in group.example_error
        view = self.query_one("#example", TextView)
        view.set_text(group.example_error, kind="traceback" if traced else "plain", wrap=True)
        self._show_tabs()

    @on(Table.Selected, "#groups")
    def _group_selected(self, event: Table.Selected) -> None:
        self._show_group(event.key)

    @on(Table.Opened)
    def _drill(self, event: Table.Opened) -> None:
        event.stop()
        if event.table.id == "groups":
            self._show_group(event.key)
            if self._there:
                self.show_tab("failures")
        elif isinstance(event.key, tuple):
            from runqy_tui.tui.screens.task_modal import TaskModal

            self.app.push_screen(TaskModal(self.session, *event.key))

    def tab_labels(self) -> dict[str, str]:
        """Say how many there are."""
        if self._survey is None:
            return {}
        labels = {"groups": f"Signatures {len(self._survey.groups)}"}
        if self._group is not None:
            labels["failures"] = f"Tasks {len(self._group.tasks)}"
        return labels

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """The example's error, or the signatures as a table of tabs."""
        if tab == "example" and self._group is not None:
            return "txt", self._group.example_error.encode("utf-8", "replace")
        if self._survey is None or not self._survey.groups:
            return None
        lines = [
            f"{g.count}\t{g.signature.title}\t{g.signature.frame or ''}"
            for g in self._survey.groups
        ]
        return "tsv", "\n".join(lines).encode("utf-8", "replace")


def summary(survey: ErrorSurvey) -> tuple[str, str]:
    """What was read, in one sentence: a sample says that it is one."""
    if not survey.total and not survey.unstored:
        return "no failed task is stored", "bold"
    read = f"{survey.sample:,} failed tasks"
    if survey.sampled:
        read = f"a sample: the newest {survey.sample:,} of {survey.total:,} failed tasks"
    words = [f"{read}, {len(survey.groups):,} kinds of error"]
    if survey.untold:
        words.append(f"{survey.untold:,} without a text (runqy stores none on a retry)")
    if survey.unstored:
        names = ", ".join(key.name for key, _ in survey.unstored[:3])
        failed = sum(amount for _, amount in survey.unstored)
        words.append(f"{failed:,} more failed where nothing is stored ({names})")
    return "; ".join(words), "bold"


def _queues(group: ErrorGroup) -> str:
    return " ".join(f"{key.name}:{amount}" for key, amount in group.queues)


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
