"""Garbage is looked for when nobody types, and Python's own way is back afterwards."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from runqy_tui.tui.garbage import EVERY_S, FIRST_S, LATEST_S, QUIET_S, Sweeper, sweeping


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sweeper(clock: Clock) -> Iterator[Sweeper]:
    """A sweeper that is the only one to look for garbage."""
    gc.disable()
    yield Sweeper(clock)
    gc.unfreeze()
    gc.enable()


def garbage() -> weakref.ref[Cycle]:
    return weakref.ref(Cycle())


def test_it_waits_until_the_first_fleet_is_there(clock: Clock, sweeper: Sweeper) -> None:
    left = garbage()
    sweeper.tick()
    assert left() is not None
    clock.now += FIRST_S
    sweeper.tick()
    assert left() is None
    assert gc.get_freeze_count() > 0, "what is there now is here to stay"


def test_later_it_comes_now_and_then(clock: Clock, sweeper: Sweeper) -> None:
    clock.now += FIRST_S
    sweeper.tick()
    kept, left = gc.get_freeze_count(), garbage()
    clock.now += EVERY_S - 1
    sweeper.tick()
    assert left() is not None
    clock.now += 1
    sweeper.tick()
    assert left() is None
    assert gc.get_freeze_count() <= kept


def test_it_does_not_disturb_who_types(clock: Clock, sweeper: Sweeper) -> None:
    left = garbage()
    clock.now += FIRST_S
    sweeper.typed()
    clock.now += QUIET_S / 2
    sweeper.tick()
    assert left() is not None
    clock.now += QUIET_S
    sweeper.tick()
    assert left() is None


def test_who_never_rests_does_not_put_it_off_for_ever(clock: Clock, sweeper: Sweeper) -> None:
    left = garbage()
    clock.now += FIRST_S + LATEST_S - 1
    sweeper.typed()
    sweeper.tick()
    assert left() is not None
    clock.now += 1
    sweeper.typed()
    sweeper.tick()
    assert left() is None


def test_what_is_usual_is_back_at_the_end() -> None:
    usual = gc.get_threshold()
    with sweeping():
        assert gc.get_threshold()[2] > usual[2]
    assert gc.get_threshold() == usual
