"""A cursor in lists that move: what stays where it is gets looked at, and it always ends."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.redis.search.list_cursor import ANCHORS, OVERLAP, ListCursor

WINDOW = 256


def lrange(items: list[bytes], first: int, final: int) -> list[bytes]:
    """What Redis gives for negative indexes; ``items`` have the head first."""
    start = max(0, len(items) + first)
    return items[start : len(items) + final + 1] if len(items) + final >= 0 else []


def step(cursor: ListCursor, items: list[bytes], amount: int = WINDOW) -> list[bytes]:
    """One step: the entries that it looked at."""
    first, final = cursor.window(amount)
    window = items[first : final + 1] if cursor.scored else lrange(items, first, final)
    start = cursor.start_in(window)
    fresh = [] if start is None else window[start:]
    cursor.advance(len(items), start, len(fresh), fresh[-ANCHORS:])
    return fresh


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("length", [0, 1, WINDOW, WINDOW + 1, 3_333])
def test_a_list_that_stands_still_is_read_once_from_its_top(length: int, scored: bool) -> None:
    items = [b"%d" % number for number in range(length)]
    cursor = ListCursor(length, scored=scored)
    seen: list[bytes] = []
    while cursor.left:
        seen += step(cursor, items)
    assert seen == items


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), churn=st.integers(0, 40), scored=st.booleans())
def test_what_stays_is_looked_at_whatever_moves(seed: int, churn: int, scored: bool) -> None:
    """Between two steps come pushes and pops at both ends, and removals anywhere."""
    rng = Random(seed)
    items = [b"stays-%d" % n if n % 3 else b"goes-%d" % n for n in range(1_500)]
    stays = {item for item in items if item.startswith(b"stays")}
    cursor = ListCursor(len(items), scored=scored)
    seen: set[bytes] = set()
    steps = 0
    while cursor.left:
        seen.update(step(cursor, items))
        steps += 1
        assert steps < 400, "it ends"
        for _ in range(churn):
            _change(rng, items, steps)
    assert not cursor.uncertain
    assert stays <= seen


def _change(rng: Random, items: list[bytes], steps: int) -> None:
    new = b"new-%d-%d" % (steps, rng.randrange(10**9))
    going = [at for at, item in enumerate(items) if item.startswith((b"goes", b"new"))]
    kind = rng.randrange(4)
    if kind == 0:
        items.insert(0, new)
    elif kind == 1:
        items.append(new)
    elif going:
        del items[going[-1] if kind == 2 else rng.choice(going)]


@pytest.mark.parametrize("scored", [False, True])
def test_it_ends_where_everything_is_replaced_all_the_time(scored: bool) -> None:
    cursor = ListCursor(5_000, scored=scored)
    for turn in range(200):
        if not cursor.left:
            break
        step(cursor, [b"%d-%d" % (turn, number) for number in range(5_000)])
    assert not cursor.left
    assert cursor.uncertain


@pytest.mark.parametrize("scored", [False, True])
def test_it_ends_where_the_list_is_emptied(scored: bool) -> None:
    items = [b"%d" % number for number in range(5_000)]
    cursor = ListCursor(5_000, scored=scored)
    step(cursor, items)
    for _ in range(5):
        if cursor.left:
            step(cursor, [])
    assert not cursor.left
    assert OVERLAP > ANCHORS
