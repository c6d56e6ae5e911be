"""Fixtures of the settings' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.settings_desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty config file and an environment that names it."""
    return Desk(tmp_path)
