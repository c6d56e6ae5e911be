"""Help window and command palette, both generated from the bindings that are active."""

from __future__ import annotations

import os
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

from runqy_tui.config import config_path
from runqy_tui.model.severity import Severity
from runqy_tui.presentation.queue_columns import QUEUE_TABLE
from runqy_tui.presentation.resource import ColumnSet, Surface
from runqy_tui.presentation.task_columns import TASK_COLUMNS
from runqy_tui.presentation.worker_columns import WORKER_TABLE
from runqy_tui.text.humanize import UNKNOWN, ZERO
from runqy_tui.tui import safe_text
from runqy_tui.tui.input.global_bindings import in_modal
from runqy_tui.tui.screens.base_modal import BaseModal
from runqy_tui.tui.screens.base_screen import BaseScreen
from runqy_tui.tui.tables.icons import sign

_GROUPS = {
    "app": "Global",
    "main": "Panes",
    "pane": "Pane",
    "findings": "Findings",
    "tasks": "Tasks",
    "table": "List",
    "modal": "Window",
    "text": "Text",
    "search": "Search",
}
"""Titles by the first part of a binding's id, in the order shown."""
"""Column titles that are abbreviated, and their meaning."""

_PALETTE_HIDDEN = ("table.", "text.")
"""Ids of bindings that move within a widget: of no use in a palette."""


class HelpModal(BaseModal):
    """Lists the keys of the screen behind it, the columns, the signs and the settings file.

    Args:
        screen: the screen behind.
    """

    CSS_PATH: ClassVar[str | Path] = "key_reference.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", id="help.close", tooltip="Close"),
        *in_modal("app.quit", "app.help"),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._behind = screen

    def compose(self) -> ComposeResult:
        """Build the window."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield Static(help_text(self.app, self._behind), markup=False)


def help_text(app: App[Any], screen: Screen[Any]) -> Content:
    """Return all bindings active on a screen, grouped, then the legend and the settings file."""
    groups: dict[str, list[Content]] = {}
    for keys, binding in _merged(app, screen.active_bindings.values()):
        group = (binding.id or "").partition(".")[0]
        if group in _GROUPS:
            line = Content.assemble(
                (f"{keys:>15}", "$accent"),
                f"  {binding.tooltip or binding.description:<34}  ",
                (binding.id or "", "$muted"),
            )
            groups.setdefault(group, []).append(line)
    parts: list[Content] = []
    for group, title in _GROUPS.items():
        if group in groups:
            parts += [Content.styled(title, "bold"), *groups[group], Content("")]
    return Content("\n").join([*parts, *_legend(), *_settings()])


def _legend() -> list[Content]:
    signs = (
        (sign(Severity.CRITICAL), "critical"),
        (sign(Severity.WARNING), "warning"),
        (sign(Severity.FINE), "healthy or busy"),
        (sign(Severity.IDLE), "idle, stopped or acknowledged"),
        ("?", "worker lost some time ago (when just lost: critical)"),
        (f"{ZERO} {UNKNOWN}", "zero, unknown"),
    )
    return [
        *_columns("Columns of workers", WORKER_TABLE),
        *_columns("Columns of queues", QUEUE_TABLE),
        *_columns("Columns of tasks", TASK_COLUMNS),
        *(Content.styled("Signs", "bold"), *_entries(signs), Content("")),
    ]


def _columns(heading: str, table: ColumnSet[Any]) -> list[Content]:
    shown = table.columns_on(Surface.SCREEN)
    entries = [(column.title, column.meaning) for column in shown if column.meaning]
    return [Content.styled(heading, "bold"), *_entries(entries), Content("")]


def _entries(entries: Iterable[tuple[str, str]]) -> list[Content]:
    return [Content.assemble((f"{name:>15}", "$accent"), f"  {text}") for name, text in entries]


def _settings() -> list[Content]:
    path = safe_text.content(f"  {config_path(os.environ)}")
    text = (
        'Keys are changed under [keys] by the names on the right: "app.freeze" = "f7". '
        "The command palette (ctrl+p) runs the same actions."
    )
    return [Content.styled("Configuration", "bold"), path, Content.styled(text, "$muted")]


def _merged(app: App[Any], active: Iterable[ActiveBinding]) -> list[tuple[str, Binding]]:
    """Return one entry for each action, with all its keys."""
    keys: dict[str, list[str]] = {}
    bindings: dict[str, Binding] = {}
    for entry in active:
        name = entry.binding.id or entry.binding.action
        bindings.setdefault(name, entry.binding)
        plain = Binding(entry.binding.key, entry.binding.action)
        keys.setdefault(name, []).append(app.get_key_display(plain))
    return [(" ".join(dict.fromkeys(keys[name])), binding) for name, binding in bindings.items()]


def palette_commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Yield one command for each binding that is active on the screen."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        name = binding.id or ""
        if not name or name in seen or name.startswith(_PALETTE_HIDDEN) or not active.enabled:
            continue
        seen.add(name)
        title = binding.tooltip or binding.description
        yield SystemCommand(
            title[:1].upper() + title[1:],
            f"Key: {app.get_key_display(binding)}",
            partial(_run, app, binding.action, active.node),
        )


def _run(app: App[Any], action: str, node: object) -> None:
    app.call_later(app.run_action, action, node)


class Palette(BaseScreen, CommandPalette):
    """Textual's command palette as a :class:`BaseScreen`."""
