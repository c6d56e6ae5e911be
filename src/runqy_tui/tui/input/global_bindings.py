"""Bindings that work on every screen, declared once; the help finds them, users remap them by id.

In Textual a modal does not see the app's bindings, so each modal declares them again, under the
same ids: help and the user's key map then hold everywhere.

A window that needs only the session is opened by ``app.window('MODULE.CLASS')``, with its module in
``tui/screens``, which is imported when the window is opened.
"""

from __future__ import annotations

from dataclasses import replace

from textual.binding import Binding


def hidden_binding(keys: str, action: str, description: str, id: str, tooltip: str = "") -> Binding:  # noqa: A002
    """Return a binding that the footer leaves out and the help shows."""
    return Binding(keys, action, description, show=False, id=id, tooltip=tooltip or description)


GLOBAL_BINDINGS = (
    # First, so that even the narrowest footer shows the key that lists all others.
    Binding(
        "question_mark",
        "app.help",
        "help",
        id="app.help",
        tooltip="Show all keys, columns and signs",
    ),
    Binding(
        "i",
        "app.window('find_modal.FindModal')",
        "find",
        id="app.find",
        tooltip="Find a task by id",
    ),
    hidden_binding("F", "app.search", "Search", "app.search", "Search payload, error, type and id"),
    Binding(
        "e",
        "app.window('errors_modal.ErrorsModal')",
        "errors",
        id="app.errors",
        tooltip="Errors by cause",
    ),
    Binding(
        "a",
        "app.window('alerts_modal.AlertsModal')",
        "alerts",
        id="app.alerts",
        tooltip="Alerts and their log",
    ),
    hidden_binding("R", "app.report", "Report", "app.report", "Write an incident report to a file"),
    Binding(
        "p",
        "app.freeze",
        "freeze",
        id="app.freeze",
        tooltip="Freeze display (polling continues)",
    ),
    hidden_binding("plus,equals_sign", "app.interval(-1)", "Poll more often", "app.faster"),
    hidden_binding("minus", "app.interval(1)", "Poll less often", "app.slower"),
    hidden_binding(
        *("L", "app.low_bandwidth", "Low bandwidth", "app.low-bandwidth"),
        "Low-bandwidth mode: on, off, auto",
    ),
    Binding("q", "app.quit", "quit", id="app.quit", tooltip="Quit"),
    hidden_binding("ctrl+c", "app.quit", "Quit", "app.interrupt"),
    hidden_binding("ctrl+l", "app.redraw", "Redraw", "app.repaint", "Redraw"),
    hidden_binding(
        *("ctrl+z", "app.suspend_process", "Suspend", "app.suspend"),
        "Suspend (fg resumes)",
    ),
)


def in_modal(*taken: str) -> list[Binding]:
    """Return the bindings for a modal, all hidden from its footer.

    Args:
        taken: ids of those to leave out, because the modal uses their keys itself.
    """
    return [replace(binding, show=False) for binding in GLOBAL_BINDINGS if binding.id not in taken]
