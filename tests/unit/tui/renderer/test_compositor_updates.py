"""The compositor's updates are understood, or the stock way is taken and the reason said."""

from __future__ import annotations

import pytest

from runqy_tui.tui.renderer import compositor_updates


def test_this_textual_fits() -> None:
    assert compositor_updates.misfit() is None


def test_another_textual_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def display(self: object, what: object) -> None: ...

    monkeypatch.setattr(
        compositor_updates, "_SHAPES", ((display, ("self", "screen", "renderable")),)
    )
    assert "draws in another way" in str(compositor_updates.misfit())


def test_other_renderables_are_left_to_textual() -> None:
    assert not compositor_updates.understood("text")
    assert not compositor_updates.understood(None)
