"""The engine: one poll in, one diagnosis out, whatever the reader can or cannot tell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import FrozenInstanceError

import pytest

from runqy_tui.diagnosis.diagnoser import SERVERS_PER_POLL, Diagnoser, Diagnosis, TaskChecks
from runqy_tui.model import (
    ActiveTask,
    CheckedTask,
    CheckWindow,
    Dialect,
    QueueKey,
    TaskState,
    WindowCheck,
    WorkerState,
)
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.observation.history import Trend
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW, snapshot, worker
from tests.support.polls import KEY, audited, poll


class TellingReader:
    """Tells what it was given, notes what it was asked, or raises."""

    address = "telling:6379"
    deadline_s = 5.0

    def __init__(self, audits: Sequence[WindowCheck] = (), fault: Exception | None = None) -> None:
        self.audits = tuple(audits)
        self.observed: dict[str, CheckedTask] = {}
        self.fault = fault
        self.asked: list[str] = []
        self.servers: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fault is not None:
            raise self.fault

    async def check_tasks(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
        self._ask("check_tasks")
        return self.audits

    async def read_outcomes(self, ids: Sequence[tuple[QueueKey, str]]) -> tuple[CheckedTask, ...]:
        self._ask("read_outcomes")
        return tuple(self.observed[task_id] for _, task_id in ids)

    async def active_tasks(self, worker_id: str) -> tuple[ActiveTask, ...]:
        self._ask("active_tasks")
        self.servers.append(worker_id)
        return (ActiveTask("exact", "q", "t", NOW - 30),)


async def test_an_idle_queue_costs_no_round_trip() -> None:
    reader = TellingReader()
    seen = poll(0)
    known = await Diagnoser().diagnose(reader, seen)
    assert reader.asked == []
    assert known.snapshot is seen
    assert (dict(known.trends), dict(known.durations)) == ({KEY: Trend()}, {})


async def test_trends_and_durations_follow_from_polls() -> None:
    diagnoser, reader = Diagnoser(), TellingReader()
    await diagnoser.diagnose(reader, poll(0, done=10))
    reader.audits = (audited(2, "a"),)
    await diagnoser.diagnose(reader, poll(2, done=10, active=1))
    reader.audits = ()
    await diagnoser.diagnose(reader, poll(32, done=11))
    reader.observed = {"a": CheckedTask("a", state=TaskState.COMPLETED, completed_at=int(NOW) + 31)}
    known = await diagnoser.diagnose(reader, poll(34, done=12))
    assert reader.asked == ["check_tasks", "read_outcomes"]
    found = known.durations[KEY]
    assert found.count == 1
    assert found.p50_s == pytest.approx(30, abs=2 + 1.5)
    assert known.trends[KEY].done_per_s == pytest.approx(0.5)


async def test_audits_reach_the_detectors_and_the_finding_names_the_task() -> None:
    lost = CheckedTask("lost-id", missing=True)
    reader = TellingReader([audited(0, lost, state=TaskState.PENDING)])
    known = await Diagnoser().diagnose(reader, poll(0, pending=1, oldest_pending_since=NOW))
    (finding,) = [one for one in known.findings if "dangling" in one.detector]
    assert any("lost-id" in one.key + one.field + one.value for one in finding.evidence)
    assert finding.before_start


async def test_a_finding_keeps_its_since_between_polls() -> None:
    diagnoser, reader = Diagnoser(), TellingReader()
    degraded = worker("w", WorkerState.DEGRADED, healthy=False)
    await diagnoser.diagnose(reader, snapshot(taken_at=NOW))
    for at in (2, 4):
        seen = snapshot(workers=(degraded,), taken_at=NOW + at)
        known = await diagnoser.diagnose(reader, seen)
    found = next(one for one in known.findings if one.subject.name == "w")
    assert (found.since, found.before_start) == (NOW + 2, False)


@pytest.mark.parametrize("fault", [ConnectionFailedError("gone"), AccessDeniedError("no EXISTS")])
async def test_a_reader_that_cannot_answer_costs_the_audits_and_no_more(
    fault: RunqyTuiError,
) -> None:
    diagnoser = Diagnoser()
    await diagnoser.diagnose(TellingReader([audited(0, "a")]), poll(0, active=1, done=4))
    known = await diagnoser.diagnose(TellingReader(fault=fault), poll(2, active=1, done=6))
    assert known.trends[KEY].done_per_s == 1
    assert [audit.taken_at for audit in diagnoser.sampler.current] == [NOW]


async def test_a_fault_of_the_program_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await Diagnoser().diagnose(TellingReader(fault=ZeroDivisionError()), poll(0, active=1))


async def test_fates_that_could_not_be_read_are_asked_for_again() -> None:
    diagnoser, reader = Diagnoser(), TellingReader()
    await diagnoser.diagnose(reader, poll(0))
    reader.audits = (audited(2, "a"),)
    await diagnoser.diagnose(reader, poll(2, active=1))
    reader.audits = ()
    await diagnoser.diagnose(reader, poll(4))
    await diagnoser.diagnose(TellingReader(fault=ConnectionFailedError("gone")), poll(6))
    reader.observed = {"a": CheckedTask("a", missing=True)}
    known = await diagnoser.diagnose(reader, poll(8))
    assert known.durations[KEY].count == 1
    assert diagnoser.durations.pending_outcomes(9) == []


async def test_asynq_servers_are_asked_in_turn_for_exact_starts() -> None:
    diagnoser, reader = Diagnoser(), TellingReader([audited(0, "exact")])
    servers = tuple(
        worker(f"host:{number}:id", dialect=Dialect.ASYNQ, active_count=int(number != 2))
        for number in range(6)
    )
    for at in (0, 2, 4):
        seen = poll(at, active=1, dialect=Dialect.ASYNQ)
        await diagnoser.diagnose(
            reader, snapshot(queues=seen.queues, workers=servers, taken_at=NOW + at)
        )
    assert SERVERS_PER_POLL == 2
    assert reader.servers == [f"host:{number}:id" for number in (0, 1, 3, 4, 5, 0)]
    await diagnoser.update(poll(6))
    outcome = CheckedTask("exact", missing=True)
    known = await diagnoser.update(poll(8), TaskChecks(ids=[(KEY, "exact")], outcomes=[outcome]))
    assert known.durations[KEY].p50_s == pytest.approx(30 + 3, rel=0.06)


async def test_being_cancelled_is_passed_on_and_takes_nothing_in() -> None:
    class Hanging(TellingReader):
        async def check_tasks(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
            await asyncio.sleep(60)
            return ()

    diagnoser = Diagnoser()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await diagnoser.diagnose(Hanging(), poll(0, active=1))
    assert diagnoser.history.started_at is None


def test_taking_polls_in_needs_no_reader_and_is_the_same_each_time() -> None:
    def replay() -> list[tuple[object, ...]]:
        diagnoser = Diagnoser()
        observed: list[tuple[object, ...]] = []
        for at in range(0, 40, 2):
            known = run_to_end(
                diagnoser.update(poll(at, done=at, pending=at), TaskChecks([audited(at, f"t{at}")]))
            )
            observed.append((known.findings, known.trends, known.durations))
        return observed

    assert replay() == replay()


def test_a_diagnosis_does_not_change() -> None:
    known = run_to_end(Diagnoser().update(poll(0)))
    with pytest.raises(FrozenInstanceError):
        known.findings = ()  # type: ignore[misc]
    assert Diagnosis(poll(0)).findings == ()
    assert isinstance(ObservedDurations(1, 2, 3, 4, 5).count, int)


def test_a_queue_that_goes_is_forgotten() -> None:
    diagnoser = Diagnoser()
    run_to_end(diagnoser.update(poll(0)))
    run_to_end(diagnoser.update(poll(2, active=1), TaskChecks([audited(2, "a")])))
    run_to_end(diagnoser.update(poll(4)))
    outcome = CheckedTask("a", missing=True)
    assert run_to_end(
        diagnoser.update(poll(6), TaskChecks(ids=[(KEY, "a")], outcomes=[outcome]))
    ).durations
    run_to_end(diagnoser.update(snapshot(taken_at=NOW + 8)))
    assert diagnoser.durations.histogram(KEY) is None
