"""For how long a queue has been growing."""

from __future__ import annotations

from collections.abc import Sequence

from runqy_tui.observation.history import History
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.polls import KEY, poll


def grown(pending: Sequence[int | None], step: float = 2.0) -> float | None:
    history = History()
    for index, value in enumerate(pending):
        run_to_end(history.observe(poll(index * step, pending=value)))
    return history.trend(KEY).growing_for_s


def test_growth_lasts_from_the_poll_before_the_first_rise() -> None:
    assert grown([0, 0, 1]) == 2
    assert grown([5, 5, 6]) == 2
    assert grown([5, 5, *range(6, 200)]) == 2 * 194


def test_a_still_queue_does_not_grow() -> None:
    assert grown([5] * 400) is None
    assert grown([0] * 10) is None


def test_waves_within_a_minute_are_no_end_of_growth() -> None:
    waves = [100 + index + (-3 if index % 2 else 3) for index in range(300)]
    assert (grown(waves) or 0) > 580


def test_a_real_fall_ends_it() -> None:
    assert grown([*range(100, 300), 150]) is None or grown([*range(100, 300), 150]) == 0
    assert grown([*range(100, 300), 150, 151, 152]) == 4


def test_standing_still_for_long_ends_it() -> None:
    assert grown([*range(1, 100), *[99] * 100]) == 2 * 98
    assert grown([*range(1, 100), *[99] * 160]) is None


def test_an_unreadable_poll_starts_anew() -> None:
    assert grown([*range(1, 100), None, 120, 121]) == 2


def test_growth_is_not_longer_than_the_history() -> None:
    history = History(span_s=600)
    for index in range(1_000):
        run_to_end(history.observe(poll(index * 2, pending=index + 1)))
    assert history.trend(KEY).growing_for_s == 600
