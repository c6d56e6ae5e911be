"""The footer: its keys, what a click does, and how little is repainted."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.strip import Strip

from runqy_tui.tui.widgets.keys_footer import KeysFooter
from tests.app.driving import settle, until

LINE = "a alpha b beta c charlie"


class Keys(App[None]):
    """Four keys: one is hidden, one can do nothing at present."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "press('a')", "alpha"),
        Binding("b", "press('b')", "beta"),
        Binding("c", "press('c')", "charlie"),
        Binding("d", "press('d')", "delta", show=False),
        Binding("e", "press('a')", "alpha again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        self.rung = 0
        self.idle = {"b"}

    def compose(self) -> ComposeResult:
        """Nothing but the line."""
        yield KeysFooter()

    def action_press(self, key: str) -> None:
        """Note what was pressed."""
        self.pressed.append(key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what is idle."""
        return None if action == "press" and parameters[0] in self.idle else True

    def bell(self) -> None:
        """Count instead of ringing."""
        self.rung += 1


async def shows(pilot: Pilot[None], text: str) -> None:
    """Wait until the line shows a text. Keys come when the bindings do, some frames later."""
    footer = pilot.app.query_one(KeysFooter)
    await until(lambda: footer.render_line(0).text == text, lambda: footer.render_line(0).text)


async def test_each_action_stands_once_and_the_palette_at_the_end() -> None:
    async with Keys().run_test(size=(60, 3)) as pilot:
        await shows(pilot, LINE.ljust(48) + "▏^p palette ")


async def test_a_click_presses_a_key_and_an_idle_one_rings() -> None:
    async with (app := Keys()).run_test(size=(60, 3)) as pilot:
        await shows(pilot, LINE.ljust(48) + "▏^p palette ")
        await pilot.click(KeysFooter, offset=(3, 0))
        await pilot.click(KeysFooter, offset=(7, 0))  # between two keys
        await pilot.click(KeysFooter, offset=(9, 0))
        await pilot.click(KeysFooter, offset=(30, 0))
        assert (app.pressed, app.rung) == (["a"], 1)
        await pilot.click(KeysFooter, offset=(50, 0))
        await settle(pilot)
        assert len(app.screen_stack) == 2  # the palette


async def test_an_idle_key_is_dim_until_it_can_do_something() -> None:
    async with (app := Keys()).run_test(size=(60, 3)) as pilot:
        footer = app.query_one(KeysFooter)

        def dim() -> list[str]:
            line = footer.render_line(0)
            return [part.text for part in line if part.style and part.style.dim]

        await shows(pilot, LINE.ljust(48) + "▏^p palette ")
        assert dim() == ["b", " beta"]
        app.idle.clear()
        app.refresh_bindings()
        await until(lambda: not dim(), lambda: f"not dim: {dim()}")


async def test_the_wheel_brings_what_is_cut_off_into_view() -> None:
    async with Keys().run_test(size=(28, 3)) as pilot:
        footer = pilot.app.query_one(KeysFooter)
        await shows(pilot, LINE[:16] + "▏^p palette ")
        for _ in range(4):
            footer.on_mouse_scroll_down()
        await shows(pilot, f"{LINE} "[-16:] + "▏^p palette ")
        await pilot.click(KeysFooter, offset=(14, 0))
        assert pilot.app.pressed == ["c"]  # type: ignore[attr-defined]
        for _ in range(4):
            footer.on_mouse_scroll_up()
        await shows(pilot, LINE[:16] + "▏^p palette ")


async def test_it_repaints_only_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    updates = 0
    draw, update = KeysFooter.render_line, KeysFooter.update_keys

    def counted(footer: KeysFooter, y: int) -> Strip:
        drawn.append(y)
        return draw(footer, y)

    def updated(footer: KeysFooter) -> None:
        nonlocal updates
        updates += 1
        update(footer)

    async with (app := Keys()).run_test(size=(60, 3)) as pilot:
        await shows(pilot, LINE.ljust(48) + "▏^p palette ")
        await settle(pilot)
        monkeypatch.setattr(KeysFooter, "render_line", counted)
        monkeypatch.setattr(KeysFooter, "update_keys", updated)
        app.refresh_bindings()
        await until(lambda: updates)
        await settle(pilot)
        assert not drawn
        app.idle.clear()
        app.refresh_bindings()
        await until(lambda: drawn)
