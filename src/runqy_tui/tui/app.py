"""The application: polls in the background, handles global keys, and shows the screens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.color import ColorSystem
from textual import constants
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.events import Event, InputEvent, Key, Paste
from textual.screen import Screen
from textual.signal import Signal
from textual.worker import Worker, WorkerFailed

from runqy_tui.alerts.alert_states import Alerts
from runqy_tui.alerts.rule import Rule
from runqy_tui.alerts.rule_file import default_rules
from runqy_tui.config import Settings
from runqy_tui.diagnosis.diagnoser import Diagnoser
from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.monitor.store import Store, View
from runqy_tui.tui.bandwidth import LowBandwidth
from runqy_tui.tui.compat.hooks import clear_drawn_caches, set_colour_system
from runqy_tui.tui.compat.private_names import DRIVER, differences
from runqy_tui.tui.input.global_bindings import GLOBAL_BINDINGS
from runqy_tui.tui.input.key_queue import KeyBarrier, KeyQueue
from runqy_tui.tui.notifications import announce, newly_firing, use_lasting_toasts
from runqy_tui.tui.renderer.cell_diff_app import CellDiffApp
from runqy_tui.tui.renderer.driver import RunqyDriver
from runqy_tui.tui.screens.base_screen import BaseScreen, is_late_error
from runqy_tui.tui.screens.main_screen import MainScreen
from runqy_tui.tui.session import Session, Step
from runqy_tui.tui.theme import DARK, DEFAULT_VARIABLES, LIGHT

if TYPE_CHECKING:
    from runqy_tui.tui.screens.object_modal import ObjectModal

MAX_WINDOWS = 9
"""Windows above each other; drawing dozens would exceed Python's recursion limit."""

_CACHE_CLEANUP_S = 60.0
"""Interval at which drawing caches are cleared; ages keep adding new texts of the same lines."""

_COLOUR_SYSTEMS = {
    "16": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}


