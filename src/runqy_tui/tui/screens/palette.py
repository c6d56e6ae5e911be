"""The command palette, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.command import CommandPalette
from textual.screen import Screen

from runqy_tui.tui.screens.base_screen import BaseScreen

_LEFT_OUT = ("table.", "text.")
"""Ids of bindings that move within a widget: of no use in a palette."""


def commands_of(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """One command for each binding that is live on the screen."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        name = binding.id or ""
        if not name or name in seen or name.startswith(_LEFT_OUT) or not active.enabled:
            continue
        seen.add(name)
        title = (binding.tooltip or binding.description).capitalize()
        yield SystemCommand(
            title,
            f"Key: {app.get_key_display(binding)}",
            partial(_run, app, binding.action, active.node),
        )


def _run(app: App[Any], action: str, node: object) -> None:
    app.call_later(app.run_action, action, node)


class Palette(BaseScreen, CommandPalette):
    """Textual's own, at the present size of the terminal only."""
