"""Bars and small charts of block characters: one colour, few cells change per update."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from runqy_tui.model import DayCount
from runqy_tui.text.humanize import count

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int, *, fine: bool = True) -> str:
    """Format a bar of ``share`` (clamped to 0..1; NaN is 0) in ``width`` cells.

    ``fine`` draws eighths of cells, else whole ones.
    """
    if share != share:  # NaN, from a division by zero elsewhere
        share = 0.0
    cells = max(0.0, min(1.0, share)) * width
    eighths = round(cells * 8) if fine else 8 * round(cells)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def meter(
    name: str, percent: float | None, detail: str, width: int = 30, *, fine: bool = True
) -> Content:
    """Format a meter: ``cpu  ██████▌     55%  detail``; red from 90 %, yellow from 75 %.

    ``percent`` is 0 to 100, or ``None`` if unknown.
    """
    if percent is None:
        return Content.assemble((f"{name:<14}", "$muted"), ("–", "$muted"))
    style = "$error" if percent >= 90 else "$warning" if percent >= 75 else "$busy"
    return Content.assemble(
        (f"{name:<14}", "$muted"),
        (bar(percent / 100, width, fine=fine), style),
        f" {percent:3.0f}%  ",
        (detail, "$muted"),
    )


def daily_chart(days: Sequence[DayCount], width: int) -> Content:
    """Format processed and failed tasks per day, from Redis's counters, the latest day first."""
    top = max((max(day.processed or 0, day.failed or 0) for day in days), default=0)
    if not top:
        return Content.styled("No counters for the past days.", "$muted")
    figures = max(len(count(top)), 9)
    room = max(4, (width - 12 - 2 * (figures + 3)) // 2)
    lines = [
        Content.styled(
            f"{'UTC day':<12}{'processed':>{figures}}  {'':<{room}} {'failed':>{figures}}", "$muted"
        )
    ]
    lines += [
        Content.assemble(
            (f"{day.day:<12}", "$muted"),
            f"{count(day.processed):>{figures}}  ",
            (bar((day.processed or 0) / top, room), "$busy"),
            f" {count(day.failed):>{figures}}  ",
            (bar((day.failed or 0) / top, room), "$error"),
        )
        for day in reversed(days)
    ]
    return Content("\n").join(lines)
