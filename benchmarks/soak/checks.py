"""Checks on the samples: growth and polls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from benchmarks.soak.samples import Sample

RSS_WITHIN = 0.05
POLLS_WITHIN = 0.10
TASKS_WITHIN = 3
"""A notification uses one or two tasks while it is shown."""
LEAST = 3
"""Samples in a third, and polls in all, that a check needs."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its result."""

    name: str
    ok: bool
    detail: str


def evaluate_samples(samples: Sequence[Sample], warm_s: float, interval_s: float) -> list[Check]:
    """Compare the last third after the warm-up with the first one, and count the polls."""
    warm = [sample for sample in samples if sample.at >= warm_s]
    size = len(warm) // 3
    if size < LEAST:
        return [Check("samples", False, f"{len(warm)} after the warm-up are too few")]
    first, last = warm[:size], warm[-size:]
    return [
        _resident(first, last),
        _growth("tasks", first, last, lambda one: one.tasks, TASKS_WITHIN),
        _growth("threads", first, last, lambda one: one.threads),
        _growth("descriptors", first, last, lambda one: one.fds),
        _growth("sockets", first, last, lambda one: one.sockets),
        _polls(samples, interval_s),
    ]


def _resident(first: Sequence[Sample], last: Sequence[Sample]) -> Check:
    before, after = (median(one.rss for one in part) for part in (first, last))
    change = after / before - 1
    detail = f"{before / _MIB:.1f} MiB, then {after / _MIB:.1f} MiB: {change:+.1%}"
    return Check("resident", change <= RSS_WITHIN, detail)


def _growth(
    name: str,
    first: Sequence[Sample],
    last: Sequence[Sample],
    of: Callable[[Sample], int],
    within: int = 0,
) -> Check:
    before, after = (median(map(of, part)) for part in (first, last))
    most = max(*map(of, first), *map(of, last))
    detail = f"{before:g}, then {after:g} (at most {most})"
    return Check(name, after <= before + within, detail)


def _polls(samples: Sequence[Sample], interval_s: float) -> Check:
    calm = [(before, after) for before, after in pairwise(samples) if after.calm]
    seconds = sum(after.at - before.at for before, after in calm)
    polls = sum(after.polls - before.polls for before, after in calm)
    expected = seconds / interval_s
    detail = f"{polls} in {seconds:.0f} s without a fault, {expected:.0f} expected"
    near = abs(polls - expected) <= max(2.0, POLLS_WITHIN * expected)
    return Check("polls", near and expected >= LEAST, detail)
