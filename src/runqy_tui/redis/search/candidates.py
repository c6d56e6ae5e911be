"""What one step brings of one list, whichever way it was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from runqy_tui.redis.search.matcher import MatchValue
from runqy_tui.redis.tasks.row_reading import RowEntry

VALUE_LIMIT = 64 * 1024
"""Bytes of a value that are searched. Of a hash field Redis gives no part without a copy of it."""

HEAD_LIMIT = 512 * 1024
"""Largest value of which the beginning is searched; a larger one is left alone."""


class Candidate(NamedTuple):
    """A task in whose raw bytes the text stands, or whose id has it."""

    entry: RowEntry
    values: Mapping[bytes, MatchValue]

    @property
    def cut(self) -> bool:
        """Whether some value of it was not read to the end."""
        return any(len(value.data) < value.size for value in self.values.values())


class CandidateChunk(NamedTuple):
    """One step in one list.

    ``start`` is where in the window it began, ``None`` where the place was lost; ``last`` are the
    ids that it looked at last. ``cost_us`` is the time it took the server, about. ``whole``:
    nothing but the window's end stopped it.
    """

    length: int
    start: int | None
    looked: int
    partly: int
    cost_us: int
    whole: bool
    candidates: tuple[Candidate, ...]
    last: tuple[bytes, ...]
