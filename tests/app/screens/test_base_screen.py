"""Sizes of the terminal that come faster than the screens take them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.segment import Segment
from textual.events import Resize, Show
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from tests.app.driving import WIDE, app_on, watching

ENOUGH = 100


@pytest.mark.parametrize("key", ["", "question_mark", "ctrl+p"])
async def test_two_sizes_on_the_way_at_once_come_to_rest(
    task_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layouts = 0
    laid_out = Screen._refresh_layout

    def count(screen: Screen[Any], *args: Any, **options: Any) -> None:
        nonlocal layouts
        layouts += 1
        if layouts < ENOUGH:  # else each brings the next one, for ever
            laid_out(screen, *args, **options)

    async with watching(app_on(task_url)) as hand:
        if key:
            await hand.press(key)
        await hand.settle()
        monkeypatch.setattr(Screen, "_refresh_layout", count)
        past, present = Size(60, 20), Size(*WIDE)
        with hand.app.batch_update():  # as while sizes change: it puts a paint behind each size
            for screen in hand.app.screen_stack:
                for size in (past, present):
                    screen.post_message(Resize(size, size))
                    screen.post_message(Show())  # two sizes in a row would be taken as one
            for _ in range(ENOUGH):
                await asyncio.sleep(0)
        assert {screen.size for screen in hand.app.screen_stack} == {present}
        await hand.pilot.resize_terminal(100, 30)
        await hand.settle()
        assert layouts < ENOUGH
        assert {screen.size for screen in hand.app.screen_stack} == {Size(100, 30)}


async def test_what_was_cut_is_forgotten_now_and_then(
    scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runqy_tui.tui.app._CACHE_CLEANUP_S", 0.05)
    text = Segment("a text that no screen shows …")
    async with watching(app_on(scene_url)) as hand:
        first = text.split_cells(3)
        assert text.split_cells(3) is first
        await hand.until(lambda: text.split_cells(3) is not first, "it is cut anew")


@pytest.mark.parametrize("key", ["", "slash", "z"])
async def test_styles_applied_once_are_those_applied_again(scene_url: str, key: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        if key:
            await hand.press(key)
        await hand.settle()
        before = _styles(hand.screen)
        hand.screen.update_node_styles(animate=False)
        assert _styles(hand.screen) == before


def _styles(screen: Screen[Any]) -> list[tuple[str, str, dict[str, str]]]:
    nodes = [node for node in screen.walk_children(with_self=True) if isinstance(node, Widget)]
    return [
        (
            type(node).__name__,
            node.styles.css,
            {name: node.get_component_styles(name).css for name in node._component_styles},
        )
        for node in nodes
    ]
