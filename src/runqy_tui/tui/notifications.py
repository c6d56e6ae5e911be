"""Messages that pop up and go by themselves."""

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

_LEAST_S = 1.0


class LastingToast(Toast):
    """A message that stays for a moment at least, also where it comes late, and goes as a whole.

    Textual reckons its time from when it was raised. On a machine that was busy or asleep until
    then less than nothing is left, and a timer of less than nothing never ends: nobody else gets
    a turn any more.

    A message that ended in another window is taken away without what holds it: empty holders, each
    with a task of its own, would add up for as long as the monitor runs.
    """

    def __init__(self, notification: Notification) -> None:
        super().__init__(notification)
        set_least_timeout(self, _LEAST_S)

    def remove(self) -> AwaitRemove:
        """Remove it with its holder."""
        holder = self.parent
        return holder.remove() if isinstance(holder, ToastHolder) else super().remove()


def use_lasting_toasts() -> None:
    """Have Textual show these: it leaves no other way to choose the widget."""
    replace_toast(LastingToast)


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
    else:
        write_to_terminal(app, osc9(alerts))
