"""The databases that tests write in the captures' place are the captures, key by key."""

from __future__ import annotations

import pytest

from tests.support.captures import CAPTURES, DESCRIPTIONS, database, read_capture

NAMES = sorted(path.stem for path in DESCRIPTIONS.glob("*.json"))

pytestmark = pytest.mark.captures


def test_every_capture_is_described() -> None:
    assert sorted(path.stem for path in CAPTURES.glob("*.ndjson")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_types_expiries_and_values_are_those_of_the_capture(name: str) -> None:
    real, ours = read_capture(CAPTURES / f"{name}.ndjson"), database(name)
    assert sorted(ours) == sorted(real)
    assert {key: ours[key] for key in ours if ours[key] != real[key]} == {}
