"""Numbers and times as people read them, and none that stops the screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runqy_tui.text.humanize import UNKNOWN, age, clock, count, moment, percent, size, span

NUMBERS = st.one_of(st.floats(), st.integers(), st.just(10**400), st.just(-(10**400)))
SHOWN: dict[str, Callable[[float], str]] = {
    "age": age,
    "span": span,
    "size": size,
    "percent": percent,
    "clock": clock,
    "moment": moment,
}


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time one hour ahead of UTC, without a time zone database."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@settings(deadline=None)
@given(NUMBERS)
@example(math.nan)
@example(math.inf)
@example(-math.inf)
@example(1e300)
@example(-1e18)
def test_no_number_stops_the_screen_or_fills_it(value: float) -> None:
    for name, show in SHOWN.items():
        text = show(value)
        assert text.isprintable(), name
        assert 0 < len(text) <= 50, name
    assert clock(0, value)


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_unknown_is_a_dash(show: Callable[[float | None], str], value: float | None) -> None:
    assert show(value) == UNKNOWN


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "·"), (7, "7"), (1234567, "1,234,567"), (-2, "-2")]
)
def test_count(value: int | None, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-90, "0s"),
        (0, "0s"),
        (0.999, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (40 * 86_400, "40d"),
        (1e15, "–"),
    ],
)
def test_age(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (59, "59s"),
        (60, "1m"),
        (80, "1m 20s"),
        (3600, "1h"),
        (11_100, "3h 5m"),
        (86_400, "1d"),
        (187_200, "2d 4h"),
        (1e13, "115740740d 17h"),
        (1e15, "–"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (10 * 1024, "10 KiB"),
        (10 * 1024**2, "10 MiB"),
        (3 * 1024**4, "3.0 TiB"),
        (5000 * 1024**4, "5000 TiB"),
    ],
)
def test_size(value: float, text: str) -> None:
    assert size(value) == text


def test_percent() -> None:
    assert [percent(value) for value in (0, 54.78, 100)] == ["0%", "55%", "100%"]


def test_clock_names_the_day_only_where_it_is_another() -> None:
    at = 1_795_483_734.9
    assert clock(at) == "2026-11-24 01:28:54"
    assert clock(at, at + 60) == "01:28:54"
    assert clock(at, at + 86_400) == "2026-11-24 01:28:54"
    assert clock(at, math.nan) == "2026-11-24 01:28:54"
    assert clock(1e18) == UNKNOWN
    assert clock(0) == "1970-01-01 00:00:00"


def test_a_moment_in_utc(utc: None) -> None:
    assert moment(1_795_483_734) == "2026-11-24 01:28:54 UTC"


def test_a_moment_with_the_local_time_beside_it(berlin: None) -> None:
    assert moment(1_795_483_734) == "2026-11-24 01:28:54 UTC (02:28:54 CET)"


def test_a_number_that_is_no_moment_is_shown_as_it_is() -> None:
    assert moment(1e18) == "1000000000000000000 (no valid time)"
    assert moment(-1e12) == "-1000000000000 (no valid time)"


def test_coarse_ages_change_three_times_in_the_first_minute() -> None:
    shown = [age(seconds, coarse=True) for seconds in range(60)]
    assert list(dict.fromkeys(shown)) == ["<15s", "<30s", "<1m"]
    assert age(60.0, coarse=True) == age(60.0) == "1m"
    assert age(None, coarse=True) == UNKNOWN
