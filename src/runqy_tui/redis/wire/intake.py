"""The replies of a large batch, taken up while the rest of them is still on its way.

The server answers a poll of a large fleet for as long as it takes to make sense of the answers:
both at the same time take half as long. What was taken up can be let go of, too, so that Python
has fewer things to look through for garbage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from math import inf
from typing import Generic, TypeAlias, TypeVar

from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.runtime.cooperative import breathe

_T = TypeVar("_T")

Taking: TypeAlias = Generator[int, None, _T]
"""Work on replies in steps: each ``yield`` says how many it needs for the next one at the least.

Others may have a turn meanwhile.
"""

ALL = sys.maxsize
"""A step that needs every reply, however many there are."""


class Intake(Generic[_T]):
    """Work on replies that goes as far as there are any: ``replies`` grows, from its beginning."""

    def __init__(self, taking: Callable[[list[Reply]], Taking[_T]]) -> None:
        self.replies: list[Reply] = []
        self._taking = taking(self.replies)
        self._needs = 0.0
        self._outcome: list[_T] = []
        self._fault: RunqyTuiError | None = None

    async def take(self) -> None:
        """Go on with the work as far as the replies reach."""
        while self._needs <= len(self.replies):
            await breathe()
            self._step()

    async def finish(self) -> _T:
        """Do the rest, once all replies are there; raises what the work raised."""
        while self._needs < inf:
            await breathe()
            self._step()
        if self._fault is not None:
            raise self._fault
        return self._outcome[0]

    def _step(self) -> None:
        try:
            self._needs = next(self._taking)
        except StopIteration as end:
            self._outcome, self._needs = [end.value], inf
        except RunqyTuiError as fault:
            # Said once all replies are in: a connection with unread ones is of no more use.
            self._fault, self._needs = fault, inf
