"""Numbers, sizes and times formatted for people: pure functions that return plain strings."""

from __future__ import annotations

import time

UNKNOWN = "–"
ZERO = "·"
_ABSURD = 1e15
"""Larger numbers are not valid durations or times."""


def count(value: int | None) -> str:
    """Format a number with thousands separators; zero is a dot, unknown a dash."""
    if value is None:
        return UNKNOWN
    return f"{value:,}" if value else ZERO


def amount(number: int, noun: str, plural: str | None = None) -> str:
    """Format a number with its noun: ``1 task``, ``1,200 tasks``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def age(seconds: float | None, *, coarse: bool = False) -> str:
    """Format seconds in one unit: ``4s``, ``14m``, ``3h``, ``2d``; negative ones as ``0s``.

    ``coarse`` ages below a minute seldom change: ``<15s``, ``<30s``, ``<1m``.
    """
    whole = _whole(seconds)
    if whole is None:
        return UNKNOWN
    if coarse and whole < 60:
        return "<15s" if whole < 15 else "<30s" if whole < 30 else "<1m"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "m"), (172_800, 3600, "h")):
        if whole < limit:
            return f"{whole // size}{unit}"
    return f"{whole // 86_400}d"


def span(seconds: float | None) -> str:
    """Format seconds in up to two units: ``1m 20s``, ``3h 5m``, ``2d 4h``."""
    whole = _whole(seconds)
    if whole is None:
        return UNKNOWN
    if whole < 60:
        return f"{whole}s"
    for limit, size, unit, small, small_unit in (
        (3600, 60, "m", 1, "s"),
        (86_400, 3600, "h", 60, "m"),
        (_ABSURD, 86_400, "d", 3600, "h"),
    ):
        if whole < limit:
            rest = whole % size // small
            return f"{whole // size}{unit}" + (f" {rest}{small_unit}" if rest else "")
    return UNKNOWN


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None or not abs(seconds) < _ABSURD else max(0, int(seconds))


def size(value: float | None) -> str:
    """Format bytes in binary units: ``512 B``, ``1.5 KiB``, ``10 MiB``."""
    if value is None or not abs(value) < 1e30:
        return UNKNOWN
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return UNKNOWN


def percent(value: float | None) -> str:
    """Format a whole percentage; unknown is a dash."""
    return UNKNOWN if value is None or not abs(value) < _ABSURD else f"{value:.0f}%"


def clock(at: float | None, now: float | None = None) -> str:
    """Format unix seconds as UTC time of day, with the date if it is not the day of ``now``."""
    utc, today = _utc(at), _utc(now)
    if utc is None:
        return UNKNOWN
    if today is not None and today[:3] == utc[:3]:
        return time.strftime("%H:%M:%S", utc)
    return time.strftime("%Y-%m-%d %H:%M:%S", utc)


def moment(at: float | None) -> str:
    """Format unix seconds as UTC and local time: ``2026-11-24 03:12:00 UTC (04:12:00 CET)``."""
    if at is None or not abs(at) < 1e30:
        return UNKNOWN
    parts = _utc(at)
    if parts is None:
        return f"{at:.0f} (no valid time)"
    utc, local = time.strftime("%Y-%m-%d %H:%M:%S UTC", parts), time.localtime(at)
    if local.tm_gmtoff == 0:
        return utc
    return f"{utc} ({time.strftime('%H:%M:%S %Z', local)})"


def _utc(at: float | None) -> time.struct_time | None:
    """Return ``None`` outside the years 1 to 9999, which every platform can format."""
    return None if at is None or not -62_135_596_800 <= at < 253_402_300_800 else time.gmtime(at)
