"""The application: it polls in the background and shows screens; the screens do the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any, ClassVar

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
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.monitor.store import Store, View
from runqy_tui.tui.bandwidth import LowBandwidth
from runqy_tui.tui.compat.hooks import clear_drawn_caches, set_colour_system
from runqy_tui.tui.compat.private_names import DRIVER, differences
from runqy_tui.tui.input.global_bindings import EVERYWHERE
from runqy_tui.tui.input.key_queue import KeyBarrier, KeyQueue
from runqy_tui.tui.notifications import announce, newly_firing, use_lasting_toasts
from runqy_tui.tui.renderer.cell_diff_app import CellDiffApp
from runqy_tui.tui.renderer.driver import RunqyDriver
from runqy_tui.tui.screens.base_screen import BaseScreen, is_late_error
from runqy_tui.tui.screens.main_screen import MainScreen
from runqy_tui.tui.session import Session
from runqy_tui.tui.theme import DARK, DEFAULT_VARIABLES, LIGHT

MOST_WINDOWS = 9
"""Windows above each other; dozens would be too deep for Python to draw."""

_CACHE_CLEANUP_S = 60.0
"""How often to clear caches while no window is closed: ages make new texts of the same lines."""

_DEPTHS = {
    "16": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}


class RunqyApp(CellDiffApp[None]):
    """Watches one Redis.

    Args:
        settings: validated settings.
        open_reader: connects; called after the first paint and again until it succeeds.
        rules: what to alert on; the built-in rules if ``None``.

    Raises:
        ConfigError: a key is wanted for a binding that does not exist.
    """

    TITLE = "runqy-tui"
    # Textual loads no stylesheet of its own for the default screen.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "screens/main_screen.tcss"]
    # A terminal marks text better itself (with Shift held down), and Textual's own way of it ends
    # the app where a press hits a widget that is just being removed.
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*EVERYWHERE]

    def __init__(
        self,
        settings: Settings,
        open_reader: Callable[[], Awaitable[Reader]],
        rules: Sequence[Rule] | None = None,
    ) -> None:
        super().__init__(driver_class=RunqyDriver if DRIVER.is_available else None)
        self._typed = KeyQueue(self, self._hand_out)
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
            bandwidth=LowBandwidth(settings.low_bandwidth, apply=self._spare),
        )
        depth = settings.depth
        if depth == "auto" and settings.low_bandwidth:
            depth = "16"  # two fifths of the bytes of a refresh are colours
        if depth != "auto":
            set_colour_system(self.console, _DEPTHS[depth])
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.set_keymap(dict(settings.keys))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own variables a value under every theme."""
        return DEFAULT_VARIABLES

    def get_default_screen(self) -> Screen[None]:
        """Start on the main screen."""
        return MainScreen(self.session)

    def on_mount(self) -> None:
        """Look after the terminal."""
        for difference in differences():
            self.notify(difference, title="Textual", severity="warning", markup=False, timeout=20)
        if isinstance(self.driver, RunqyDriver):
            self.set_interval(1.0, self.driver.exit_if_disconnected)
            self.app_resume_signal.subscribe(self, lambda _: self.action_repaint())
        self.set_interval(_CACHE_CLEANUP_S, clear_drawn_caches)
        if self.session.bandwidth.low:
            self._spare()

    def on_ready(self) -> None:
        """Something is on the screen: start to poll, before what is still to be painted."""
        self._polling: Worker[None] = self.run_worker(
            self.session.poller.run, name="poller", exit_on_error=True
        )

    # The link to the terminal

    def link_quality_changed(self) -> None:
        """The link has become slow, or fast again."""
        if self.presenter is not None:
            quality = self.presenter.link_quality
            self.session.bandwidth.judged(quality.slow, quality.why)

    def _spare(self) -> None:
        """Leave out what moves and what moves the screen, while bandwidth is low."""
        low = self.session.bandwidth.low
        self.animation_level = "none" if low else constants.TEXTUAL_ANIMATIONS
        if isinstance(self.driver, RunqyDriver):
            self.driver.use_mouse(self.session.settings.mouse and not low)
        for entry in self.screen.query("TextEntry"):
            entry.cursor_blink = not low  # type: ignore[attr-defined]
        self.session.polled.publish(self.session.view)

    def action_low_bandwidth(self) -> None:
        """Low bandwidth: on, off, or as the link is."""
        self.notify(self.session.bandwidth.turn(), timeout=3)

    async def _polled(self, result: PollResult) -> None:
        before = self.session.board
        await self.session.take(result)
        announce(self, self.session.settings.notify, newly_firing(before, self.session.board))

    def push_screen(self, screen: Any, *args: Any, **options: Any) -> Any:
        """Open a window; not a tenth above nine others, of which each draws all below it."""
        if len(self.screen_stack) > MOST_WINDOWS:
            self.notify(f"{MOST_WINDOWS} windows are open: close some first.", severity="warning")
            return AwaitComplete()
        return super().push_screen(screen, *args, **options)

    def pop_screen(self) -> AwaitComplete:
        """Close the window in front, and forget what was drawn of those before."""
        clear_drawn_caches()
        return super().pop_screen()

    async def on_event(self, event: Event) -> None:
        """Hand out keys one at a time."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._typed.take(event)
        else:
            await self._hand_out(event)

    async def _hand_out(self, event: Event) -> None:
        """Show what a key or the mouse does at once, not only in the next frame that is due."""
        if isinstance(event, InputEvent) and not event.is_forwarded:
            screen = self.screen
            if isinstance(screen, BaseScreen):
                screen.frame_timer.expedite()
        await super().on_event(event)

    def on_key_barrier(self, mark: KeyBarrier) -> None:
        """A key has done what it does."""
        self._typed.through(mark)

    # Leaving

    def handles_error(self, error: Exception) -> bool:
        """Continue after an error that only says that the window it was meant for is closed."""
        return is_late_error(error, self.screen_stack)

    @property
    def fault(self) -> BaseException | None:
        """The fault of our own that ended the app, if one did."""
        fault = self.first_error
        return fault.error if isinstance(fault, WorkerFailed) else fault

    def action_leave(self) -> None:
        """Leave."""
        self.exit()

    # Keys that work everywhere

    def action_freeze(self) -> None:
        """Freeze or thaw the screen."""
        self.session.toggle_freeze()

    def action_command_palette(self) -> None:
        """Open the palette, unless it is open."""
        from runqy_tui.tui.screens.key_reference import Palette

        if not Palette.is_open(self):  # type: ignore[arg-type]
            self.push_screen(Palette(id="--command-palette"))

    def action_interval(self, step: int) -> None:
        """Poll more or less often."""
        seconds = self.session.change_interval(step)
        self.notify(f"Polling every {seconds:g} s.", timeout=2)

    def action_repaint(self) -> None:
        """Draw everything anew, as after a line of noise."""
        self.redraw()

    def action_find(self) -> None:
        """Ask for a task id."""
        from runqy_tui.tui.screens.find_modal import FindModal

        self.push_screen(FindModal(self.session))

    def action_search(self) -> None:
        """Search in tasks, at first in the list that is shown."""
        from runqy_tui.tui.screens.search_modal import SearchModal

        main = next(screen for screen in self.screen_stack if isinstance(screen, MainScreen))
        self.push_screen(SearchModal(self.session, main.tasks_pane.shown))

    def action_errors(self) -> None:
        """Group the failed tasks by what their errors say."""
        from runqy_tui.tui.screens.errors_modal import ErrorsModal

        self.push_screen(ErrorsModal(self.session))

    def action_alerts(self) -> None:
        """Show what fires, and the log of alerts."""
        from runqy_tui.tui.screens.alerts_modal import AlertsModal

        self.push_screen(AlertsModal(self.session))

    def action_report(self) -> None:
        """Write an incident report into the current directory."""
        self.notify("Writing a report…", timeout=2)
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
            self.notify("No report: nothing is known yet.", severity="warning")
        else:
            self.notify(f"Wrote {paths[0]} and {paths[1].name}", markup=False, timeout=8)

    def action_help(self) -> None:
        """Show all keys of where we are."""
        from runqy_tui.tui.screens.key_reference import HelpModal

        self.push_screen(HelpModal(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every key's action in the palette, then what Textual offers."""
        from runqy_tui.tui.screens.key_reference import commands_of

        yield from commands_of(self, screen)
        yield from super().get_system_commands(screen)
