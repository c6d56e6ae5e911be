"""A budget's clock that does not depend on how fast a test runs."""

from __future__ import annotations

import pytest

from tests.integration.redis.polling.large_fleet import tick_by_the_second


@pytest.fixture(autouse=True)
def a_second_between_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each poll has a second's worth of commands."""
    tick_by_the_second(monkeypatch)
