"""Bindings that work on every screen, declared once; the help finds them, users remap them by id.

Textual cuts a modal off from the app's bindings, so each modal repeats them under the same ids.
"""

from __future__ import annotations

from dataclasses import replace

from textual.binding import Binding


def quiet(keys: str, action: str, description: str, id: str, tooltip: str = "") -> Binding:  # noqa: A002
    """Build a binding that the footer leaves out and the help shows."""
    return Binding(keys, action, description, show=False, id=id, tooltip=tooltip or description)


EVERYWHERE = (
    # First, so that the narrowest footer still names the way to all others.
    Binding("question_mark", "app.help", "help", id="app.help", tooltip="All keys"),
    Binding("i", "app.find", "find", id="app.find", tooltip="Find a task by id, anywhere"),
    quiet("F", "app.search", "Search", "app.search", "Search in tasks: payload, error, type, id"),
    Binding("e", "app.errors", "errors", id="app.errors", tooltip="What failed, by kind of error"),
    Binding("a", "app.alerts", "alerts", id="app.alerts", tooltip="Alerts, and their log"),
    quiet("R", "app.report", "Report", "app.report", "Write an incident report to a file"),
    Binding("p", "app.freeze", "freeze", id="app.freeze", tooltip="Hold the picture; polls go on"),
    quiet("plus,equals_sign", "app.interval(-1)", "Poll more often", "app.faster"),
    quiet("minus", "app.interval(1)", "Poll less often", "app.slower"),
    quiet(
        *("L", "app.low_bandwidth", "Low bandwidth", "app.low-bandwidth"),
        "Spare a slow link: on, off, automatic",
    ),
    Binding("q", "app.leave", "quit", id="app.quit", tooltip="Leave runqy-tui"),
    quiet("ctrl+c", "app.leave", "Quit", "app.interrupt"),
    quiet("ctrl+l", "app.repaint", "Repaint", "app.repaint", "Draw the screen anew"),
    quiet(
        *("ctrl+z", "app.suspend_process", "Suspend", "app.suspend"),
        "Back to the shell; fg returns",
    ),
)


def in_modal(*taken: str) -> list[Binding]:
    """Give those that a modal has no other use for, outside of its footer.

    Args:
        taken: ids whose keys the modal needs itself.
    """
    return [replace(binding, show=False) for binding in EVERYWHERE if binding.id not in taken]
