"""The garbage collector rests while everything is loaded, and works afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from runqy_tui.runtime.gc_control import loaded, loading


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_it_rests_until_all_is_loaded() -> None:
    with loading():
        assert not gc.isenabled()
        loaded()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0


def test_it_works_again_after_a_command_that_loads_nothing_more() -> None:
    with pytest.raises(ValueError, match="wrong"), loading():
        raise ValueError("wrong")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_to_load_twice_freezes_once() -> None:
    with loading():
        loaded()
        kept = gc.get_freeze_count()
        later: list[list[object]] = [[] for _ in range(1_000)]
        loaded()
        # What is kept may go by itself; what came later is not kept.
        assert gc.get_freeze_count() < kept + len(later)
