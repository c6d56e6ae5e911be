"""Cooperative scheduling: long work yields to the event loop every 1.5 ms.

The screen answers keys in the same thread that parses polls and computes findings. Long work is
an ``async def`` that goes through its items in :func:`batches` and awaits :func:`yield_to_loop`
between them. :func:`run_to_end` runs such work where no event loop is running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Any, TypeVar

_T = TypeVar("_T")
_BATCH_SIZE = 16
MAX_SLICE_S = 0.0015
"""Longest time in seconds that work runs before it yields to the event loop."""


class _LastYield:
    """When the event loop last ran something else, as far as is known; there is one loop."""

    at = 0.0


def mark_yielded() -> None:
    """Record that the event loop ran something else just now: the caller waited for I/O."""
    _LastYield.at = perf_counter()


async def yield_to_loop() -> None:
    """Let the event loop run other tasks if :data:`MAX_SLICE_S` has passed since it last did.

    Measured from the last yield of any work, not from the start of the caller's: a turn of the
    loop costs as much as half a dozen queues, and most work on a small fleet is shorter than that.
    """
    if perf_counter() - _LastYield.at > MAX_SLICE_S:
        await asyncio.sleep(0)
        _LastYield.at = perf_counter()


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Split the items into lists of 16: reading the clock before every single one costs more."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH_SIZE)):
        yield batch


def run_to_end(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that awaits nothing but :func:`yield_to_loop`, and return its result.

    Raises whatever the coroutine raises, and RuntimeError if it waits for anything else.
    """
    try:
        while work.send(None) is None:
            pass
    except StopIteration as end:
        result: _T = end.value
        return result
    work.close()
    raise RuntimeError(f"{work} waits for something that only an event loop can provide")
