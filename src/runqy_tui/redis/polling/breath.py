"""Long work in small parts: others get their turn in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from time import perf_counter
from typing import TypeVar

_T = TypeVar("_T")
_PART = 16
TURN_S = 0.0015
"""After so long somebody else gets a turn: a screen waits for its keys meanwhile."""


async def in_parts(things: Iterable[_T]) -> AsyncIterator[list[_T]]:
    """The things in short lists, with a turn for everyone else where they take long."""
    left = iter(things)
    part = list(islice(left, _PART))
    began = perf_counter()
    while part:
        yield part
        part = list(islice(left, _PART))
        if part and perf_counter() - began > TURN_S:
            await asyncio.sleep(0)
            began = perf_counter()
    await asyncio.sleep(0)
