"""Base of the windows with tabs: frame, headline, tabs, and the keys that work in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import Worker

from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.monitor.store import View
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import hidden_binding, in_modal
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.keys_footer import KeysFooter
from runqy_tui.tui.widgets.tab_line import Tab, TabLine
from runqy_tui.tui.widgets.text_entry import TextEntry
from runqy_tui.tui.widgets.text_view import TextView


class TabbedModal(BaseModal):
    """A window of several tabs that reloads after every poll. Subclasses load and fill the tabs.

    ``TABS`` holds key and label of each tab; ``compose_tabs`` yields a widget with each key as id.
    """

    TABS: ClassVar[Sequence[tuple[str, str]]] = ()
    CSS_PATH: ClassVar[str | Path] = "tabbed_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="modal.close", tooltip="Close"),
        Binding(
            "right_square_bracket,right,l",
            "tab(1)",
            "switch tab",
            id="modal.next-tab",
            key_display="[ ]",
            tooltip="Next tab",
        ),
        hidden_binding(
            "left_square_bracket,left,h", "tab(-1)", "Previous tab", "modal.previous-tab"
        ),
        Binding("slash", "search", "search", id="modal.search", tooltip="Search this text"),
        hidden_binding("full_stop", "search_next(1)", "Next match", "modal.next-match"),
        hidden_binding("comma", "search_next(-1)", "Previous match", "modal.previous-match"),
        Binding("y", "copy", "copy", id="modal.copy", tooltip="Copy the id or name (OSC 52)"),
        Binding("w", "write", "save to file", id="modal.write", tooltip="Save this tab to a file"),
        hidden_binding("tab", "app.focus_next", "Next field", "modal.focus-next"),
        *in_modal(),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._front_tab = self.TABS[0][0]
        self._loading: Worker[None] | None = None
        self._ready = False
        self._headline = Static(Content(""), id="headline")
        self._shown_headline = ("", "")
        self._tab_line = TabLine()
        self._search_entry = TextEntry(
            placeholder="text to find; Enter: next match, Esc: close", id="search"
        )
        self._search_entry.display = False

    # What a subclass provides

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield the widgets of the tabs, each with its tab's key as id."""
        raise NotImplementedError

    async def load(self) -> None:
        """Read what the window shows and update the tabs.

        Raises:
            RunqyTuiError: Redis cannot be read; the headline then shows the error.
        """
        raise NotImplementedError

    @property
    def object_name(self) -> str:
        """Title of the window, and the text that ``y`` copies."""
        raise NotImplementedError

    def tab_labels(self) -> dict[str, str]:
        """Return the labels, by tab key, that differ from those of ``TABS``."""
        return {}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return file ending and content for ``w`` on a tab; ``None`` if there is nothing."""
        raise NotImplementedError

    async def read_file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the same as :meth:`file_content`, read again in full if only part was read.

        Raises:
            RunqyTuiError: the full content cannot be read.
        """
        return self.file_content(tab)

    # Frame and loading

    def compose(self) -> ComposeResult:
        """Build the window."""
        with Vertical(id="frame"):
            yield self._headline
            yield self._tab_line
            yield from self.compose_tabs()
            yield self._search_entry
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the first tab and subscribe to the polls."""
        self._ready = all(self.query(f"#{key}") for key in ("frame", *dict(self.TABS)))
        if not self._ready:
            return  # it was closed before its widgets were mounted
        self.show_title()
        self.session.polled.subscribe(self, self._polled)
        self.show_tab(self._front_tab)
        self._reload()

    def show_title(self) -> None:
        """Write :attr:`object_name` into the frame."""
        self.query_one("#frame").border_title = safe_text.content(self.object_name)

    def _polled(self, view: View) -> None:
        if view.frozen_at is None:
            self._reload()

    def _reload(self) -> None:
        if self._ready and (self._loading is None or not self._loading.is_running):
            self.start_loading()

    def start_loading(self) -> None:
        """Start to load; a load that is still running is cancelled."""
        self._cancel_loading()
        self._loading = self.run_worker(self._load, group="load")

    def _cancel_loading(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    async def _load(self) -> None:
        try:
            await self.load()
        except RunqyTuiError as error:
            self.show_headline(f"Read failed: {error}", "$error")
        except NoMatches:
            # A reply that arrives while the window is being removed has no widget to go to.
            if all(self.query(f"#{key}") for key, _ in self.TABS):
                raise
            return
        self._show_tab_line()

    def show_headline(self, text: str, style: str = "bold") -> None:
        """Write the first line; an unchanged headline repaints nothing."""
        if (text, style) != self._shown_headline:
            self._shown_headline = (text, style)
            self._headline.update(safe_text.content(text, style))

    # Tabs

    def _show_tab_line(self) -> None:
        labels = self.tab_labels()
        self._tab_line.show(
            [Tab(key, labels.get(key, name), name) for key, name in self.TABS], self._front_tab
        )

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front."""
        self._front_tab = key
        for other, _ in self.TABS:
            self.query_one(f"#{other}").display = other == key
        self.query_one(f"#{key}").focus()
        self._show_tab_line()
        self.refresh_bindings()

    @property
    def front_widget(self) -> Widget:
        """Widget of the tab in front."""
        return self.query_one(f"#{self._front_tab}")

    def action_tab(self, step: int) -> None:
        """Show the next (1) or previous (-1) tab."""
        keys = [key for key, _ in self.TABS]
        self.show_tab(keys[(keys.index(self._front_tab) + step) % len(keys)])

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        if self._ready:
            self.show_tab(event.key)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the tab in front cannot do."""
        del parameters
        if not self._ready and action != "close":
            return False  # a key typed ahead comes before the widgets, or after they are removed
        if action in ("search", "search_next"):
            return True if isinstance(self.front_widget, TextView) else None
        if action == "write":
            return True if self.file_content(self._front_tab) is not None else None
        return True

    def action_close(self) -> None:
        """Close the search line if it is open, else the window."""
        if self._search_entry.display:
            self._search_entry.display = False
            self.front_widget.focus()
        else:
            # What is read for a window that is being removed would find no widget to show it.
            self._ready = False
            self._cancel_loading()
            self.dismiss()

    def action_copy(self) -> None:
        """Copy the object's id or name."""
        from runqy_tui.tui.copy_out import copy

        copy(self.app, self.object_name)

    def action_write(self) -> None:
        """Save the tab in front to a new file in the current directory."""
        self._save(self._front_tab)

    @work(group="write", exclusive=True)
    async def _save(self, tab: str) -> None:
        from runqy_tui.tui.copy_out import save

        try:
            content = await self.read_file_content(tab)
        except RunqyTuiError as error:
            self.app.notify(f"Not saved: {error}", severity="error", markup=False)
            return
        if content is not None:
            save(self.app, f"runqy-{self.object_name}-{tab}", *content)

    # Text search

    def action_search(self) -> None:
        """Open the search line."""
        self._search_entry.display = True
        self._search_entry.focus()

    @on(Input.Submitted, "#search")
    def _search_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        view = self.front_widget if self._ready else None
        if isinstance(view, TextView):
            self._search_entry.display = False
            view.focus()
            if not view.search(event.value) and event.value:
                text = f"No match for {safe_text.line(event.value)!r}."
                self.app.notify(text, markup=False, timeout=3)

    def action_search_next(self, step: int) -> None:
        """Go to the next (1) or previous (-1) match."""
        view = self.front_widget
        if isinstance(view, TextView):
            if step > 0:
                view.search_next()
            else:
                view.search_prev()
