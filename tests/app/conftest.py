"""Fixtures of the app's tests."""

from __future__ import annotations

import locale

import pytest


@pytest.fixture(autouse=True)
def _unicode_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs do not depend on the locale of whoever runs the tests."""
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _=True: "UTF-8")
