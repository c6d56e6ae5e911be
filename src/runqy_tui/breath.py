"""Long work in small parts: others get their turn in between.

A screen waits for its keys in the same thread. Work is either asynchronous and goes through its
things with :func:`in_parts`, or it is a generator that may be left at each of its ``yield``
(:data:`Steps`) and is run by :func:`in_turns`, or by :func:`at_once` where nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")
_PART = 16
TURN_S = 0.0015
"""After so long somebody else gets a turn: a screen waits for its keys meanwhile."""

Steps: TypeAlias = Generator[None, None, _T]
"""Work that may be left for a while at each ``yield``; what it returns is its outcome."""


async def in_parts(things: Iterable[_T]) -> AsyncIterator[list[_T]]:
    """The things in short lists, with a turn for everyone else where they take long."""
    began = perf_counter()
    for part in parts(things):
        if perf_counter() - began > TURN_S:
            await asyncio.sleep(0)
            began = perf_counter()
        yield part
    await asyncio.sleep(0)


def parts(things: Iterable[_T]) -> Iterator[list[_T]]:
    """The things in short lists, for work in steps: a ``yield`` after each would cost more."""
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
