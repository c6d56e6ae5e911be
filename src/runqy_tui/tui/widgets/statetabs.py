"""The states of a queue in one line, each with its count; one of them is shown below."""

from __future__ import annotations

from runqy_tui.model import Counts, TaskState
from runqy_tui.text.humanize import ZERO, count
from runqy_tui.tui.widgets.tabline import Tab, TabLine


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
