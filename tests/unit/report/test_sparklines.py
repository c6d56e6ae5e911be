"""Samples in a few columns: means, rates of counters, and gaps that stay gaps."""

from __future__ import annotations

import pytest

from runqy_tui.model import QueueKey
from runqy_tui.observation.history import Point
from runqy_tui.report.sparklines import COLUMNS, Series, build_series, sparkline

KEY = QueueKey("a.b")


def points(*values: float | None, step: float = 2.0) -> list[Point]:
    return [Point(1_000 + n * step, value) for n, value in enumerate(values)]


def drawn(series: Series | None) -> tuple[float | None, ...]:
    assert series is not None
    return series.values


def test_bars_begin_at_zero() -> None:
    assert sparkline([0, 1, 7, None, 3.5]) == "▁▂█·▅"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([5, 5]) == "██"
    assert sparkline([None]) == "·"
    assert sparkline([]) == ""


def test_few_samples_have_a_column_each() -> None:
    assert drawn(build_series(KEY, "pending", points(1, 2, 3))) == (1, 2, 3)
    assert drawn(build_series(KEY, "pending", points(4))) == (4,)


def test_many_samples_share_columns() -> None:
    series = build_series(KEY, "pending", points(*[1, 3] * 300))
    assert series is not None
    assert series.values == (2.0,) * COLUMNS
    assert series.step_s == pytest.approx(1198 / COLUMNS)


@pytest.mark.parametrize("nothing", [[], [Point(1, None)], points(None, None)])
def test_nothing_known_is_no_series(nothing: list[Point]) -> None:
    assert build_series(KEY, "pending", nothing) is None
    assert build_series(KEY, "done", points(7)) is None


def test_counters_become_rates_and_one_that_fell_counts_from_zero() -> None:
    assert drawn(build_series(KEY, "done", points(10, 14, 14, 2, 4))) == (2, 0, 1, 1)


def test_no_rate_is_made_across_a_gap() -> None:
    assert drawn(build_series(KEY, "failed", points(1, 3, None, 900, 902))) == (1, None, None, 1)


def test_a_gap_is_a_gap_for_as_long_as_it_lasted() -> None:
    before, after = points(*[5] * 40), [Point(1_000 + 240 + n * 2, 5) for n in range(40)]
    gap = Point((before[-1].at + after[0].at) / 2, None)
    values = drawn(build_series(KEY, "pending", [*before, gap, *after]))
    line = sparkline(values)
    assert line.strip("█").count("·") == len(line.strip("█"))
    assert 28 <= line.count("·") <= 32  # 162 of 318 seconds in 60 columns


def test_thinned_samples_are_no_gaps() -> None:
    old = [Point(n * 30, 4) for n in range(20)]
    new = [Point(600 + n * 2, 8) for n in range(30)]
    assert None not in drawn(build_series(KEY, "pending", [*old, *new]))
