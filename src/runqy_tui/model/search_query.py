"""What a search looks for, and what it gives step by step."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from runqy_tui.model.names import QueueKey, TaskState
from runqy_tui.model.tasks import TaskRow
from runqy_tui.text.humanize import amount

MOST_HITS = 10_000
"""Hits after which a search stops, unless asked otherwise."""


class SearchField(StrEnum):
    """Where in a task to look. An id is compared from its start, all else anywhere in the text.

    ``ANY`` looks at all of them, and there at an id too from any place on.
    """

    ANY = "any"
    PAYLOAD = "payload"
    ERROR = "error"
    TYPE = "type"
    RESULT = "result"
    HEADERS = "headers"
    ID = "id"


class SearchQuery(NamedTuple):
    """What to look for, as bytes of UTF-8. No ``queues`` means all, no ``states`` means all.

    ``ignore_case`` is of ASCII letters alone. The search stops after ``most`` hits.
    """

    text: str
    part: SearchField = SearchField.ANY
    queues: tuple[QueueKey, ...] = ()
    states: tuple[TaskState, ...] = ()
    ignore_case: bool = False
    most: int = MOST_HITS


class SearchHit(NamedTuple):
    """A task in which the text was found, as a row of its list.

    ``place`` names the field, ``excerpt`` is what stands around the text there: untrusted.
    """

    queue: QueueKey
    row: TaskRow
    place: str
    excerpt: str

    @property
    def key(self) -> tuple[str, QueueKey]:
        """What tells the task from all others."""
        return self.row.id, self.queue


class SearchProgress(NamedTuple):
    """How far a search is.

    ``total`` is the length of all lists at its start, ``looked`` how many of these tasks were
    looked at. ``partly``: tasks without a hit of which some value was too large to be searched
    whole. ``full``: it stopped at the most hits wanted. ``notes``: what could not be searched.
    """

    looked: int = 0
    total: int = 0
    found: int = 0
    partly: int = 0
    elapsed_s: float = 0.0
    done: bool = False
    full: bool = False
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return 1.0 if self.done and not self.full else min(1.0, self.looked / max(1, self.total))

    @property
    def rate(self) -> float | None:
        """Tasks per second; ``None`` before there is anything to tell it by."""
        return self.looked / self.elapsed_s if self.looked and self.elapsed_s > 0.05 else None

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left at this rate."""
        return None if self.rate is None else max(0, self.total - self.looked) / self.rate


class SearchStep(NamedTuple):
    """What a search has found since the step before, and how far it is."""

    hits: tuple[SearchHit, ...]
    progress: SearchProgress


def smart_case(text: str) -> bool:
    """Whether to ignore case: as long as nobody has typed a capital."""
    return not any("A" <= sign <= "Z" for sign in text)


def summary(progress: SearchProgress, *, stopped: bool = False) -> str:
    """The outcome in one line: ``12 hits in 1,000,000 tasks, 3.1 s; 2 tasks only …``."""
    looked = amount(progress.looked, "task")
    if progress.full or stopped:
        looked = f"{progress.looked:,} of {amount(progress.total, 'task')}"
    words = [f"{amount(progress.found, 'hit')} in {looked}, {progress.elapsed_s:.1f} s"]
    if progress.full:
        words.append("stopped there: look for more of it, or in fewer places")
    elif stopped:
        words.append("stopped by you")
    if progress.partly:
        words.append(f"{amount(progress.partly, 'task')} only looked at in part")
    return "; ".join([*words, *progress.notes])
