"""An app that sends only the cells that changed, where its driver has a terminal writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual.geometry import Offset

from runqy_tui.tui.compat.hooks import HookedApp, ReturnType
from runqy_tui.tui.renderer.presenter import Presenter, is_readable
from runqy_tui.tui.renderer.terminal_link import TerminalLink
from runqy_tui.tui.renderer.writer import TerminalWriter


def erases_with_colour(env: Mapping[str, str]) -> bool:
    """Whether erased cells take the current background colour (terminfo's ``bce``).

    tmux does so although its terminfo entry lacks the capability; GNU screen does not.
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
    """A driver with a terminal writer; it is ``None`` where the terminal cannot be opened."""

    writer: TerminalWriter | None
    link: TerminalLink
    to_bytes: Callable[[str], bytes]


class CellDiffApp(HookedApp[ReturnType]):
    """Draws through a :class:`~runqy_tui.tui.renderer.presenter.Presenter` where possible.

    ``presenter`` is ``None`` before the first frame, and where Textual draws itself.
    """

    presenter: Presenter | None = None

    def redraw(self) -> None:
        """Send the whole screen: the terminal may show anything."""
        if self.presenter is not None:
            self.presenter.invalidate()
        self.screen.refresh(repaint=True, layout=True)

    def on_resize(self) -> None:
        """Send the whole screen: a resized terminal has shifted and cut what it shows."""
        if self.presenter is not None:
            self.presenter.invalidate()
            self.call_later(self.presenter.present)

    def draw_update(self, update: RenderableType | None) -> bool:
        """Send the cells that a compositor update changes; ``False`` if Textual has to draw it."""
        presenter = self._current_presenter()
        if presenter is None or not is_readable(update):
            if presenter is not None and update is not None:
                presenter.invalidate()
            return False
        if self.accepts_frames:
            presenter.synchronised = self.terminal_synchronises
            presenter.apply_update(update, *self.size)
            presenter.present(self._text_cursor())
        return True

    def _text_cursor(self) -> tuple[int, int] | None:
        """Row and column of the text cursor, where an input method shows its window."""
        offset = self.size.clamp_offset(self.cursor_position)
        return None if offset == Offset(0, 0) else (offset.y, offset.x)

    def _current_presenter(self) -> Presenter | None:
        driver = self.driver
        if self.is_headless or driver is None or driver.is_inline:
            return None
        if not isinstance(driver, HasTerminalWriter) or driver.writer is None:
            return None
        if self.presenter is None or self.presenter.writer is not driver.writer:
            self.presenter = Presenter(
                driver.writer,
                COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR),
                driver.to_bytes,
                link=driver.link,
                erases_with_colour=erases_with_colour(os.environ),
            )
            self.presenter.link_quality_changed = self.link_quality_changed
            # A new presenter has measured nothing: what was known of the link is outdated.
            self.call_later(self.link_quality_changed)
        return self.presenter

    def link_quality_changed(self) -> None:
        """Called when ``presenter.link_quality`` has changed; for subclasses."""

    @property
    def draws_frames(self) -> bool:
        """Whether there is a presenter: it sends the synchronisation brackets itself."""
        return self.presenter is not None
