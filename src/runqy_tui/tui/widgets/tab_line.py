"""Tabs in one line: labels, one of them in front; keys belong to whoever uses it."""

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
    """A tab; ``short`` is its label where there is little room."""

    key: str
    label: str
    short: str
    quiet: bool = False


class TabLine(Widget):
    """Shows tabs and reports the one that is clicked. It repaints only when something differs."""

    DEFAULT_CSS = """
    TabLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Chosen(Message):
        """The user clicked on a tab."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, tabs: Sequence[Tab] = (), front: str = "") -> None:
        super().__init__()
        self._tabs = tuple(tabs)
        self._front = front
        self._spans: list[tuple[int, int, str]] = []
        self._line = Content("")

    def show(self, tabs: Sequence[Tab], front: str) -> None:
        """Show these tabs."""
        if (tuple(tabs), front) != (self._tabs, self._front):
            self._tabs, self._front = tuple(tabs), front
            self._build()

    def on_resize(self) -> None:
        """Choose between long and short labels anew."""
        self._build()

    def render(self) -> RenderResult:
        """Draw the line."""
        return self._line

    def _build(self) -> None:
        room = self.size.width
        long = sum(len(tab.label) + 3 for tab in self._tabs) <= room
        parts: list[Content] = []
        self._spans = []
        at = 0
        for tab in self._tabs:
            if parts:
                parts.append(Content.styled("│", "$border"))
                at += 1
            piece = f" {tab.label if long else tab.short} "
            style = "bold reverse" if tab.key == self._front else "$muted" if tab.quiet else ""
            parts.append(Content.styled(piece, style))
            self._spans.append((at, at + len(piece), tab.key))
            at += len(piece)
        self._line = Content("").join(parts)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Report the tab under the pointer."""
        for start, end, key in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(key))


class StateTabs(TabLine):
    """Live counts per state."""

    def show_counts(self, counts: Counts | None, front: TaskState) -> None:
        """Show these counts."""
        states = [s for s in TaskState if s is front or _worth_showing(s, counts)]
        self.show([_tab(state, counts) for state in states], front.value)


def _worth_showing(state: TaskState, counts: Counts | None) -> bool:
    """Aggregating is asynq's alone: it has a tab only where something aggregates."""
    return state is not TaskState.AGGREGATING or bool(counts and counts.aggregating)


def _tab(state: TaskState, counts: Counts | None) -> Tab:
    amount = "" if counts is None else count(counts.of(state))
    return Tab(
        key=state.value,
        label=f"{state.value} {amount}".rstrip(),
        short=f"{state.value[:5]} {amount}".rstrip(),
        quiet=amount in ("", ZERO),
    )
