"""Sends random sequences of frames through the encoder to a terminal, and checks the result.

    python scripts/frames.py --frames 100000

After each frame the screen of pyte, fed with what the encoder sent since the start, must equal the
screen of another that was fed with a full repaint: every cell, every style. Sizes, numbers of
colours and ways to erase take turns. A difference is printed with the seed that shows it again.
Exits 1 if there was any. The tests play a few of the same sequences.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.color import ColorSystem

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.replay import Run

AT_ONCE = 500
"""Frames of one sequence."""
_COLOURS = (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD)


class Played(NamedTuple):
    """One sequence: frames without a difference, bytes sent, and the frame that differs."""

    seed: int
    frames: int
    sent: int
    differs: int | None


def play(seed: int) -> Played:
    """Play the sequence of a seed until its end or the first difference."""
    run = Run(
        seed,
        width=8 + seed * 7 % 60,
        height=2 + seed % 14,
        erases_with_colour=seed % 2 == 0,
        colours=_COLOURS[seed % len(_COLOURS)],
    )
    done = 0
    for number, seen, repainted in run.frames(AT_ONCE):
        if seen != repainted:
            return Played(seed, done, sum(run.sizes), number)
        done += 1
    return Played(seed, done, sum(run.sizes), None)


def played(seeds: range, processes: int) -> Iterator[Played]:
    """Play all seeds, some at once."""
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(play, seeds)


def main() -> int:
    """Play until there were enough frames."""
    usage = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usage.add_argument("--frames", type=int, default=100_000)
    usage.add_argument("--first", type=int, default=0, metavar="SEED")
    usage.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = usage.parse_args()
    seeds = range(options.first, options.first + -(-options.frames // AT_ONCE))
    frames = sent = differences = 0
    for one in played(seeds, options.processes):
        frames, sent = frames + one.frames, sent + one.sent
        if one.differs is not None:
            differences += 1
            print(f"seed {one.seed}: frame {one.differs} differs", flush=True)
    print(f"{frames:,} frames, {sent:,} bytes, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
