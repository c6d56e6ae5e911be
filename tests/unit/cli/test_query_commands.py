"""Names that are written twice, to keep the command line's start light, are the same."""

from __future__ import annotations

from runqy_tui.cli.query_commands import MOST, PARTS, STATES
from runqy_tui.model import TaskState
from runqy_tui.model.search_query import MOST_HITS, SearchField


def test_what_can_be_searched() -> None:
    assert tuple(state.value for state in TaskState) == STATES
    assert tuple(part.value for part in SearchField) == PARTS
    assert MOST_HITS == MOST
