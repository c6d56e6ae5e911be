"""Bindings are declarations: complete, remapped by id, listed by help and palette."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Static

import runqy_tui.tui
from runqy_tui.tui.input.keymap import check_names
from runqy_tui.tui.screens.key_reference import help_text as help_of
from runqy_tui.tui.screens.key_reference import palette_commands
from tests.app.driving import Hand, app_on, subtitle, watching


def _classes() -> list[type[DOMNode]]:
    """Every class of ours that declares bindings."""
    found: dict[str, type[DOMNode]] = {}
    for module in pkgutil.walk_packages(runqy_tui.tui.__path__, "runqy_tui.tui."):
        for item in vars(importlib.import_module(module.name)).values():
            ours = getattr(item, "__module__", "").startswith("runqy_tui.")
            if ours and isinstance(item, type) and issubclass(item, DOMNode):
                found[item.__qualname__] = item
    return [item for item in found.values() if "BINDINGS" in vars(item)]


def _bindings() -> Iterator[tuple[type[DOMNode], Binding]]:
    for owner in _classes():
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding), f"{owner.__name__}: {binding}"
            yield owner, binding


def test_all_classes_are_found() -> None:
    names = {owner.__name__ for owner in _classes()}
    assert {
        *("RunqyApp", "MainScreen", "Pane", "TasksPane", "Table", "TextView"),
        *("ObjectModal", "FindModal", "HelpModal", "FindingsModal"),
    } <= names


def test_every_binding_says_what_it_is() -> None:
    for owner, binding in _bindings():
        where = f"{owner.__name__}: {binding.key}"
        assert binding.id, where
        assert binding.description, where
        assert binding.tooltip, where


def test_an_id_means_one_thing() -> None:
    meanings = {(binding.id, binding.key, binding.action) for _, binding in _bindings()}
    ids = Counter(name for name, _, _ in meanings)
    assert not {name: amount for name, amount in ids.items() if amount > 1}


def test_no_key_means_two_things_in_one_class() -> None:
    for owner in _classes():
        keys = Counter(
            key
            for binding in owner.BINDINGS
            if isinstance(binding, Binding)
            for key in binding.key.split(",")
        )
        assert not {key: amount for key, amount in keys.items() if amount > 1}, owner.__name__


async def test_keys_are_remapped_by_id(scene_url: str) -> None:
    keys = {"app.freeze": "f7", "table.down": "x", "main.workers": "f2,f3", "pane.sort": "f4"}
    async with watching(app_on(scene_url, keys=keys)) as hand:
        await hand.press("p", "s")
        assert not hand.app.session.store.frozen
        await hand.press("f7")
        assert hand.app.session.store.frozen
        await hand.press("f7")
        first = hand.queues.selected
        await hand.press("j", "down")
        assert hand.queues.selected == first
        await hand.press("x")
        assert hand.queues.selected != first
        await hand.press("1")
        assert hand.front.number == 2
        await hand.press("f3")
        assert hand.front.number == 1
        await hand.press("2", "f2")
        assert hand.front.number == 1
        text = help_of(hand.app, hand.main).plain
        assert "f7  Freeze display" in text
        assert "f2 f3  Workers" in text
        assert "app.freeze" in text


def test_every_id_that_is_declared_may_be_remapped() -> None:
    check_names({str(binding.id) for _, binding in _bindings()})


def _listed(hand: Hand) -> str:
    return help_of(hand.app, hand.screen).plain


# Textual's own ctrl+c (copy what is marked with the mouse) hides ours in its list of live keys,
# though it passes the key on where nothing is marked.


async def test_help_lists_every_key_of_every_screen(scene_url: str) -> None:
    shown: list[str] = []
    async with watching(app_on(scene_url)) as hand:
        shown.append(_listed(hand))
        await hand.until(lambda: len(hand.tasks.rows))
        await hand.press("4")
        shown.append(_listed(hand))
        await hand.press("3")
        shown.append(_listed(hand))
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.press("l")
        shown.append(_listed(hand))
        hand.app.action_search()
        await hand.opens("SearchModal")
        shown.append(_listed(hand))
    everything = "\n".join(shown)
    for owner, binding in _bindings():
        group = (binding.id or "").partition(".")[0]
        if group not in ("find", "help", "notices") and binding.key != "ctrl+c":
            assert binding.tooltip in everything, f"{owner.__name__}: {binding.id}"


async def test_question_mark_opens_help_and_three_keys_close_it(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        for key in ("escape", "q", "question_mark"):
            await hand.press("question_mark")
            await hand.opens("HelpModal")
            await hand.sees("Help", "Global", "Find a task by id", "app.find")
            await hand.press("end")
            await hand.sees("config.toml")
            await hand.press(key)
            await hand.opens("MainScreen")
        await hand.press("1", "enter")
        await hand.opens("WorkerModal")
        await hand.press("question_mark")
        await hand.opens("HelpModal")
        shown = str(hand.screen.query_one("VerticalScroll > Static", Static).content)
        assert "Window" in shown
        assert "Next object in the list" in shown
        await hand.press("escape")
        await hand.opens("WorkerModal")


async def test_the_palette_offers_every_live_key_once(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        offered = Counter(command.title for command in palette_commands(hand.app, hand.main))
        wanted = {
            str(binding.tooltip)
            for _, binding in _bindings()
            if (binding.id or "").startswith(("app.", "main.", "pane.")) and binding.key != "ctrl+c"
        }
        lowered = {title.lower() for title in offered}
        assert {title.lower() for title in wanted} <= lowered
        assert not [title for title, amount in offered.items() if amount > 1]


async def test_every_command_of_the_palette_runs(
    scene_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is run as the palette does it; what closes, opens or leaves is undone with Esc."""
    monkeypatch.chdir(tmp_path)  # one of them writes a report
    skipped = {"Quit", "Suspend (fg resumes)"}
    async with watching(app_on(scene_url)) as hand:
        titles = [command.title for command in palette_commands(hand.app, hand.main)]
        ran = []
        for title in titles:
            if title in skipped:
                continue
            (command,) = (c for c in palette_commands(hand.app, hand.main) if c.title == title)
            command.callback()
            await hand.settle()
            ran.append(title)
            if hand.screen is not hand.main:
                await hand.press("escape")
                await hand.opens("MainScreen")
            if hand.front.filtering:
                await hand.press("escape")
            await hand.press("2")
        assert len(ran) > 12
        assert hand.app.fault is None


async def test_a_command_is_found_and_run_in_the_palette(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("ctrl+p")
        await hand.opens("Palette")
        await hand.press(*"freeze")
        await hand.sees("Freeze display (polling continues)")
        await hand.press("down", "enter")
        await hand.until(lambda: hand.app.session.store.frozen, "frozen by the palette")
        await hand.opens("MainScreen")
        assert subtitle(hand.front) == ""


async def test_every_theme_draws_every_screen(scene_url: str) -> None:
    async with watching(app_on(scene_url, interval=30)) as hand:
        await hand.until(lambda: len(hand.tasks.rows))
        for name in hand.app.available_themes:
            hand.app.theme = name
            await hand.settle()
            assert "beta-1" in hand.text, name
        await hand.press("1", "enter")
        await hand.opens("WorkerModal")
        for name in ("ansi-dark", "runqy-light", "runqy-dark"):
            hand.app.theme = name
            await hand.settle()
            await hand.sees("degraded (heartbeat ok)")
