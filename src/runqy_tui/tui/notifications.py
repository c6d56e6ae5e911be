"""Notifications: toasts on the screen, and bell or OSC 9 for alerts that begin to fire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import App
from textual.await_remove import AwaitRemove
from textual.notifications import Notification

from runqy_tui.alerts.alert_states import Alert, AlertBoard
from runqy_tui.text.safe import safe_line
from runqy_tui.tui.compat.hooks import replace_toast, set_least_timeout, write_to_terminal
from runqy_tui.tui.compat.private_names import Toast, ToastHolder

_MIN_TIMEOUT_S = 1.0


class LastingToast(Toast):
    """A toast that is shown for at least a second and is removed together with its holder.

    Textual counts a toast's timeout from when it was raised. On a machine that was busy or asleep
    in between, the remaining time is negative, and a timer with a negative time never returns to
    the event loop.

    Textual removes a toast that ends behind another window without its holder: empty holders, each
    with an asyncio task, would accumulate while the monitor runs.
    """

    def __init__(self, notification: Notification) -> None:
        super().__init__(notification)
        set_least_timeout(self, _MIN_TIMEOUT_S)

    def remove(self) -> AwaitRemove:
        """Remove the toast with its holder."""
        holder = self.parent
        return holder.remove() if isinstance(holder, ToastHolder) else super().remove()


def use_lasting_toasts() -> None:
    """Make Textual show :class:`LastingToast`; it has no public setting for the widget."""
    replace_toast(LastingToast)


_MAX_CHARACTERS = 200


def newly_firing(before: AlertBoard, after: AlertBoard) -> list[Alert]:
    """Return the alerts that fire in ``after`` but not in ``before``."""
    known = {(alert.rule.name, alert.subject) for alert in before.firing}
    return [alert for alert in after.firing if (alert.rule.name, alert.subject) not in known]


def osc9(alerts: Iterable[Alert]) -> str:
    """Return the OSC 9 sequence of a desktop notification, with one line of safe text."""
    first, *others = alerts
    more = f" (+{len(others)} more)" if others else ""
    return f"\x1b]9;runqy: {safe_line(first.sentence[:_MAX_CHARACTERS])}{more}\x07"


def announce(app: App[Any], how: str, alerts: list[Alert]) -> None:
    """Notify of alerts that began to fire, once for all of them; ``how`` is the setting."""
    if not alerts or how == "none":
        return
    if how == "bell":
        app.bell()
    else:
        write_to_terminal(app, osc9(alerts))
