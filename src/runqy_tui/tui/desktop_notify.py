"""Telling the operator that an alert fires, if asked to: a bell, or OSC 9 for the desktop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import App

from runqy_tui.alerts.alert_states import Alert, AlertBoard
from runqy_tui.text.safe import safe_line

_LONGEST = 200


def newly_firing(before: AlertBoard, after: AlertBoard) -> list[Alert]:
    """Alerts that fire now and did not before."""
    known = {(alert.rule.name, alert.subject) for alert in before.firing}
    return [alert for alert in after.firing if (alert.rule.name, alert.subject) not in known]


def osc9(alerts: Iterable[Alert]) -> str:
    """Build the sequence of a desktop notification; what it says is safe text of one line."""
    told = list(alerts)
    more = f" (+{len(told) - 1} more)" if len(told) > 1 else ""
    return f"\x1b]9;runqy: {safe_line(told[0].sentence[:_LONGEST])}{more}\x07"


def announce(app: App[Any], how: str, alerts: list[Alert]) -> None:
    """Announce alerts that have begun to fire; many at once make one announcement."""
    if not alerts or how == "none":
        return
    if how == "bell":
        app.bell()
    elif app._driver is not None:  # noqa: SLF001 - Textual has no other way to the terminal
        app._driver.write(osc9(alerts))  # noqa: SLF001
