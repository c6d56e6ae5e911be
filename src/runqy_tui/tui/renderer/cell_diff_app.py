"""What terminfo knows of this terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual.geometry import Offset

from runqy_tui.tui.compat.hooks import HookedApp, ReturnType
from runqy_tui.tui.renderer.presenter import Presenter, understood
from runqy_tui.tui.renderer.terminal_link import TerminalLink
from runqy_tui.tui.renderer.writer import TerminalWriter


def erases_with_colour(env: Mapping[str, str]) -> bool:
    """Whether erased cells take the background in force (``bce``).

    tmux does so, although its own terminfo entry does not say it; GNU screen does not.
    """
    if env.get("TMUX"):
        return True
    try:
        import curses
    except ImportError:
        return False
    try:
        curses.setupterm(env.get("TERM") or "dumb", 1)
        return bool(curses.tigetflag("bce") == 1)
    except (curses.error, TypeError):
        return False


@runtime_checkable
class HasTerminalWriter(Protocol):
    """A driver that writes through an outlet; ``None`` where the terminal allows none."""

    outlet: TerminalWriter | None
    link: TerminalLink
    to_bytes: Callable[[str], bytes]


class CellDiffApp(HookedApp[ReturnType]):
    """Draws as any app, but through a presenter, if its driver has a terminal writer."""

    presenter: Presenter | None = None

    def redraw(self) -> None:
        """Send everything anew: the terminal may show anything."""
        if self.presenter is not None:
            self.presenter.forget()
        self.screen.refresh(repaint=True, layout=True)

    def on_resize(self) -> None:
        """Terminals shift and cut what they show: send it anew, also at the size it had before."""
        if self.presenter is not None:
            self.presenter.forget()
            self.call_later(self.presenter.present)

    def draw_update(self, update: RenderableType | None) -> bool:
        """Send the cells that an update of the compositor changes."""
        presenter = self._ready_presenter()
        if presenter is None or not understood(update):
            if presenter is not None and update is not None:
                presenter.forget()
            return False
        if self.accepts_frames:
            presenter.synchronised = self.terminal_synchronises
            presenter.take(update, *self.size)
            presenter.present(self._wanted_cursor())
        return True

    def _wanted_cursor(self) -> tuple[int, int] | None:
        """Where an input method shows its window: at the cursor of what is being edited."""
        where = self.size.clamp_offset(self.cursor_position)
        return None if where == Offset(0, 0) else (where.y, where.x)

    def _ready_presenter(self) -> Presenter | None:
        driver = self.driver
        if self.is_headless or driver is None or driver.is_inline:
            return None
        if not isinstance(driver, HasTerminalWriter) or driver.outlet is None:
            return None
        if self.presenter is None or self.presenter.outlet is not driver.outlet:
            self.presenter = Presenter(
                driver.outlet,
                COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR),
                driver.to_bytes,
                link=driver.link,
                erases_with_colour=erases_with_colour(os.environ),
            )
            self.presenter.pace_changed = self.pace_changed
            self.call_later(self.pace_changed)  # what was known of the link before is no longer
        return self.presenter

    def pace_changed(self) -> None:
        """The link is slow, or no longer: ``presenter.pace`` says which, and why."""

    @property
    def draws_frames(self) -> bool:
        """Whether there is a presenter: it sends the synchronisation brackets itself."""
        return self.presenter is not None
