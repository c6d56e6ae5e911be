"""The choice itself, and who must not take a queue that was not read for one that stands still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runqy_tui.config import Settings, validation
from runqy_tui.diagnosis.detectors.overdue_detectors import stuck_retries
from runqy_tui.diagnosis.findings.detector_context import DetectorContext, Thresholds
from runqy_tui.model import (
    Counts,
    Dialect,
    Queue,
    QueueKey,
    RedisInfo,
    Snapshot,
    Worker,
    WorkerState,
)
from runqy_tui.model.errors import ConfigError
from runqy_tui.monitor.poller import Poller, PollResult, pause_after
from runqy_tui.monitor.store import Store, View
from runqy_tui.observation.history import History
from runqy_tui.presentation.queue_columns import QUEUE_TABLE
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.presentation.worker_columns import WORKER_TABLE
from runqy_tui.redis.polling import budget as budget_module
from runqy_tui.redis.polling.budget import Budget, select_queues
from runqy_tui.redis.polling.queue_state import CachedQueue, QueueReading
from runqy_tui.runtime.cooperative import run_to_end
from runqy_tui.tui.tables.queue_rows import queue_rows
from runqy_tui.tui.tables.worker_rows import worker_rows
from runqy_tui.tui.widgets.header_bar import header_parts

NOW = 1_000.0
KEY = QueueKey("a.b")


def memory(name: str, read_at: float, *, changed_at: float = 0.0, pending: int = 0) -> CachedQueue:
    made = CachedQueue(QueueKey(name), registered=True, read_at=read_at, changed_at=changed_at)
    made.commands("2026-01-01")
    made.reading = QueueReading({})
    made.queue = Queue(made.key, counts=Counts(pending=pending, active=0))
    return made


def names(*memories: CachedQueue, watched: tuple[str, ...] = (), room: int) -> list[str]:
    keys = {QueueKey(name) for name in watched}
    return [key.name for key in select_queues(memories, keys, room, NOW)]


def test_the_longest_unread_come_first() -> None:
    cost = memory("x", 0).cost
    quiet = [memory(f"q{number}", 900 - number) for number in range(5)]
    assert names(*quiet, room=2 * cost) == ["q4", "q3"]


def test_on_the_screen_comes_before_all_and_costs_what_it_costs() -> None:
    quiet = [memory(f"q{number}", 900 - number) for number in range(3)]
    assert names(*quiet, watched=("q0", "q1"), room=0)[:2] == ["q0", "q1"]


def test_what_moves_leaves_a_quarter_to_the_others() -> None:
    cost = memory("x", 0).cost
    busy = [memory(f"b{number}", 900, changed_at=NOW - 1) for number in range(20)]
    quiet = [memory(f"q{number}", 500) for number in range(20)]
    chosen = names(*busy, *quiet, room=8 * cost)
    assert sum(name.startswith("b") for name in chosen) == 6
    assert sum(name.startswith("q") for name in chosen) == 2


def test_who_needs_less_leaves_it_to_the_others() -> None:
    cost = memory("x", 0).cost
    busy = [memory("b", 900, pending=3)]
    quiet = [memory(f"q{number}", 500) for number in range(9)]
    assert len(names(*busy, *quiet, room=8 * cost)) == 8
    assert len(names(*(memory(f"b{n}", 9, pending=1) for n in range(9)), room=8 * cost)) == 8


def test_the_least_budget_still_goes_round() -> None:
    assert len(names(memory("a", 900), memory("b", 800), room=0)) == 1


def test_a_budget_is_so_many_a_second_and_what_was_left_over() -> None:
    budget = Budget(500)  # a second passes between any two questions here
    budget.spend(budget.allowance())
    assert budget.allowance() == 500
    budget.spend(200)
    assert budget.allowance() == 800
    budget.spend(900)
    assert budget.allowance() == 400, "what was too much is taken off"
    budget.spend(90_000)
    budget.allowance()
    assert budget.allowance() == 500, "but no more than a second's worth"


def test_a_budget_that_is_spent_leaves_something(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(500)
    monkeypatch.setattr(budget_module, "monotonic", lambda: budget._at)
    budget.spend(5_000)
    assert budget.allowance() == 500 * budget_module.LEAST_S


def test_a_long_pause_is_not_saved_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(500)
    monkeypatch.setattr(budget_module, "monotonic", lambda: 1e6)
    assert budget.allowance() == 500 * 30


def poll(at: float, pending: int, read_at: float | None = None) -> Snapshot:
    counts = Counts(pending=pending, active=0, retry=0, scheduled=0, archived=0)
    queue = Queue(
        KEY,
        Dialect.RUNQY,
        counts,
        succeeded_total=int(at),
        processed_total=int(at),
        failed_total=0,
    )
    unread = {} if read_at is None else {KEY: read_at}
    return Snapshot(at, RedisInfo("x"), (queue,), unread_queues=unread)


def test_no_number_is_written_for_what_was_not_read() -> None:
    history = History()
    run_to_end(history.observe(poll(100, 5)))
    run_to_end(history.observe(poll(102, 5, read_at=100)))
    run_to_end(history.observe(poll(104, 9)))
    assert [point.value for point in history.series(KEY, "pending", 60)] == [5, None, 9]


def test_a_rate_is_over_what_was_read() -> None:
    history = History()
    for at in range(100, 122, 2):
        read_at = None if at % 10 == 0 else float(at - at % 10)
        run_to_end(history.observe(poll(at, 0, read_at=read_at)))
    shown = history.trend(KEY)
    assert shown.done_per_s == pytest.approx(1.0)
    run_to_end(history.observe(poll(124, 0, read_at=120.0)))
    assert history.trend(KEY) is shown


def test_what_was_due_when_it_was_read_may_have_run_since() -> None:
    def stuck(read_at: float | None) -> bool:
        queue = Queue(KEY, Dialect.RUNQY, Counts(retry=1), next_retry_at=NOW)
        now = NOW + Thresholds().stuck_after_s + 5
        unread = {} if read_at is None else {KEY: read_at}
        snapshot = Snapshot(now, RedisInfo("x"), (queue,), unread_queues=unread)
        sight = DetectorContext(snapshot=snapshot, history=History())
        return bool(list(stuck_retries.detect(sight)))

    assert stuck(None)
    assert not stuck(NOW + 1)


def test_the_pace_is_what_really_happens() -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    poller = Poller(never, never, 2.0)  # type: ignore[arg-type]
    assert poller.pace_s == pytest.approx(2.0)
    poller._took_s = 1.0
    assert poller.pace_s == pytest.approx(2.0)
    poller._took_s = 4.0
    assert poller.pace_s == 4.0 + pause_after(2.0, 4.0) == 6.0


@pytest.mark.parametrize("value", [99, 2_000_000, True, "many", 2.5])
def test_a_budget_that_makes_no_sense_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="--budget"):
        validation.commands(value, "--budget")


def test_a_row_says_of_when_it_is_where_that_is_long_ago() -> None:
    def note(read_at: float) -> str:
        snapshot = replace(poll(NOW, 0, read_at=read_at), taken_at=NOW)
        store = Store()
        store.apply(PollResult(at=0.0, snapshot=snapshot))
        (row,) = queue_rows(store.view)
        return QUEUE_TABLE.column("note").value(row, DisplayContext.of(snapshot))

    assert note(NOW - 20) == "as of 20s ago"
    assert "as of" not in note(NOW - 2)


def test_a_worker_says_so_too() -> None:
    def note(read_at: float | None) -> str:
        worker = Worker("w:1", Dialect.RUNQY, WorkerState.STOPPED)
        unread = {} if read_at is None else {"w:1": read_at}
        snapshot = Snapshot(NOW, RedisInfo("x"), (), (worker,), unread_workers=unread)
        store = Store()
        store.apply(PollResult(at=0.0, snapshot=snapshot))
        (row,) = worker_rows(store.view)
        return WORKER_TABLE.column("note").value(row, DisplayContext.of(snapshot))

    assert note(NOW - 20) == "stopped cleanly (as of 20s ago)"
    assert note(NOW - 6) == note(None) == "stopped cleanly"


def test_the_header_says_how_old_the_oldest_is_and_by_which_budget() -> None:
    def shown(oldest_s: float | None) -> str:
        view = replace(View(), snapshot=Snapshot(NOW, RedisInfo("x", oldest_s=oldest_s)))
        parts = header_parts(view, 2.0, 0.0, Settings(budget=1_500))
        return " ".join(part.content.plain for part in parts)

    assert "poll 2s · 0 ms · 0 trips oldest data 9s at 1,500/s" in shown(9.2)
    assert "within" not in shown(None)
