"""Base of all panes: a bordered table with a filter line, and titles in its borders."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Self

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Input

from runqy_tui.diagnosis.findings.finding import Subject
from runqy_tui.monitor.store import View
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.notices import WAITING
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.table import Table

if TYPE_CHECKING:
    from runqy_tui.tui.widgets.text_entry import TextEntry


class Pane(Vertical):
    """A table of one kind of object. Subclasses fill it from a view.

    ``number`` is the key that focuses it, ``noun`` its title and, in lower case, its id.
    """

    number: ClassVar[int]
    noun: ClassVar[str]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="pane.filter", tooltip="Filter this list"),
        Binding("s", "sort(1)", "sort", id="pane.sort", tooltip="Sort by the next column"),
        hidden_binding("S", "reverse", "Reverse", "pane.reverse", "Reverse the order"),
        Binding("y", "copy", "copy", id="pane.copy", tooltip="Copy the id or name (OSC 52)"),
    ]

    class Retitled(Message):
        """Posted when the pane's title has changed."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    _refresh_limit: Region | None = None

    def __init__(
        self, session: Session, columns: tuple[ColumnLayout, ...], table: type[Table] = Table
    ) -> None:
        super().__init__(id=self.noun.lower())
        self.session = session
        self.table = table(columns, placeholder=WAITING)
        self.needle = ""
        self._title = ""
        self._status = ""
        self._input: TextEntry | None = None

    def compose(self) -> ComposeResult:
        """Build the pane; its filter line is mounted on first use."""
        yield self.table

    def show(self, view: View) -> None:
        """Show a new view."""
        raise NotImplementedError

    def refill(self, *, typed: bool = False) -> None:
        """Fill the table again after the order or, with ``typed``, the filter has changed."""
        raise NotImplementedError

    def subject_of(self, key: Hashable) -> Subject | None:
        """Return the object of a row by the row's key, ``None`` if there is none."""
        raise NotImplementedError

    def brief_title(self) -> Content:
        """Return the title in a few cells, for the tabs of a small screen."""
        return Content(f"{self.number} {self.noun}")

    def full_title(self) -> Content:
        """Return the title with counts, order and filter."""
        return self.brief_title()

    def retitle(self, title: Content) -> None:
        """Write the title into the upper border; an unchanged title repaints nothing."""
        if title.markup != self._title:
            self._title = title.markup
            with self._repainting_line(0):
                self.border_title = title

    def show_status(self, text: str, style: str = "$warning") -> None:
        """Write a status line into the lower border; empty text clears it."""
        if text != self._status:
            self._status = text
            with self._repainting_line(max(0, self.outer_size.height - 1)):
                self.border_subtitle = safe_text.content(f" {text} ", style) if text else None

    @contextmanager
    def _repainting_line(self, y: int) -> Iterator[None]:
        """Limit the repaint of a changed title to its line instead of the whole pane."""
        # Regions are relative to the content; the border lies outside of it.
        self._refresh_limit = Region(0, y, self.outer_size.width, 1).translate(-self.content_offset)
        try:
            yield
        finally:
            self._refresh_limit = None

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Repaint regions, or the whole pane."""
        if self._refresh_limit is not None and not regions:
            regions = (self._refresh_limit,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    # Filter

    async def action_filter(self) -> None:
        """Open the filter line."""
        if self._input is None:
            from runqy_tui.tui.widgets.text_entry import TextEntry

            self._input = TextEntry(placeholder="text to filter by; Enter: keep, Esc: clear")
            await self.mount(self._input)
        self._input.display = True
        # Immediately: a key typed ahead belongs to it.
        self.screen.set_focus(self._input)

    @property
    def filter_lines(self) -> int:
        """Lines that the filter takes at the bottom of the pane, 0 or 1."""
        return 0 if self._input is None or not self._input.display else 1

    @property
    def filtering(self) -> bool:
        """Whether a filter is set or being typed."""
        return bool(self.needle or self.filter_lines)

    def clear_filter(self) -> None:
        """Clear the filter and focus the table."""
        if self._input is not None:
            self._input.value = ""
            self._input.display = False
        self.table.focus()

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self.needle = event.value
        self.refill(typed=True)

    @on(Input.Submitted)
    def _keep_filter(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.display = bool(self.needle)
        self.table.focus()

    # Copy

    def copy_text(self) -> str | None:
        """Return what ``y`` copies: the selected object's id or name, ``None`` without one."""
        key = self.table.selected
        return None if key is None else str(key)

    def action_copy(self) -> None:
        """Copy the selected object's id or name."""
        from runqy_tui.tui.copy_out import copy

        copy(self.app, self.copy_text())

    def step(self, delta: int) -> Hashable | None:
        """Move the selection for a window in front of this pane; return the new key."""
        self.table.action_step(delta)
        return self.table.selected