class RunqyApp(CellDiffApp[None]):
    """Monitors one Redis.

    Args:
        settings: validated settings.
        open_reader: connects; called after the first paint, and again until it succeeds.
        rules: alert rules; the built-in ones if ``None``.

    Raises:
        ConfigError: ``settings.keys`` names a binding that does not exist.
    """

    TITLE = "runqy-tui"
    # Textual loads no stylesheet of its own for the default screen.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "screens/main_screen.tcss"]
    # Terminals select text better (with Shift held down), and Textual's own selection ends the app
    # if a press hits a widget that is just being removed.
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*GLOBAL_BINDINGS]

    def __init__(
        self,
        settings: Settings,
        open_reader: Callable[[], Awaitable[Reader]],
        rules: Sequence[Rule] | None = None,
    ) -> None:
        super().__init__(driver_class=RunqyDriver if DRIVER.is_available else None)
        self._key_queue = KeyQueue(self, self._dispatch)
        use_lasting_toasts()
        if settings.keys:
            from runqy_tui.tui.input.keymap import check_names

            check_names(settings.keys)
        polled: Signal[View] = Signal(self, "polled")
        diagnoser = Diagnoser()
        self.session = Session(
            settings=settings,
            store=Store(),
            poller=Poller(open_reader, self._polled, settings.interval_s, diagnoser),
            polled=polled,
            diagnoser=diagnoser,
            alerts=Alerts(default_rules() if rules is None else rules),
            open_object=self._open_object,
            bandwidth=LowBandwidth(settings.low_bandwidth, apply=self._apply_bandwidth),
        )
        depth = settings.depth
        if depth == "auto" and settings.low_bandwidth:
            depth = "16"  # colours are two fifths of the bytes of a refresh
        if depth != "auto":
            set_colour_system(self.console, _COLOUR_SYSTEMS[depth])
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.set_keymap(dict(settings.keys))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return values of our own variables for themes that are not ours."""
        return DEFAULT_VARIABLES

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return MainScreen(self.session)

    def on_mount(self) -> None:
        """Report differences of Textual, watch the terminal, and clear caches at intervals."""
        for difference in differences():
            self.notify(difference, title="Textual", severity="warning", markup=False, timeout=20)
        if isinstance(self.driver, RunqyDriver):
            self.set_interval(1.0, self.driver.exit_if_disconnected)
            self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        self.set_interval(_CACHE_CLEANUP_S, clear_drawn_caches)
        if self.session.bandwidth.low:
            self._apply_bandwidth()

    def on_ready(self) -> None:
        """Start polling after the first paint, ahead of what is still to be painted."""
        self._polling: Worker[None] = self.run_worker(
            self.session.poller.run, name="poller", exit_on_error=True
        )

    # The link to the terminal

    def link_quality_changed(self) -> None:
        """Update the low-bandwidth mode after the link became slow, or fast again."""
        if self.presenter is not None:
            quality = self.presenter.link_quality
            self.session.bandwidth.update_link(quality.slow, quality.why)

    def _apply_bandwidth(self) -> None:
        """Turn animations, mouse and blinking cursors off in low-bandwidth mode, else on."""
        low = self.session.bandwidth.low
        self.animation_level = "none" if low else constants.TEXTUAL_ANIMATIONS
        if isinstance(self.driver, RunqyDriver):
            self.driver.use_mouse(self.session.settings.mouse and not low)
        for entry in self.screen.query("TextEntry"):
            entry.cursor_blink = not low  # type: ignore[attr-defined]
        self.session.polled.publish(self.session.view)

    def action_low_bandwidth(self) -> None:
        """Switch the low-bandwidth mode: on, off, auto."""
        self.notify(self.session.bandwidth.cycle(), timeout=3)

    async def _polled(self, result: PollResult) -> None:
        before = self.session.board
        await self.session.apply(result)
        announce(self, self.session.settings.notify, newly_firing(before, self.session.board))

    def push_screen(self, screen: Any, *args: Any, **options: Any) -> Any:
        """Open a window unless nine are open already: each draws all those below it."""
        if len(self.screen_stack) > MAX_WINDOWS:
            self.notify(f"{MAX_WINDOWS} windows are open: close some first.", severity="warning")
            return AwaitComplete()
        return super().push_screen(screen, *args, **options)

    def pop_screen(self) -> AwaitComplete:
        """Close the window in front, and clear the caches of what was drawn."""
        clear_drawn_caches()
        return super().pop_screen()

    async def on_event(self, event: Event) -> None:
        """Queue keys and pasted text, dispatch everything else."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._key_queue.put(event)
        else:
            await self._dispatch(event)

    async def _dispatch(self, event: Event) -> None:
        """Dispatch an event; one of the user's is painted immediately, not in the next frame."""
        if isinstance(event, InputEvent) and not event.is_forwarded:
            screen = self.screen
            if isinstance(screen, BaseScreen):
                screen.frame_timer.expedite()
        await super().on_event(event)

    def on_key_barrier(self, barrier: KeyBarrier) -> None:
        """Release the next key: the action of the previous one has finished."""
        self._key_queue.passed(barrier)

    # Errors

    def handles_error(self, error: Exception) -> bool:
        """Return True for an error of a window that is closed already; all others end the app."""
        return is_late_error(error, self.screen_stack)

    @property
    def fault(self) -> BaseException | None:
        """The internal error that ended the app, ``None`` if there was none."""
        fault = self.first_error
        return fault.error if isinstance(fault, WorkerFailed) else fault

    # Global keys

    def action_freeze(self) -> None:
        """Freeze or resume the display."""
        self.session.toggle_freeze()

    def action_command_palette(self) -> None:
        """Open the command palette, unless it is open."""
        from runqy_tui.tui.screens.key_reference import Palette

        if not Palette.is_open(self):  # type: ignore[arg-type]
            self.push_screen(Palette(id="--command-palette"))

    def action_interval(self, step: int) -> None:
        """Poll less (1) or more (-1) often."""
        seconds = self.session.change_interval(step)
        self.notify(f"Polling every {seconds:g} s.", timeout=2)

    def action_redraw(self) -> None:
        """Redraw everything, as after foreign output on the terminal."""
        self.redraw()

    # Windows

    def _open_object(self, subject: Subject, step: Step | None = None) -> bool:
        """Open the window of a worker, a queue or a task; return False for anything else."""
        modal: ObjectModal
        if subject.kind is SubjectKind.WORKER:
            from runqy_tui.tui.screens.worker_modal import WorkerModal

            modal = WorkerModal(self.session, subject.name, step)
        elif subject.kind is SubjectKind.TASK:
            from runqy_tui.tui.screens.task_modal import TaskModal

            modal = TaskModal(self.session, subject.name, subject.queue, step)
        elif subject.queue is not None:
            from runqy_tui.tui.screens.queue_modal import QueueModal

            modal = QueueModal(self.session, subject.queue, step)
        else:
            return False
        self.push_screen(modal)
        return True

    def action_window(self, name: str) -> None:
        """Open a window that needs only the session: ``errors_modal.ErrorsModal``, for example."""
        module, _, window = name.partition(".")
        self.push_screen(
            getattr(import_module(f"runqy_tui.tui.screens.{module}"), window)(self.session)
        )

    def action_search(self) -> None:
        """Open the search window; its first scope is the list that is shown."""
        from runqy_tui.tui.screens.search_modal import SearchModal

        main = next(screen for screen in self.screen_stack if isinstance(screen, MainScreen))
        self.push_screen(SearchModal(self.session, main.tasks_pane.shown))

    def action_report(self) -> None:
        """Write an incident report into the current directory."""
        self.notify("Writing report…", timeout=2)
        self._reporting: Worker[None] = self.run_worker(
            self._report, group="report", exclusive=True
        )

    async def _report(self) -> None:
        try:
            paths = await self.session.write_report(Path.cwd())
        except RunqyTuiError as error:
            self.notify(f"No report: {error}", severity="error", markup=False)
            return
        if paths is None:
            self.notify("No report: no data yet.", severity="warning")
        else:
            self.notify(f"Saved {paths[0]} and {paths[1].name}", markup=False, timeout=8)

    def action_help(self) -> None:
        """Open the help window."""
        from runqy_tui.tui.screens.key_reference import HelpModal

        self.push_screen(HelpModal(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield the palette's commands: every binding's action, then Textual's own."""
        from runqy_tui.tui.screens.key_reference import palette_commands

        yield from palette_commands(self, screen)
        yield from super().get_system_commands(screen)
