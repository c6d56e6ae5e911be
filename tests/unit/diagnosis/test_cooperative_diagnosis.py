"""A poll is taken in in steps: with the same outcome as at once, and others get turns meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from runqy_tui.alerts.alert_states import Alerts
from runqy_tui.alerts.rule_file import default_rules
from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.model import Counts, QueueKey, Recovery, Snapshot, WorkerState
from runqy_tui.runtime import cooperative
from runqy_tui.runtime.cooperative import batches, mark_yielded, run_to_end, yield_to_loop
from tests.support.builders import NOW, queue, snapshot, worker

QUEUES, WORKERS, POLLS = 60, 90, 6


def fleet(poll: int) -> Snapshot:
    """A fleet in trouble: queues grow, fail, or have nobody; some workers are degraded or lost."""
    at = NOW + 20 * poll
    states = (WorkerState.RUNNING, WorkerState.DEGRADED, WorkerState.LOST)
    workers = tuple(
        worker(
            f"w{number:03}",
            states[number % 3] if number % 2 else WorkerState.RUNNING,
            queues={f"q{number % QUEUES:03}": 1},
            recovery={"q": Recovery("degraded", 3, 3)} if number % 3 == 1 else {},
            last_beat_at=at - 2,
        )
        for number in range(WORKERS)
    )
    queues = tuple(
        queue(
            f"q{number:03}",
            counts=Counts(5 + 40 * poll * (number % 4), number % 3, 0, number % 5, 0, 0, 0),
            oldest_pending_since=NOW - 400,
            succeeded_total=100 + 10 * poll,
            failed_total=10 * poll * (number % 2),
            consumers=() if number % 7 == 0 else (f"w{number:03}",),
        )
        for number in range(QUEUES)
    )
    return snapshot(queues=queues, workers=workers, taken_at=at)


def outcome(known: Diagnosis) -> tuple[object, ...]:
    return (
        known.snapshot,
        known.findings,
        dict(known.trends),
        dict(known.durations),
        known.assessment,
        known.unread,
    )


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each step somebody else has a turn."""
    monkeypatch.setattr(cooperative, "MAX_SLICE_S", -1.0)


@pytest.mark.usefixtures("_impatient")
async def test_in_turns_a_poll_tells_the_same_as_at_once() -> None:
    whole, slow = Diagnoser(), Diagnoser()
    alerts_whole, alerts_slow = Alerts(default_rules()), Alerts(default_rules())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            # Whoever looks meanwhile, as windows do, changes nothing by it.
            key = QueueKey(f"q{turns % QUEUES:03}")
            slow.history.trend(key)
            slow.history.increase(key, "failed", 300.0)
            slow.history.worker_series(f"w{turns % WORKERS:03}", "healthy", 600.0)
            await asyncio.sleep(0)

    watching = asyncio.create_task(others())
    for poll in range(POLLS):
        seen = fleet(poll)
        at_once_told = run_to_end(whole.update(seen))
        before = turns
        in_turns_told = await slow.update(seen)
        assert turns - before > 30, "nobody else had a turn"
        assert outcome(in_turns_told) == outcome(at_once_told)
        board = await alerts_slow.update(in_turns_told, slow.history)
        expected = run_to_end(alerts_whole.update(at_once_told, whole.history))
        assert (board.firing, board.pending, board.log) == (
            expected.firing,
            expected.pending,
            expected.log,
        )
    watching.cancel()
    assert len({finding.detector for finding in in_turns_told.findings}) >= 4
    assert board.firing


async def test_short_work_leaves_no_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    watching = asyncio.create_task(others())
    await asyncio.sleep(0)
    began = turns

    async def nothing() -> str:
        await yield_to_loop()
        return "done"

    mark_yielded()
    assert await nothing() == run_to_end(nothing()) == "done"
    assert turns == began
    watching.cancel()


async def test_a_fault_in_a_step_is_raised() -> None:
    async def faulty() -> None:
        await yield_to_loop()
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await faulty()
    with pytest.raises(ValueError, match="wrong"):
        run_to_end(faulty())


async def test_work_that_waits_for_something_needs_a_loop() -> None:
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def waits() -> None:
        await never

    with pytest.raises(RuntimeError, match="only an event loop"):
        run_to_end(waits())


def test_batches_hold_everything_in_order() -> None:
    for count in (0, 1, 16, 17, 100):
        assert [one for part in batches(range(count)) for one in part] == list(range(count))
