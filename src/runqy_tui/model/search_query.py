"""Search queries, and the results that a search yields step by step."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from runqy_tui.model.names import QueueKey, TaskState
from runqy_tui.model.tasks import TaskRow
from runqy_tui.text.humanize import amount

MOST_HITS = 10_000
"""Hits after which a search stops, unless asked otherwise."""


class SearchField(StrEnum):
    """Which part of a task to search. An id must begin with the text, other parts contain it.

    ``ANY`` searches all parts, and matches an id that contains the text.
    """

    ANY = "any"
    PAYLOAD = "payload"
    ERROR = "error"
    TYPE = "type"
    RESULT = "result"
    HEADERS = "headers"
    ID = "id"


class SearchQuery(NamedTuple):
    """The text to search for. Empty ``queues`` or ``states`` mean all of them.

    ``ignore_case`` applies to ASCII letters only. The search stops after ``most`` hits.
    """

    text: str
    part: SearchField = SearchField.ANY
    queues: tuple[QueueKey, ...] = ()
    states: tuple[TaskState, ...] = ()
    ignore_case: bool = False
    most: int = MOST_HITS


class SearchHit(NamedTuple):
    """A task that contains the text, as a row of its list.

    ``place`` names the field, ``excerpt`` is the text with its surroundings there: untrusted.
    """

    queue: QueueKey
    row: TaskRow
    place: str
    excerpt: str

    @property
    def key(self) -> tuple[str, QueueKey]:
        """Identifies the task among all queues."""
        return self.row.id, self.queue


class SearchProgress(NamedTuple):
    """The progress of a search.

    ``total`` is the length of all lists at its start, ``searched`` how many of these tasks
    were searched. ``partly``: tasks without a hit that have a value too large to be searched whole.
    ``full``: it stopped at the limit of hits. ``notes``: what could not be searched.
    """

    searched: int = 0
    total: int = 0
    found: int = 0
    partly: int = 0
    elapsed_s: float = 0.0
    done: bool = False
    full: bool = False
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The fraction that is done, 0 to 1."""
        return 1.0 if self.done and not self.full else min(1.0, self.searched / max(1, self.total))

    @property
    def rate(self) -> float | None:
        """Tasks per second; ``None`` while there is too little to measure."""
        return self.searched / self.elapsed_s if self.searched and self.elapsed_s > 0.05 else None

    @property
    def eta_s(self) -> float | None:
        """Remaining seconds at this rate; ``None`` while the rate is unknown."""
        return None if self.rate is None else max(0, self.total - self.searched) / self.rate


class SearchStep(NamedTuple):
    """The hits since the previous step, and the progress of the search."""

    hits: tuple[SearchHit, ...]
    progress: SearchProgress


def smart_case(text: str) -> bool:
    """Whether to ignore case: true unless the text has an ASCII capital."""
    return not any("A" <= sign <= "Z" for sign in text)


def summary(progress: SearchProgress, *, stopped: bool = False) -> str:
    """Format the outcome in one line: ``12 hits in 1,000,000 tasks, 3.1 s; 2 large tasks …``."""
    searched = amount(progress.searched, "task")
    if progress.full or stopped:
        searched = f"{progress.searched:,} of {amount(progress.total, 'task')}"
    words = [f"{amount(progress.found, 'hit')} in {searched}, {progress.elapsed_s:.1f} s"]
    if progress.full:
        words.append("stopped at the limit; narrow the search or raise the limit")
    elif stopped:
        words.append("stopped by you")
    if progress.partly:
        words.append(f"{amount(progress.partly, 'large task')} searched in part")
    return "; ".join([*words, *progress.notes])
