"""Long work in small parts: others get their turn in between.

A screen waits for its keys in the same thread. Work is either asynchronous, goes through its
things in :func:`parts` and calls :func:`breathe` before each, or it is a generator that may be
left at each of its ``yield`` (:data:`Steps`) and is run by :func:`in_turns`, or by
:func:`at_once` where nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")
_PART = 16
TURN_S = 0.0015
"""After so long somebody else gets a turn: a screen waits for its keys meanwhile."""

Steps: TypeAlias = Generator[None, None, _T]
"""Work that may be left for a while at each ``yield``; what it returns is its outcome."""


class _Last:
    """When everybody had a turn last, as far as is known; there is one loop."""

    turn_at = 0.0


def rested() -> None:
    """Say that others had their turn just now: this work has waited for something."""
    _Last.turn_at = perf_counter()


async def breathe() -> None:
    """Give everyone else a turn where the last one was long ago.

    Counted from the last turn and not from the start of some work: a turn costs as much as half a
    dozen queues, and most of the work of a small fleet takes less than the time between two.
    """
    if perf_counter() - _Last.turn_at > TURN_S:
        await asyncio.sleep(0)
        _Last.turn_at = perf_counter()


def parts(things: Iterable[_T]) -> Iterator[list[_T]]:
    """The things in short lists: to look at the clock before each of them would cost more."""
    left = iter(things)
    while part := list(islice(left, _PART)):
        yield part


async def in_turns(steps: Steps[_T]) -> _T:
    """Do work in steps, with a turn for everyone else where it takes long."""
    outcome: list[_T] = []
    began = perf_counter()
    for _ in _into(outcome, steps):
        if perf_counter() - began > TURN_S:
            await asyncio.sleep(0)
            began = perf_counter()
    return outcome[0]


def at_once(steps: Steps[_T]) -> _T:
    """Do work in steps to its end."""
    outcome: list[_T] = []
    for _ in _into(outcome, steps):
        pass
    return outcome[0]


def _into(outcome: list[_T], steps: Steps[_T]) -> Iterator[None]:
    outcome.append((yield from steps))
