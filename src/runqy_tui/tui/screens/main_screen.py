"""The main screen: three panes, a header, the most urgent sentence, and the live keys."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen

from runqy_tui.diagnosis.findings.finding import SubjectKind
from runqy_tui.model import QueueKey
from runqy_tui.model.reader_protocol import InView
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.tui.input.global_bindings import quiet
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

if TYPE_CHECKING:
    from runqy_tui.tui.screens.object_modal import ObjectModal

SMALL = (100, 28)
"""Below this many columns or lines one pane is shown at a time."""

FIRST_ANSWER_S = 0.25
"""How long what follows the first frame waits for the first data: from a near Redis it soon comes.
"""
FIRST_TASKS_S = 0.05
"""How long the first data waits for the tasks of its queue, to be painted in one frame."""


class MainScreen(BaseScreen, Screen[None]):
    """Workers and queues side by side over tasks; one at a time where there is no room."""

    # Before the first frame: to move the focus later lays out and paints all of it once more.
    AUTO_FOCUS = "QueuesPane Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        quiet("1", "pane(1)", "Workers", "main.workers"),
        quiet("2", "pane(2)", "Queues", "main.queues"),
        quiet("3", "pane(3)", "Tasks", "main.tasks"),
        Binding("tab", "next_pane(1)", "pane", id="main.next-pane", tooltip="Next pane"),
        quiet("shift+tab", "next_pane(-1)", "Previous pane", "main.previous-pane"),
        Binding("z", "zoom", "zoom", id="main.zoom", tooltip="One pane in full, or all three"),
        quiet("escape", "back", "Back", "main.back", "Clear the filter, leave the zoom"),
        quiet("4,f", "pane(4)", "Findings", "main.findings"),
        quiet("w", "findings", "What is wrong", "main.wrong", "Everything that is wrong, and why"),
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
        self._waiting: list[Pane] = []
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
        """Listen for polls."""
        self._session.polled.subscribe(self, self._show)
        self._session.poller.watch(self._everything_in_view)
        self.set_interval(1.0, self._header.tick)
        self._arrange()
        self._footer.update_keys()  # else it comes a frame later
        self.frame_timer.hold(FIRST_ANSWER_S)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Apply no styles twice at first: each widget got its own when it was mounted."""
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
        # One after the other, with turns for keys in between: each puts a whole fleet in order.
        self._waiting = [self._front, *(pane for pane in self._panes if pane is not self._front)]
        self.call_next(self._show_waiting)

    async def _show_waiting(self) -> None:
        while self._waiting and self.is_attached:
            self._waiting.pop(0).show(self._session.view)
            await asyncio.sleep(0)
        if self.queues_pane.table.selected is None:
            self._listed()

    @on(TasksPane.Listed)
    def _listed(self) -> None:
        """There is nothing more to wait for."""
        self.frame_timer.release()

    def in_view(self) -> InView:
        """What the panes show."""
        return InView(self.queues_pane.in_view(), self.workers_pane.in_view())

    def _everything_in_view(self) -> InView:
        """What the open windows show, and the panes behind them."""
        screens = [one for one in reversed(self.app.screen_stack) if isinstance(one, BaseScreen)]
        seen = [screen.in_view() for screen in screens]
        return InView(
            [key for one in seen for key in one.queues],
            [worker_id for one in seen for worker_id in one.workers],
        )

    # Panes

    @property
    def _cramped(self) -> bool:
        return self.size.width < SMALL[0] or self.size.height < SMALL[1]

    @property
    def _single(self) -> bool:
        return self._zoomed or self._cramped

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the zoom only where there is something to zoom."""
        del parameters
        return not (action == "zoom" and self._cramped)

    def on_resize(self, _event: events.Resize) -> None:
        """Choose between three panes and one."""
        self.findings_pane.most_lines = _finding_lines(self.size.height)
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
        self._footer.palette = not tasks_alone  # they have more keys than others
        for pane in self._panes:
            # Of no use where all are shown, and every change has all styles of a pane made anew.
            pane.set_class(single and pane is self._front, "-front")
        self._retitle()

    @on(Pane.Retitled)
    def _one_retitled(self, event: Pane.Retitled) -> None:
        if self._single:
            self._retitle()  # the others' titles are in the one that can be seen
        else:
            event.pane.retitle(event.pane.full())

    def _retitle(self) -> None:
        """Write the titles; a lone pane names the others beside its own, as tabs."""
        for pane in self._panes:
            title = pane.full()
            if self._single:
                others = [other.brief() for other in self._panes if other is not pane]
                title = Content.assemble(
                    title, ("   │ ", "$border"), Content.styled("  ", "").join(others)
                )
            pane.retitle(title)
        self.findings_pane.retitle(self.findings_pane.full())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that holds the focus is the front one."""
        for pane in self._panes:
            if pane in event.widget.ancestors and pane is not self._front:
                self._front = pane
                self._arrange()

    def action_pane(self, number: int) -> None:
        """Go to a pane."""
        if number == self.findings_pane.number:
            if self.findings_pane.display:
                self.findings_pane.table.focus()
            return
        self._front = self._panes[number - 1]
        self._arrange()
        # At once: a key typed ahead belongs to the new pane.
        self.set_focus(self._front.table)

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane; the findings come first."""
        first = [self.findings_pane] if self.findings_pane.display else []
        panes = [*first, *self._panes]
        now = self.findings_pane if self._in_findings else self._front
        self.action_pane(panes[(panes.index(now) + step) % len(panes)].number)

    @property
    def _in_findings(self) -> bool:
        return self.findings_pane.has_focus_within

    def action_zoom(self) -> None:
        """Show the pane in front alone, or all again."""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_back(self) -> None:
        """Take back the latest narrowing: filter first, then zoom."""
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
        from runqy_tui.tui.screens.modal_factory import modal_for

        pane = next(node for node in event.table.ancestors if isinstance(node, Pane))
        jump = pane is self.findings_pane
        modal = self._jump(event.key) if jump else modal_for(pane, event.key)
        if modal is not None:
            self.app.push_screen(modal)

    def _jump(self, finding_id: Hashable) -> ObjectModal | None:
        """Select the object of a finding in its pane, and make its modal; of many a list."""
        from runqy_tui.tui.screens.modal_factory import modal_of_subject

        view = self._session.view
        finding = next((f for f in view.findings if f.id == finding_id), None)
        if finding is None:
            self.findings_pane.action_why()
            return None
        subject = finding.subject
        if subject.kind is SubjectKind.WORKER:
            self.workers_pane.table.select(subject.name)
        elif subject.queue is not None:
            self.queues_pane.table.select(subject.queue)
        modal = modal_of_subject(self._session, subject)
        if modal is None:
            self.findings_pane.action_why()
        return modal

    def action_findings(self) -> None:
        """Show everything that is wrong, and why."""
        from runqy_tui.tui.screens.findings_modal import FindingsModal

        self.app.push_screen(FindingsModal(self._session))


def _finding_lines(height: int) -> int:
    """Lines for findings on a screen this high: two at 24, five at 40, eight at 60."""
    return max(1, min(8, (height - 10) // 6))
