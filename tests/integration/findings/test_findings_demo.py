"""The demo's story is told by its findings, and its healthy part is left in peace."""

from __future__ import annotations

import time

import pytest
from redis import Redis

from runqy_tui.demo import cast
from runqy_tui.demo.fleet import Fleet
from runqy_tui.demo.world import World
from runqy_tui.findings.base import Finding
from tests.conftest import OpenReader
from tests.integration.findings.looking import Observer

HEALTHY_WORKERS = {cast.BUSY, cast.MIXED, cast.WORKHORSE, cast.IDLE, cast.STOPPING, cast.JOINING}
HEALTHY_QUEUES = {"inference.high", "inference.default", "embed.default", "reports.default"}
MINUTES = 10


@pytest.mark.timeout(300)
async def test_ten_minutes_of_the_demo(writer: Redis, reader_of: OpenReader) -> None:
    seen = await play(writer, reader_of)
    spoken = {(finding.detector, subject(finding)) for _, finding in seen.values()}
    about = {name for _, name in spoken}
    assert about.isdisjoint(HEALTHY_WORKERS | HEALTHY_QUEUES)
    assert "detector-failed" not in {detector for detector, _ in spoken}
    assert {
        ("worker-recovering", cast.RECOVERING),
        ("worker-degraded", cast.CRASHING),
        ("worker-lost", cast.LONG_LOST),
        ("queue-unhealthy-consumers", "crashy.default"),
        ("task-held-by-degraded", "crashy.default"),
        ("queue-no-consumer", cast.ABANDONED_QUEUE),
        ("task-orphaned", cast.ABANDONED_QUEUE),
        ("task-dangling", cast.ABANDONED_QUEUE),
        ("queue-past-due-scheduled", "flaky.default"),
        ("queue-paused", "low"),
    } <= spoken
    began = {finding.detector: at for at, finding in seen.values()}
    assert began["worker-recovering"] < 45 < began["worker-degraded"] < 60


async def play(writer: Redis, reader_of: OpenReader) -> dict[str, tuple[float, Finding]]:
    """Every finding at its first sight, in simulated time."""
    world = World(writer)
    begin = world.wall = float(int(time.time()))
    fleet = Fleet(world)
    fleet.begin()
    observer = Observer(await reader_of(clock=lambda _: world.wall))
    seen: dict[str, tuple[float, Finding]] = {}
    while world.t < MINUTES * 60:
        for _ in range(4):
            world.t += 1.0
            world.wall = begin + world.t
            fleet.step()
        for finding in await observer.poll():
            seen.setdefault(finding.id, (world.t, finding))
    return seen


def subject(finding: Finding) -> str:
    return finding.subject.name if finding.subject.queue is None else finding.subject.queue.name
