"""The compositor's updates are understood, or the stock way is taken and the reason said."""

from __future__ import annotations

import pytest

from runqy_tui.tui.terminal import updates


def test_this_textual_fits() -> None:
    assert updates.misfit() is None


def test_another_textual_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def display(self: object, what: object) -> None: ...

    monkeypatch.setattr(updates, "_SHAPES", ((display, ("self", "screen", "renderable")),))
    assert "draws in another way" in str(updates.misfit())


def test_other_renderables_are_left_to_textual() -> None:
    assert not updates.understood("text")
    assert not updates.understood(None)
