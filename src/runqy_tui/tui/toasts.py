"""Messages that pop up and go by themselves."""

from __future__ import annotations

from textual.await_remove import AwaitRemove
from textual.notifications import Notification
from textual.widgets import _toast
from textual.widgets._toast import Toast, ToastHolder

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
        self._timeout = max(_LEAST_S, self._timeout)

    def remove(self) -> AwaitRemove:
        """Remove it with its holder."""
        holder = self.parent
        return holder.remove() if isinstance(holder, ToastHolder) else super().remove()


def use_lasting_toasts() -> None:
    """Have Textual show these: it leaves no other way to choose the widget."""
    _toast.Toast = LastingToast  # type: ignore[misc]
