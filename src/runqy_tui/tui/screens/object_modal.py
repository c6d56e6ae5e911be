"""What all object modals share: frame, sentence, tabs, and the keys that work in each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on, work
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
from runqy_tui.tui.input.global_bindings import in_modal, quiet
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.keys_footer import KeysFooter
from runqy_tui.tui.widgets.tab_line import Tab, TabLine
from runqy_tui.tui.widgets.text_entry import TextEntry
from runqy_tui.tui.widgets.text_view import TextView

SMALL = (80, 24)
"""Below this many columns or lines a modal covers the screen."""

Step = Callable[[int], Hashable | None]
"""Moves the selection of the list behind by rows and returns the new key."""


class ObjectModal(BaseModal):
    """Shows one object and keeps it fresh. Subclasses read it and fill the tabs.

    ``TABS`` are keys and labels; for each key there is a widget of that id.
    """

    TABS: ClassVar[Sequence[tuple[str, str]]] = ()
    CSS_PATH: ClassVar[str | Path] = "object_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="modal.close", tooltip="Close"),
        Binding(
            "right_square_bracket,right,l",
            "tab(1)",
            "tab",
            id="modal.next-tab",
            key_display="[ ]",
            tooltip="Next tab",
        ),
        quiet("left_square_bracket,left,h", "tab(-1)", "Previous tab", "modal.previous-tab"),
        Binding(
            "n",
            "step(1)",
            "next",
            id="modal.next",
            key_display="n N",
            tooltip="Next object of the list behind",
        ),
        quiet("N", "step(-1)", "Previous object of the list behind", "modal.previous"),
        Binding("slash", "search", "search", id="modal.search", tooltip="Search in this text"),
        quiet("full_stop", "search_next(1)", "Next match", "modal.next-match"),
        quiet("comma", "search_next(-1)", "Previous match", "modal.previous-match"),
        Binding("y", "copy", "copy", id="modal.copy", tooltip="Copy the id or name (OSC 52)"),
        Binding("w", "write", "write", id="modal.write", tooltip="Write this tab to a file"),
        quiet("tab", "app.focus_next", "Next field", "modal.focus-next"),
        *in_modal(),
    ]

    def __init__(self, session: Session, step: Step | None = None) -> None:
        super().__init__()
        self.session = session
        self._step = step
        self._front = self.TABS[0][0]
        self._loading: Worker[None] | None = None
        self._there = False
        self._sentence = Static(Content(""), id="sentence")
        self._said = ("", "")
        self._tabline = TabLine()
        self._search = TextEntry(
            placeholder="search, Enter finds the next; Esc closes", id="search"
        )
        self._search.display = False

    # What a subclass provides

    def compose_tabs(self) -> Iterable[Widget]:
        """Make the widgets of the tabs, each with its tab's key as id."""
        raise NotImplementedError

    async def load(self) -> None:
        """Read the object anew and show it. Errors of the reader may pass."""
        raise NotImplementedError

    def retarget(self, key: Hashable) -> None:
        """Turn to another object of the same kind."""
        raise NotImplementedError

    @property
    def object_name(self) -> str:
        """Id or name of the object, as it is copied."""
        raise NotImplementedError

    def tab_labels(self) -> dict[str, str]:
        """Labels that say more than their tab's name, by key."""
        return {}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """File ending and content for ``w`` on a tab; ``None`` where there is nothing."""
        raise NotImplementedError

    # Frame

    def compose(self) -> ComposeResult:
        """Build the modal."""
        with Vertical(id="frame"):
            yield self._sentence
            yield self._tabline
            yield from self.compose_tabs()
            yield self._search
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the first tab and follow the polls."""
        self._there = all(self.query(f"#{key}") for key in ("frame", *dict(self.TABS)))
        if not self._there:
            return  # it was closed before it was made
        self.query_one("#frame").border_title = safe_text.content(self.object_name)
        self.session.polled.subscribe(self, self._polled)
        self.show_tab(self._front)
        self._reload()

    def on_resize(self, event: events.Resize) -> None:
        """Take all there is where there is little."""
        self.set_class(event.size.width < SMALL[0] or event.size.height < SMALL[1], "-small")

    def _polled(self, view: View) -> None:
        if view.frozen_at is None:
            self._reload()

    def _reload(self) -> None:
        if self._there and (self._loading is None or not self._loading.is_running):
            self._loading = self.run_worker(self._load, group="load")

    async def _load(self) -> None:
        try:
            await self.load()
        except RunqyTuiError as error:
            self.say(f"Cannot be read now: {error}", "$error")
        except NoMatches:
            # An answer that arrives while the window is taken down has nowhere to go.
            if all(self.query(f"#{key}") for key, _ in self.TABS):
                raise
            return
        self._show_tabs()

    def say(self, sentence: str, style: str = "bold") -> None:
        """Write the first line; the same sentence again repaints nothing."""
        if (sentence, style) != self._said:
            self._said = (sentence, style)
            self._sentence.update(safe_text.content(sentence, style))

    def _show_tabs(self) -> None:
        labels = self.tab_labels()
        self._tabline.show(
            [Tab(key, labels.get(key, name), name) for key, name in self.TABS], self._front
        )

    # Tabs

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front."""
        self._front = key
        for other, _ in self.TABS:
            self.query_one(f"#{other}").display = other == key
        self.query_one(f"#{key}").focus()
        self._show_tabs()
        self.refresh_bindings()

    def action_tab(self, step: int) -> None:
        """Show the next tab."""
        keys = [key for key, _ in self.TABS]
        self.show_tab(keys[(keys.index(self._front) + step) % len(keys)])

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        if self._there:
            self.show_tab(event.key)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what this tab or this modal cannot do."""
        del parameters
        if not self._there and action != "close":
            return False  # a key typed ahead comes before the widgets, or after they have gone
        if action == "step" and self._step is None:
            return False
        if action in ("search", "search_next"):
            return True if isinstance(self.front_widget, TextView) else None
        if action == "write":
            return True if self.file_content(self._front) is not None else None
        return True

    @property
    def front_widget(self) -> Widget:
        """Widget of the tab in front."""
        return self.query_one(f"#{self._front}")

    def action_close(self) -> None:
        """Close the search line, or the modal."""
        if self._search.display:
            self._search.display = False
            self.front_widget.focus()
        else:
            # What is read for a modal that is being taken down would find no widget to show it.
            self._there = False
            if self._loading is not None:
                self._loading.cancel()
            self.dismiss()

    def action_step(self, delta: int) -> None:
        """Turn to the next object of the list behind."""
        key = self._step(delta) if self._step is not None else None
        if key is None:
            return
        if self._loading is not None:
            self._loading.cancel()
        self.retarget(key)
        self.query_one("#frame").border_title = safe_text.content(self.object_name)
        self._loading = self.run_worker(self._load, group="load")

    def action_copy(self) -> None:
        """Copy the object's id or name."""
        from runqy_tui.tui.copy_out import copy

        copy(self.app, self.object_name)

    async def whole_content(self, tab: str) -> tuple[str, bytes] | None:
        """The same as :meth:`file_content`, read anew in full where only a part was read."""
        return self.file_content(tab)

    def action_write(self) -> None:
        """Write the tab in front to a new file in the current directory."""
        self._write(self._front)

    @work(group="write", exclusive=True)
    async def _write(self, tab: str) -> None:
        from runqy_tui.tui.copy_out import save

        try:
            content = await self.whole_content(tab)
        except RunqyTuiError as error:
            self.app.notify(f"Not written: {error}", severity="error", markup=False)
            return
        if content is not None:
            save(self.app, f"runqy-{self.object_name}-{tab}", *content)

    def action_search(self) -> None:
        """Open the search line."""
        self._search.display = True
        self._search.focus()

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        view = self.front_widget if self._there else None
        if isinstance(view, TextView):
            self._search.display = False
            view.focus()
            self._report(view.search(event.value), event.value)

    def action_search_next(self, step: int) -> None:
        """Go to the next or previous match."""
        view = self.front_widget
        if isinstance(view, TextView):
            if step > 0:
                view.search_next()
            else:
                view.search_prev()

    def _report(self, found: Any, needle: str) -> None:
        if needle and not found:
            self.app.notify(f"No match for {safe_text.line(needle)!r}.", markup=False, timeout=3)
