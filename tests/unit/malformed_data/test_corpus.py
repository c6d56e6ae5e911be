"""The seeds of the fuzzer, and what it once found: each goes through its way in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.byte_inputs import ENTRIES

CORPUS = Path(__file__).parents[2] / "corpus"
SEEDS = sorted(CORPUS.glob("*/*.bin"))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.parent.name}/{seed.stem}")
def test_seed(seed: Path) -> None:
    ENTRIES[seed.parent.name](seed.read_bytes())


def test_every_way_in_has_seeds() -> None:
    assert {seed.parent.name for seed in SEEDS} == ENTRIES.keys()
