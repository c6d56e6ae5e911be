"""Bindings of the widgets: declared once, found by the help screen, remapped by their ids."""

from __future__ import annotations

from textual.binding import Binding


def quiet(keys: str, action: str, description: str, id: str, tooltip: str = "") -> Binding:  # noqa: A002
    """Build a binding that the footer leaves out and the help shows."""
    return Binding(keys, action, description, show=False, id=id, tooltip=tooltip or description)
