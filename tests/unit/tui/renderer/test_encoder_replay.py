"""Frames sent as differences show the same as a full repaint, from any state."""

from __future__ import annotations

import pytest

from tests.support.replay import Run


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_of_frames_looks_like_a_full_repaint(seed: int) -> None:
    run = Run(seed, erases_with_colour=seed % 2 == 0)
    for number, seen, repainted in run.frames(120):
        assert seen == repainted, f"frame {number} of seed {seed}"
    assert sum(run.sizes) > 0
