"""Tabs in one line, one of them active; the keys that switch them belong to the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runqy_tui.model import Counts, TaskState
from runqy_tui.text.humanize import ZERO, count


class Tab(NamedTuple):
    """A tab; ``short`` is its label where not all labels fit, ``muted`` ones are empty."""

    key: str
    label: str
    short: str
    muted: bool = False


class TabLine(Widget):
    """Shows tabs, and posts the one that is clicked; repainted only when something differs."""

    DEFAULT_CSS = """
    TabLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Chosen(Message):
        """The user clicked on a tab."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, tabs: Sequence[Tab] = (), active: str = "") -> None:
        super().__init__()
        self._tabs = tuple(tabs)
        self._active = active
        self._spans: list[tuple[int, int, str]] = []
        self._line = Content("")

    def show(self, tabs: Sequence[Tab], active: str) -> None:
        """Show these tabs."""
        if (tuple(tabs), active) != (self._tabs, self._active):
            self._tabs, self._active = tuple(tabs), active
            self._build()

    def on_resize(self) -> None:
        """Choose between long and short labels."""
        self._build()

    def render(self) -> RenderResult:
        """Draw the line."""
        return self._line

    def _build(self) -> None:
        cells = self.size.width
        long = sum(len(tab.label) + 3 for tab in self._tabs) <= cells
        parts: list[Content] = []
        self._spans = []
        x = 0
        for tab in self._tabs:
            if parts:
                parts.append(Content.styled("│", "$border"))
                x += 1
            text = f" {tab.label if long else tab.short} "
            style = "bold reverse" if tab.key == self._active else "$muted" if tab.muted else ""
            parts.append(Content.styled(text, style))
            self._spans.append((x, x + len(text), tab.key))
            x += len(text)
        self._line = Content("").join(parts)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Post the tab under the pointer."""
        for start, end, key in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(key))


class StateTabs(TabLine):
    """Tabs of the task states with their live counts."""

    def show_counts(self, counts: Counts | None, active: TaskState) -> None:
        """Show these counts."""
        states = [s for s in TaskState if s is active or _worth_showing(s, counts)]
        self.show([_tab(state, counts) for state in states], active.value)


def _worth_showing(state: TaskState, counts: Counts | None) -> bool:
    """Only asynq has aggregating tasks: their tab is shown only if there are some."""
    return state is not TaskState.AGGREGATING or bool(counts and counts.aggregating)


def _tab(state: TaskState, counts: Counts | None) -> Tab:
    amount = "" if counts is None else count(counts.of(state))
    return Tab(
        key=state.value,
        label=f"{state.value} {amount}".rstrip(),
        short=f"{state.value[:5]} {amount}".rstrip(),
        muted=amount in ("", ZERO),
    )
