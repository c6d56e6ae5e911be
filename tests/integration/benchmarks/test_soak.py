"""The soak measures what it says: a monitor that leaks is caught, one that does not is let go."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest

from benchmarks.soak.checks import evaluate_samples
from benchmarks.soak.samples import Sample
from benchmarks.soak.soak_run import Outcome, Plan, Soak

MIB = 1024 * 1024
SHORT = Plan(
    seconds=60.0,
    sample_every_s=0.1,
    settle_s=0.05,
    idle_s=0.0,
    fault_every_s=1_000.0,
    warm_s=2.0,
    gestures=("wait",),
    enough=9,
)
STEADY = [
    Sample(
        at=float(at),
        rss=80 * MIB,
        threads=4,
        fds=12,
        sockets=4,
        cpu_s=0.1 * at,
        tasks=50 + at % 3,
        objects=100_000,
        screens=1,
        polls=at // 2,
        connects=1,
        calm=True,
    )
    for at in range(10, 400, 10)
]


def broken(samples: list[Sample], warm_s: float = 60.0) -> set[str]:
    """Names of what did not hold."""
    return {check.name for check in evaluate_samples(samples, warm_s, 2.0) if not check.ok}


def growing(name: str, by: int) -> list[Sample]:
    """The same samples with one number that rises by so much every time."""
    return [
        replace(one, **{name: getattr(one, name) + by * number})
        for number, one in enumerate(STEADY)
    ]


def test_what_stands_still_passes() -> None:
    assert broken(STEADY) == set()


@pytest.mark.parametrize(
    ("name", "by", "found"),
    [
        ("rss", MIB // 3, "resident"),
        ("tasks", 1, "tasks"),
        ("threads", 1, "threads"),
        ("fds", 1, "descriptors"),
        ("sockets", 1, "sockets"),
        ("polls", 5, "polls"),
        ("polls", -2, "polls"),
    ],
)
def test_what_grows_is_found(name: str, by: int, found: str) -> None:
    assert broken(growing(name, by)) == {found}


def test_growth_before_the_end_of_the_warm_up_is_none() -> None:
    cold = [replace(one, rss=one.rss // 2, fds=3) if one.at < 60 else one for one in STEADY]
    assert broken(cold) == set()


def test_polls_are_not_counted_around_a_fault() -> None:
    late = [replace(one, polls=one.polls - 20 * (one.at >= 200)) for one in STEADY]
    assert broken(late) == {"polls"}
    assert broken([replace(one, calm=one.at != 200) for one in late]) == set()


def test_no_calm_moment_is_no_proof_of_polls() -> None:
    assert broken([replace(one, calm=False) for one in STEADY]) == {"polls"}


def test_too_few_samples_are_no_verdict() -> None:
    assert broken(STEADY[:8]) == {"samples"}


@pytest.mark.skipif(sys.platform != "linux", reason="the soak needs /proc (Linux)")
async def test_a_planted_leak_is_found_and_none_invented() -> None:
    sound, leaky = await asyncio.gather(soak(SHORT), soak(replace(SHORT, leak=True)))
    assert {"resident", "threads", "descriptors"} <= failed(leaky), leaky.checks
    for outcome in (sound, leaky):
        lasting = {"alive to the end", "exit code", "terminal restored", "answers"}
        assert not failed(outcome) & lasting, outcome.checks
        assert not failed(outcome) & {"nothing on stderr", "no crash report"}, outcome.checks
    assert not failed(sound) & {"threads", "samples"}, sound.checks
    assert sound.samples[-1].polls > 0
    assert sound.samples[-1].fds + 10 < leaky.samples[-1].fds


async def soak(plan: Plan) -> Outcome:
    return await Soak(plan, lambda _: None).run()


def failed(outcome: Outcome) -> set[str]:
    return {check.name for check in outcome.checks if not check.ok}
