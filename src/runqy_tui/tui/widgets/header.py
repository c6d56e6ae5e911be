"""The header line: which Redis, how fresh, how bad, in order of importance."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from runqy_tui import humanize
from runqy_tui.humanize import age, clock
from runqy_tui.model import RedisInfo
from runqy_tui.severity import Severity
from runqy_tui.store import Link, View
from runqy_tui.tui import text
from runqy_tui.tui.resources.signs import sign


class Part(NamedTuple):
    """A piece of the header; the highest ``importance`` number gives way first."""

    importance: int
    content: Content
    right: bool = False


def header_parts(
    view: View, interval_s: float, now: float, name: str | None = None, firing: int = 0
) -> list[Part]:
    """Build the pieces for one view. ``now`` is :func:`time.monotonic`."""
    snapshot = view.snapshot
    parts = [Part(4, Content.styled("runqy-tui", "bold"))]
    if name is not None:
        parts.append(Part(1, text.content(name, "bold $accent")))
    if snapshot is not None:
        parts.append(Part(1 if name is None else 8, text.content(snapshot.redis.address, "bold")))
        parts.append(Part(5, text.content(_server(snapshot.redis), "$muted")))
        parts.append(
            Part(6, Content.styled(_poll_figures(snapshot.redis, interval_s), "$muted"), True)
        )
    parts.append(Part(0, _freshness(view, now), True))
    parts += _tallies(view)
    if firing:
        alerts = f"{firing} alert" + ("" if firing == 1 else "s")
        parts.append(Part(3, Content.styled(alerts, "bold $error"), True))
    if snapshot is not None:
        parts.append(Part(7, Content.styled(f"UTC {_time_of_day(view, now)}", "$muted"), True))
    return parts


def _server(info: RedisInfo) -> str:
    return " · ".join(part for part in (info.version, info.mode) if part) or "version unknown"


def _poll_figures(info: RedisInfo, interval_s: float) -> str:
    trips = f"{info.round_trips} trip" + ("" if info.round_trips == 1 else "s")
    return f"poll {interval_s:g}s · {info.elapsed_ms:.0f} ms · {trips}"


def _freshness(view: View, now: float) -> Content:
    old = age(now - view.received_at)
    if view.frozen_at is not None:
        return Content.styled(f"FROZEN since {clock(view.frozen_at)[-8:]} ({old})", "bold $warning")
    if view.link is Link.CONNECTING:
        return Content.styled("connecting…", "$warning")
    if view.link is Link.LOST:
        what = "no connection" if view.snapshot is None else f"connection lost · data {old} old"
        return Content.styled(f"{sign(Severity.CRITICAL)} {what}", "bold $error")
    return Content.styled(f"live · data {old} old", "")


def _tallies(view: View) -> list[Part]:
    parts = []
    for severity, style in ((Severity.CRITICAL, "bold $error"), (Severity.WARNING, "$warning")):
        amount = sum(
            finding.severity is severity and finding.acknowledged_at is None
            for finding in view.findings
        )
        if amount:
            parts.append(Part(0, Content.styled(f"{sign(severity)} {amount}", style), True))
    return parts


def _time_of_day(view: View, now: float) -> str:
    """Redis's own time of day: that is what all ages are measured by."""
    if view.snapshot is None:
        return humanize.UNKNOWN
    return clock(view.snapshot.taken_at + max(0.0, now - view.received_at))[-8:]


def fit_parts(parts: list[Part], width: int, gap: int = 2) -> Content:
    """Lay the pieces out in ``width`` cells, dropping the least important until they fit."""
    kept = list(parts)
    while len(kept) > 1 and sum(p.content.cell_length + gap for p in kept) > width:
        kept.remove(max(kept, key=lambda part: part.importance))
    blank = Content(" " * gap)
    left = blank.join([part.content for part in kept if not part.right])
    right = blank.join([part.content for part in kept if part.right])
    middle = max(gap, width - 2 - left.cell_length - right.cell_length)
    return Content.assemble(" ", left, " " * middle, right, " ")


class HeaderBar(Widget):
    """One line; it repaints only when what it says has changed."""

    DEFAULT_CSS = """
    HeaderBar {
        height: 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(
        self,
        interval: Callable[[], float],
        name: str | None = None,
        firing: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__()
        self._firing = firing
        self._redis_name = name
        self._interval = interval
        self._view = View()
        self._shown: tuple[str, int] | None = None

    def show(self, view: View) -> None:
        """Take over a new view."""
        self._view = view
        self.tick()

    def tick(self) -> None:
        """Let the ages move on."""
        state = (self._build().markup, self.size.width)
        if state != self._shown:
            self._shown = state
            self.refresh()

    def _build(self) -> Content:
        return fit_parts(
            header_parts(
                self._view, self._interval(), monotonic(), self._redis_name, self._firing()
            ),
            max(1, self.size.width),
        )

    def render(self) -> RenderResult:
        """Draw the line."""
        return self._build()
