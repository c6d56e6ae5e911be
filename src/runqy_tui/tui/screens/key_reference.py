"""Help, made from the bindings themselves: what it says is what the keys do."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import ActiveBinding, Binding, BindingType
from textual.command import CommandPalette
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from runqy_tui.tui.input.global_bindings import in_modal
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.screens.base_screen import BaseScreen

_TITLES = {
    "app": "Everywhere",
    "main": "Panes",
    "pane": "In a pane",
    "findings": "Findings",
    "tasks": "Tasks",
    "table": "In a list",
    "modal": "In a window",
    "text": "In a text",
    "search": "In the search",
}


class HelpModal(BaseModal):
    """Lists the keys that work on the screen behind it."""

    CSS_PATH: ClassVar[str | Path] = "help_modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", id="help.close", tooltip="Close"),
        *in_modal("app.quit", "app.help"),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._behind = screen

    def compose(self) -> ComposeResult:
        """Build the list."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield Static(keys_of(self.app, self._behind), markup=False)


def keys_of(app: App[Any], screen: Screen[Any]) -> Content:
    """All bindings live on a screen, grouped by where they work."""
    groups: dict[str, list[Content]] = {}
    for shown, binding in _merged(app, screen.active_bindings.values()):
        group = (binding.id or "").partition(".")[0]
        if group in _TITLES:
            line = Content.assemble(
                (f"{shown:>15}", "$accent"),
                f"  {binding.tooltip or binding.description:<34}  ",
                (binding.id or "", "$muted"),
            )
            groups.setdefault(group, []).append(line)
    parts: list[Content] = []
    for group, title in _TITLES.items():
        if group in groups:
            parts += [Content.styled(title, "bold"), *groups[group], Content("")]
    parts.append(
        Content.styled(
            "Keys can be changed by the names on the right in config.toml, under [keys], as in "
            '"app.freeze" = "f7"; the palette (ctrl+p) runs them too.',
            "$muted",
        )
    )
    return Content("\n").join(parts)


def _merged(app: App[Any], active: Iterable[ActiveBinding]) -> list[tuple[str, Binding]]:
    """One line for each action: all its keys together."""
    keys: dict[str, list[str]] = {}
    bindings: dict[str, Binding] = {}
    for entry in active:
        name = entry.binding.id or entry.binding.action
        bindings.setdefault(name, entry.binding)
        plain = Binding(entry.binding.key, entry.binding.action)
        keys.setdefault(name, []).append(app.get_key_display(plain))
    return [(" ".join(dict.fromkeys(keys[name])), binding) for name, binding in bindings.items()]


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
