"""The header line: the connection, the age of the data, and counts of findings and alerts."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from runqy_tui.config import Settings
from runqy_tui.model import RedisInfo
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age, clock
from runqy_tui.tui import safe_text
from runqy_tui.tui.bandwidth import LowBandwidth
from runqy_tui.tui.renderer.cell_diff_app import CellDiffApp
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.theme import tint_of
from runqy_tui.tui.widgets.header_parts import (
    NEEDED,
    Importance,
    LinePart,
    address_parts,
    fit_parts,
    link_parts,
    read_only_part,
)

_LOW_BANDWIDTH_TICK_S = 5.0
"""Seconds between repaints for ages alone while bandwidth is low."""


def header_parts(
    view: View,
    interval_s: float,
    now: float,
    settings: Settings | None = None,
    firing: int = 0,
    link: tuple[str, str] = ("", ""),
) -> list[LinePart]:
    """Build the parts for one view, in their order from left to right.

    Args:
        view: what to show.
        interval_s: seconds between polls.
        now: :func:`time.monotonic`.
        settings: name, colour and read-only mark of the profile; defaults if ``None``.
        firing: number of firing alerts.
        link: mark and figures of :class:`~runqy_tui.tui.bandwidth.LowBandwidth`.
    """
    settings = settings or Settings()
    muted = "$muted" if settings.colour is None else "$foreground"  # legible on any tint
    snapshot = view.snapshot
    parts = address_parts(settings, snapshot)
    title = Content.styled("runqy-tui", "bold")
    if settings.name is None:
        parts.insert(0, LinePart(Importance.TITLE, title))
    else:
        parts.append(LinePart(Importance.TITLE_BESIDE_NAME, title))
    parts.append(read_only_part(settings, muted))
    if snapshot is not None:
        parts.append(LinePart(Importance.SERVER, safe_text.content(_server(snapshot.redis), muted)))
        statistics = _poll_statistics(snapshot.redis, interval_s)
        parts.append(LinePart(Importance.STATISTICS, Content.styled(statistics, muted), True))
        if snapshot.redis.oldest_s is not None:
            oldest = f"oldest data {age(snapshot.redis.oldest_s)} at {settings.budget:,}/s"
            parts.append(LinePart(Importance.OLDEST, Content.styled(oldest, muted), True))
    parts.append(
        LinePart(
            Importance.FRESHNESS, _freshness(view, now), True, lambda _: _brief_freshness(view, now)
        )
    )
    parts += _finding_counts(view)
    if firing:
        alerts = f"{firing} alert" + ("" if firing == 1 else "s")
        parts.append(LinePart(Importance.ALERTS, Content.styled(alerts, "bold $error"), True))
    parts += link_parts(*link, muted)
    if snapshot is not None:
        parts.append(
            LinePart(Importance.CLOCK, Content.styled(f"UTC {_redis_time(view, now)}", muted), True)
        )
    return parts


def _server(info: RedisInfo) -> str:
    return " · ".join(part for part in (info.version, info.mode) if part) or "version unknown"


def _poll_statistics(info: RedisInfo, interval_s: float) -> str:
    trips = f"{info.round_trips} trip" + ("" if info.round_trips == 1 else "s")
    return f"poll {interval_s:g}s · {info.elapsed_ms:.0f} ms · {trips}"


def _freshness(view: View, now: float) -> Content:
    old = age(now - view.received_at)
    if view.frozen_at is not None:
        frozen = f"FROZEN since {clock(view.frozen_at)[-8:]} ({old})"
        if view.link is ConnectionState.LOST:  # a frozen display must show it too
            return Content.styled(
                f"{sign(Severity.CRITICAL)} connection lost · {frozen}", "bold $error"
            )
        return Content.styled(frozen, "bold $warning")
    if view.link is ConnectionState.CONNECTING:
        return Content.styled("connecting…", "$warning")
    if view.link is ConnectionState.LOST:
        text = "no connection" if view.snapshot is None else f"connection lost · data {old} old"
        return Content.styled(f"{sign(Severity.CRITICAL)} {text}", "bold $error")
    return Content.styled(f"live · data {old} old", "")


def _brief_freshness(view: View, now: float) -> Content:
    old = age(now - view.received_at)
    lost = f"{sign(Severity.CRITICAL)} " if view.link is ConnectionState.LOST else ""
    if view.frozen_at is not None:
        return Content.styled(f"{lost}FROZEN {old}", "bold $error" if lost else "bold $warning")
    if view.link is ConnectionState.CONNECTING:
        return _freshness(view, now)
    if lost:
        since = "" if view.snapshot is None else f" {old}"
        return Content.styled(f"{lost}lost{since}", "bold $error")
    return Content(f"live {old}")


def _finding_counts(view: View) -> list[LinePart]:
    parts = []
    for severity, style in ((Severity.CRITICAL, "bold $error"), (Severity.WARNING, "$warning")):
        amount = sum(
            finding.severity is severity and finding.acknowledged_at is None
            for finding in view.findings
        )
        if amount:
            mark = Importance.CRITICAL if severity is Severity.CRITICAL else Importance.WARNING
            parts.append(LinePart(mark, Content.styled(f"{sign(severity)} {amount}", style), True))
    return parts


def _redis_time(view: View, now: float) -> str:
    """Time of day by Redis's clock, which all ages refer to."""
    if view.snapshot is None:
        return humanize.UNKNOWN
    return clock(view.snapshot.taken_at + max(0.0, now - view.received_at))[-8:]


class HeaderBar(Widget):
    """One line; repainted only when its text has changed."""

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
        settings: Settings,
        firing: Callable[[], int] = lambda: 0,
        bandwidth: LowBandwidth | None = None,
    ) -> None:
        super().__init__()
        self._firing = firing
        self._bandwidth = bandwidth or LowBandwidth()
        self._statistics = ""
        self._built_at = 0.0
        self._settings = settings
        self._interval = interval
        self._view = View()
        self._shown: tuple[str, int] | None = None

    def on_mount(self) -> None:
        """Apply the colour of the profile, as far as text remains legible."""
        if self._settings.colour is not None:
            self.styles.background_tint = tint_of(self._settings.colour)

    def show(self, view: View) -> None:
        """Show a new view."""
        self._view = view
        app = self.app
        self._statistics = self._bandwidth.figures(
            app.presenter if isinstance(app, CellDiffApp) else None, self._statistics
        )
        self._update()

    def tick(self) -> None:
        """Update ages; less often while bandwidth is low."""
        if not self._bandwidth.low or monotonic() - self._built_at >= _LOW_BANDWIDTH_TICK_S:
            self._update()

    def _update(self) -> None:
        self._built_at = monotonic()
        state = (self._build().markup, self.size.width)
        if state != self._shown:
            self._shown = state
            self.refresh()

    def _build(self) -> Content:
        return fit_parts(
            header_parts(
                self._view,
                self._interval(),
                self._built_at,
                self._settings,
                self._firing(),
                (self._bandwidth.mark, self._statistics),
            ),
            max(1, self.size.width),
            NEEDED,
        )

    def render(self) -> RenderResult:
        """Draw the line."""
        return self._build()
