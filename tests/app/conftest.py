"""Fixtures of the app's tests."""

from __future__ import annotations

import locale

import pytest
from redis import Redis

from tests.app import scenes


@pytest.fixture(autouse=True)
def _unicode_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs do not depend on the locale of whoever runs the tests."""
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _=True: "UTF-8")


@pytest.fixture
def scene_url(writer: Redis, redis_url: str) -> str:
    """A server with a small fleet, some of it in trouble."""
    scenes.small_fleet(writer)
    return redis_url


@pytest.fixture
def task_url(writer: Redis, redis_url: str) -> str:
    """A server with one task that carries everything."""
    scenes.full_task(writer)
    return redis_url
