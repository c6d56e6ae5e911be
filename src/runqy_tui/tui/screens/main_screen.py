"""The main screen: header, notice line, findings, three panes, and the keys."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import QueueKey
from runqy_tui.model.reader_protocol import InView
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.panes.findings_pane import FindingsPane
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.panes.resource_panes import QueuesPane, WorkersPane
from runqy_tui.tui.panes.tasks_pane import TasksPane
from runqy_tui.tui.screens.base_screen import BaseScreen
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.header_bar import HeaderBar
from runqy_tui.tui.widgets.keys_footer import KeysFooter
from runqy_tui.tui.widgets.notice_line import NoticeLine
from runqy_tui.tui.widgets.table import Table

SMALL = (100, 28)
"""Below this many columns or lines one pane is shown at a time."""

FIRST_ANSWER_S = 0.25
"""How long the second frame is held back for the first data: a near Redis soon replies."""
FIRST_TASKS_S = 0.05
"""How long the first data is held back for the tasks of its queue, to paint both in one frame."""


class MainScreen(BaseScreen, Screen[None]):
    """Workers and queues side by side over tasks; one at a time where there is no room."""

    # Before the first frame: moving the focus later would lay out and paint everything again.
    AUTO_FOCUS = "QueuesPane Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_binding("1", "pane(1)", "Workers", "main.workers"),
        hidden_binding("2", "pane(2)", "Queues", "main.queues"),
        hidden_binding("3", "pane(3)", "Tasks", "main.tasks"),
        Binding("tab", "next_pane(1)", "pane", id="main.next-pane", tooltip="Next pane"),
        hidden_binding("shift+tab", "next_pane(-1)", "Previous pane", "main.previous-pane"),
        Binding("z", "zoom", "zoom", id="main.zoom", tooltip="Zoom pane"),
        hidden_binding("escape", "back", "Back", "main.back", "Clear the filter, then leave zoom"),
        hidden_binding("4,f", "pane(4)", "Findings", "main.findings"),
        hidden_binding("w", "findings", "All findings", "main.wrong", "All findings with evidence"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._zoomed = False
        self.workers_pane = WorkersPane(session)
        self.queues_pane = QueuesPane(session)
        self.tasks_pane = TasksPane(session)
        self.findings_pane = FindingsPane(session)
        self._panes: tuple[Pane, ...] = (self.workers_pane, self.queues_pane, self.tasks_pane)
        self._front: Pane = self.queues_pane
        self._panes_to_update: list[Pane] = []
        self._resumed = False
        self._filled = False
        self._header = HeaderBar(
            lambda: session.poller.pace_s,
            session.settings,
            lambda: len(session.board.firing),
            session.bandwidth,
        )
        self._notice = NoticeLine()
        self._footer = KeysFooter()

    def compose(self) -> ComposeResult:
        """Build the screen."""
        yield self._header
        yield self._notice
        yield self.findings_pane
        with Container(id="panes"):
            with Horizontal(id="upper"):
                yield self.workers_pane
                yield self.queues_pane
            yield self.tasks_pane
        yield self._footer

    def on_mount(self) -> None:
        """Subscribe to the polls."""
        self._session.polled.subscribe(self, self._show)
        self._session.poller.watch(self._all_in_view)
        self.set_interval(1.0, self._header.tick)
        self._arrange()
        self._footer.update_keys()  # otherwise it appears one frame later
        self.frame_timer.hold(FIRST_ANSWER_S)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Skip applying styles the first time: each widget got its own when it was mounted."""
        event.refresh_styles = event.refresh_styles and self._resumed
        self._resumed = True

    def _show(self, view: View) -> None:
        if view.link is ConnectionState.LOST:
            self.frame_timer.release()
        elif view.snapshot is not None and not self._filled:
            self._filled = True
            self.frame_timer.hold(FIRST_TASKS_S)
        self.set_class(view.link is ConnectionState.LOST, "-aged")
        self._header.show(view)
        self._notice.show(view)
        self.findings_pane.show(view)
        # One at a time, so that keys are handled in between: each pane sorts a whole fleet.
        self._panes_to_update = [
            self._front,
            *(pane for pane in self._panes if pane is not self._front),
        ]
        self.call_next(self._update_panes)

    async def _update_panes(self) -> None:
        while self._panes_to_update and self.is_attached:
            self._panes_to_update.pop(0).show(self._session.view)
            await asyncio.sleep(0)
        if self.queues_pane.table.selected is None:
            self._first_tasks_shown()

    @on(TasksPane.Listed)
    def _first_tasks_shown(self) -> None:
        """Paint: no more data is expected."""
        self.frame_timer.release()

    def in_view(self) -> InView:
        """Return the objects that the panes show."""
        return InView(self.queues_pane.in_view(), self.workers_pane.in_view())

    def _all_in_view(self) -> InView:
        """Return the objects that the open windows and the panes behind them show."""
        stack = reversed(self.app.screen_stack)
        views = [screen.in_view() for screen in stack if isinstance(screen, BaseScreen)]
        return InView(
            [key for view in views for key in view.queues],
            [worker_id for view in views for worker_id in view.workers],
        )

    # Panes

    @property
    def _small(self) -> bool:
        return self.size.width < SMALL[0] or self.size.height < SMALL[1]

    @property
    def _single(self) -> bool:
        return self._zoomed or self._small

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the zoom only where several panes are shown."""
        del parameters
        return not (action == "zoom" and self._small)

    def on_resize(self, _event: events.Resize) -> None:
        """Show three panes or one, whichever fits."""
        self.findings_pane.max_lines = _finding_lines(self.size.height)
        self.findings_pane.refill()
        self._arrange()
        self.refresh_bindings()
        self._header.show(self._session.view)
        self._notice.show(self._session.view)

    def _arrange(self) -> None:
        single = self._single
        self.set_class(single, "-single")
        tasks_alone = single and self._front is self.tasks_pane
        self.set_class(tasks_alone, "-tasks-in-front")
        self._footer.palette = not tasks_alone  # the tasks pane has more keys than the others
        for pane in self._panes:
            # Unused while all panes are shown, and each change recomputes all styles of a pane.
            pane.set_class(single and pane is self._front, "-front")
        self._retitle()

    @on(Pane.Retitled)
    def _pane_retitled(self, event: Pane.Retitled) -> None:
        if self._single:
            self._retitle()  # the visible pane's title includes those of the others
        else:
            event.pane.retitle(event.pane.full_title())

    def _retitle(self) -> None:
        """Write the titles; a single visible pane lists the others beside its own, as tabs."""
        for pane in self._panes:
            title = pane.full_title()
            if self._single:
                others = [other.brief_title() for other in self._panes if other is not pane]
                title = Content.assemble(
                    title, ("   │ ", "$border"), Content.styled("  ", "").join(others)
                )
            pane.retitle(title)
        self.findings_pane.retitle(self.findings_pane.full_title())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring the pane that holds the focus to the front."""
        for pane in self._panes:
            if pane in event.widget.ancestors and pane is not self._front:
                self._front = pane
                self._arrange()

    def action_pane(self, number: int) -> None:
        """Focus a pane by its number."""
        if number == self.findings_pane.number:
            if self.findings_pane.display:
                self.findings_pane.table.focus()
            return
        self._front = self._panes[number - 1]
        self._arrange()
        # Immediately: a key typed ahead belongs to the new pane.
        self.set_focus(self._front.table)

    def action_next_pane(self, step: int) -> None:
        """Focus the next (1) or previous (-1) pane; the findings come first."""
        first = [self.findings_pane] if self.findings_pane.display else []
        panes = [*first, *self._panes]
        current = self.findings_pane if self._in_findings else self._front
        self.action_pane(panes[(panes.index(current) + step) % len(panes)].number)

    @property
    def _in_findings(self) -> bool:
        return self.findings_pane.has_focus_within

    def action_zoom(self) -> None:
        """Show the front pane alone, or all panes again."""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_back(self) -> None:
        """Clear the filter, or leave zoom if there is none."""
        pane = self.findings_pane if self._in_findings else self._front
        if pane.filtering:
            pane.clear_filter()
        elif self._zoomed:
            self.action_zoom()

    # Objects

    @on(Table.Selected, "QueuesPane Table")
    def _queue_selected(self, event: Table.Selected) -> None:
        if isinstance(event.key, QueueKey):
            self.tasks_pane.show_queue(event.key)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        pane = next(node for node in event.table.ancestors if isinstance(node, Pane))
        subject = pane.subject_of(event.key)
        if pane is self.findings_pane:
            self._open_finding(subject)
        elif subject is not None:
            self._session.open_object(subject, pane.step)

    def _open_finding(self, subject: Subject | None) -> None:
        """Select a finding's object in its pane and open it; without one show the evidence."""
        if subject is not None:
            if subject.kind is SubjectKind.WORKER:
                self.workers_pane.table.select(subject.name)
            elif subject.queue is not None:
                self.queues_pane.table.select(subject.queue)
        if subject is None or not self._session.open_object(subject, None):
            self.findings_pane.action_why()

    def action_findings(self) -> None:
        """Show all findings with their evidence."""
        from runqy_tui.tui.screens.findings_modal import FindingsModal

        self.app.push_screen(FindingsModal(self._session))


def _finding_lines(height: int) -> int:
    """Return the lines for findings on a screen this high: two at 24, five at 40, eight at 60."""
    return max(1, min(8, (height - 10) // 6))
