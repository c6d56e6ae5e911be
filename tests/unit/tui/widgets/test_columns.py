"""Columns are hidden by importance, and the full width is used."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.tui.widgets.columns import GAP, ColumnLayout, fit_columns

SIGN = ColumnLayout("sign", "", 1)
NAME = ColumnLayout("name", "QUEUE", 16, grow=2)
PENDING = ColumnLayout("pending", "PEND", 6, align="right")
RETRY = ColumnLayout("retry", "RETRY", 5, importance=2, align="right")
RATE = ColumnLayout("rate", "DONE/s", 6, importance=3, align="right")
TREND = ColumnLayout("trend", "TREND", 8, importance=3, grow=1)
ALL = (SIGN, NAME, PENDING, RETRY, RATE, TREND)


def shown(width: int) -> dict[str, int]:
    return {column.key: cells for column, cells in fit_columns(ALL, width)}


def test_what_is_left_over_goes_to_the_growing_columns_by_share() -> None:
    assert shown(47) == {"sign": 1, "name": 16, "pending": 6, "retry": 5, "rate": 6, "trend": 8}
    assert shown(57) == {"sign": 1, "name": 22, "pending": 6, "retry": 5, "rate": 6, "trend": 12}


def test_the_least_important_go_first_and_of_equals_the_rightmost() -> None:
    assert list(shown(46)) == ["sign", "name", "pending", "retry", "rate"]
    assert list(shown(37)) == ["sign", "name", "pending", "retry"]
    assert list(shown(30)) == ["sign", "name", "pending"]
    assert shown(30)["name"] == 21


def test_indispensable_columns_narrow_before_they_go() -> None:
    assert shown(20) == {"sign": 1, "name": 11, "pending": 6}
    assert shown(10) == {"sign": 1, "name": 3, "pending": 4}
    assert shown(5) == {"sign": 1, "name": 1, "pending": 1}
    assert shown(4) == {"sign": 1, "name": 2}
    assert shown(1) == {"sign": 1}
    assert shown(0) == {}
    assert shown(-3) == {}
    assert fit_columns((), 10) == []


COLUMNS = st.lists(
    st.builds(
        ColumnLayout,
        st.text(max_size=3),
        st.just(""),
        st.integers(0, 30),
        st.integers(0, 4),
        st.just("left"),
        st.integers(0, 3),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(COLUMNS, st.integers(-2, 120))
def test_the_columns_always_fit_in_order(columns: list[ColumnLayout], width: int) -> None:
    slots = fit_columns(columns, width)
    assert sum(cells for _, cells in slots) + GAP * max(0, len(slots) - 1) <= max(0, width)
    assert all(cells > 0 for _, cells in slots)
    remaining = iter(columns)
    assert all(any(column is other for other in remaining) for column, _ in slots)
    if any(column.grow for column, _ in slots):
        assert sum(cells for _, cells in slots) + GAP * (len(slots) - 1) == width


@settings(deadline=None)
@given(COLUMNS, st.integers(0, 120))
def test_more_width_never_hides_a_column(columns: list[ColumnLayout], width: int) -> None:
    assert len(fit_columns(columns, width)) <= len(fit_columns(columns, width + 1))
