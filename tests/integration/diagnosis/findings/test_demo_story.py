"""The demo's story is told by its findings alone, and a healthy fleet is left in peace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from redis import Redis

from runqy_tui.demo import fleet_spec
from runqy_tui.demo.demo_run import DemoRun
from runqy_tui.demo.heartbeats import BEAT_TTL
from runqy_tui.demo.simulated_fleet import CYCLE_START, SimulatedFleet
from runqy_tui.demo.simulation import World
from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import WorkerState
from runqy_tui.redis import keys
from runqy_tui.text.safe import decode
from tests.conftest import OpenReader

MINUTES = 10
POLL_EVERY = 2
SLACK = 7.0
"""A worker writes its state each 5 s, a poll sees it within 2 s."""
ALWAYS = float("inf")
SECOND_CRASH = CYCLE_START + 150
BUSY_QUEUES = {*fleet_spec.HEALTHY_FLEET.by_name, "critical", "default"}

About = tuple[str, str]
"""A detector, and the worker or queue that it speaks of."""


@dataclass(frozen=True)
class Chapter:
    """Part of the story: ``since`` and ``until`` in seconds, and how its sentence begins."""

    detector: str
    about: str
    since: float
    until: float
    says: str


STORY = (
    Chapter("worker-recovering", fleet_spec.RECOVERING, 0, 110,
            "worker gpu-2:5120 is recovering: vision process restarting, 1 consecutive failure"),
    Chapter("queue-unhealthy-consumers", "vision.default", 0, 110,
            "vision.default is not draining: 1 of 1 consumer recovering ("),
    Chapter("worker-recovering", fleet_spec.CRASHING, 30, 45,
            "worker gpu-4:3390 is recovering: crashy process restarting, 1 consecutive failure"),
    Chapter("worker-degraded", fleet_spec.CRASHING, 45, ALWAYS,
            "worker gpu-4:3390 is degraded: crashy process crashed and is not restarted, "
            "3 consecutive failures"),
    Chapter("queue-unhealthy-consumers", "crashy.default", 45, ALWAYS,
            "crashy.default is not draining: 1 of 1 consumer degraded ("),
    Chapter("task-held-by-degraded", "crashy.default", 45, ALWAYS,
            "1 task in crashy.default is held by a degraded worker that keeps renewing the lease"),
    Chapter("worker-lost", fleet_spec.KILLED, 85, ALWAYS,
            "worker gpu-3:1177 is lost: last heartbeat "),
    Chapter("worker-recovering", fleet_spec.RECOVERING, SECOND_CRASH, SECOND_CRASH + 12,
            "worker gpu-2:5120 is recovering: vision process restarting, 1 consecutive failure"),
)  # fmt: skip
STANDING = {
    ("worker-lost", fleet_spec.LONG_LOST): "worker gpu-1:2203 is lost: last heartbeat ",
    ("queue-no-consumer", fleet_spec.ABANDONED_QUEUE): (
        "legacy.import is not draining: no worker serves it (18 pending)"
    ),
    ("task-orphaned", fleet_spec.ABANDONED_QUEUE): "2 orphaned tasks in legacy.import (active, ",
    ("task-dangling", fleet_spec.ABANDONED_QUEUE): "legacy.import: 1 pending id has no task data",
    (
        "queue-past-due-scheduled",
        "flaky.default",
    ): "flaky.default has scheduled tasks overdue since ",
    ("queue-paused", "low"): "low is not draining: paused at ",
    ("queue-old-pending", "batch.default"): "batch.default: oldest pending 11m, ",
}
"""What is wrong from the first moment on."""
AFTERMATH = {
    ("queue-failing", "crashy.default"),  # what the degraded worker takes, it fails
    ("task-over-timeout", "vision.default"),  # held while its process is restarted
    *(
        (detector, queue)  # held by the killed worker until the leases end
        for detector in ("task-over-timeout", "task-orphaned")
        for queue in ("inference.low", "embed.default")
    ),
}
"""What may follow from the story, as chance has it."""


@dataclass
class Telling:
    """All that was found, by poll: simulated seconds and the findings of that moment."""

    began: float
    polls: list[tuple[float, dict[About, Finding]]] = field(default_factory=list)

    def at(self, what: About) -> list[tuple[float, Finding]]:
        """Every sight of one thing."""
        return [(t, seen[what]) for t, seen in self.polls if what in seen]

    @property
    def all(self) -> set[About]:
        """Everything that was ever said."""
        return {about for _, seen in self.polls for about in seen}


@pytest.mark.timeout(300)
async def test_the_story_is_told_by_findings(writer: Redis, reader_of: OpenReader) -> None:
    telling = Telling(began=0.0)
    world = World(writer)
    async for diagnosis in play(world, reader_of):
        telling.began = telling.began or diagnosis.snapshot.taken_at - world.t
        telling.polls.append((world.t, {about(one): one for one in diagnosis.findings}))
    for chapter in STORY:
        assert_told(telling, chapter)
    for what, says in STANDING.items():
        first = telling.polls[0][1][what]
        assert first.sentence.startswith(says)
        assert first.before_start or first.since_known
    expected = {(chapter.detector, chapter.about) for chapter in STORY}
    assert telling.all <= expected | set(STANDING) | AFTERMATH
    # 110 s: of all that happened only the degraded and the lost worker are left to look after.
    news = {what for t, seen in telling.polls if 240 <= t < SECOND_CRASH for what in seen} - set(
        STANDING
    )
    assert news - AFTERMATH == {
        (chapter.detector, chapter.about) for chapter in STORY if chapter.until == ALWAYS
    }


def assert_told(telling: Telling, chapter: Chapter) -> None:
    """It is there soon after it began, at every poll until it ends, and soon gone."""
    what = chapter.detector, chapter.about
    seen = telling.at(what)
    sentences = [(t, one) for t, one in seen if one.sentence.startswith(chapter.says)]
    begins, first = next((t, one) for t, one in sentences if t >= chapter.since)
    assert begins <= chapter.since + SLACK, what
    assert not [t for t, _ in sentences if ended_before(chapter) <= t < chapter.since], what
    if chapter.detector.startswith("worker-") and not first.since_known:
        assert first.since == pytest.approx(telling.began + begins), what
    # A queue whose process is restarted is spoken of only while tasks wait in it.
    if chapter.detector.startswith("worker-") or chapter.until == ALWAYS:
        polls = [t for t, _ in telling.polls if begins <= t < chapter.until]
        assert [t for t, _ in seen if begins <= t < chapter.until] == polls, what
    gone = chapter.until + SLACK
    again = SECOND_CRASH if gone < SECOND_CRASH else ALWAYS
    assert not [t for t, _ in seen if gone <= t < again], what


def ended_before(chapter: Chapter) -> float:
    """When an earlier chapter about the same was over."""
    same = (one for one in STORY if (one.detector, one.about) == (chapter.detector, chapter.about))
    return max((one.until + SLACK for one in same if one.until < chapter.since), default=0.0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [7, 8])
async def test_ten_minutes_of_a_healthy_fleet(
    writer: Redis, reader_of: OpenReader, seed: int
) -> None:
    polls = [one async for one in play(World(writer, seed=seed, healthy=True), reader_of)]
    assert not described(polls), described(polls)
    first, last = polls[0].snapshot, polls[-1].snapshot
    assert {queue.name for queue in first.queues} >= BUSY_QUEUES
    assert len(polls) == MINUTES * 60 // POLL_EVERY
    assert {spec.id for spec in fleet_spec.WORKERS} < {worker.id for worker in last.workers}
    assert {worker.state for worker in last.workers} == {WorkerState.RUNNING}
    done = {queue.name: queue.succeeded_total for queue in first.queues}
    worked = {q.name for q in last.queues if (q.succeeded_total or 0) > (done.get(q.name) or 0)}
    assert worked >= BUSY_QUEUES


@pytest.mark.timeout(60)
async def test_the_healthy_demo_as_it_is_started(reader_of: OpenReader) -> None:
    polls = []
    with DemoRun(speed=20, healthy=True) as demo:
        assert demo.wait_ready()
        reader, diagnoser = await reader_of(demo.url), Diagnoser()
        ends = time.monotonic() + 8  # 160 s: in the story everything has happened by then
        while time.monotonic() < ends:
            polls.append(await diagnoser.diagnose(reader, await reader.overview()))
            await asyncio.sleep(0.3)
        assert demo.problem() is None
        await reader.close()
    assert not described(polls), described(polls)
    assert len(polls[-1].snapshot.workers) > len(fleet_spec.WORKERS)


def described(polls: list[Diagnosis]) -> str:
    """Each finding once, a line each, as a failing test should name it."""
    sentences = {one.id: f"{one.id}: {one.sentence}" for poll in polls for one in poll.findings}
    return "\n".join(sentences.values())


async def play(world: World, reader_of: OpenReader) -> AsyncIterator[Diagnosis]:
    """Ten minutes as fast as they can be written, looked at every other second of them."""
    begin = world.wall = float(int(time.time()))
    fleet, diagnoser = SimulatedFleet(world), Diagnoser()
    fleet.write_initial_state()
    reader = await reader_of(clock=lambda _: world.wall)
    while world.t < MINUTES * 60:
        for _ in range(POLL_EVERY):
            world.t += 1.0
            world.wall = begin + world.t
            fleet.step()
        expire(world)
        yield await diagnoser.diagnose(reader, await reader.overview())


def expire(world: World) -> None:
    """Let workers expire by the simulated clock: the server counts real seconds."""
    for worker_id in world.client.zrange("asynq:workers", 0, -1):
        assert isinstance(worker_id, bytes)
        key = keys.worker(decode(worker_id))
        beat = world.client.hget(key, "last_beat")
        if beat is not None:
            world.client.pexpire(key, int((float(beat) + BEAT_TTL - world.wall) * 1000))


def about(finding: Finding) -> About:
    """What a finding says of whom; findings about tasks are told by their queue."""
    queue = finding.subject.queue
    return finding.detector, finding.subject.name if queue is None else queue.name
