"""A budget's clock that does not depend on how fast a test runs."""

from __future__ import annotations

from itertools import count

import pytest

from runqy_tui.redis import rotation


@pytest.fixture(autouse=True)
def a_second_between_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the budget does so a second after the last time."""
    seconds = count(1_000.0)
    monkeypatch.setattr(rotation, "monotonic", lambda: next(seconds))
