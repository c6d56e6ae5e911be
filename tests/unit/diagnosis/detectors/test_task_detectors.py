"""What audits prove about tasks, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.diagnosis.findings.detector_context import ActiveTimes, DetectorContext
from runqy_tui.diagnosis.findings.finding import Finding, SubjectKind
from runqy_tui.model import CheckedTask, Counts, QueueKey, TaskState, WindowCheck, WorkerState
from tests.support.builders import NOW, queue, worker
from tests.unit.diagnosis.findings.detector_contexts import audit, found, names, sight

FINE = worker("gpu-1:1", queues={"q.low": 1})
SICK = worker("gpu-2:2", WorkerState.DEGRADED, healthy=False, queues={"q.low": 1})
KEY = QueueKey("q.low")


def active(task_id: str = "t-1", **fields: Any) -> CheckedTask:
    fields.setdefault("state", TaskState.ACTIVE)
    fields.setdefault("lease_expires_at", NOW + 90)
    return CheckedTask(task_id, **fields)


def waits(task_id: str, state: TaskState, for_s: float) -> CheckedTask:
    """May wait for 100 s."""
    return CheckedTask(task_id, state=state, pending_since=NOW - for_s, pending_timeout_s=100.0)


def seen(*audits: WindowCheck, consumer: str = "gpu-1:1", **more: Any) -> DetectorContext:
    counts = Counts(2, 2, 0, 2, 0, 0, 0)
    one = queue("q.low", counts=counts, consumers=(consumer,) if consumer else ())
    return sight(workers=(FINE, SICK), queues=[one], checks=audits, **more)


def only(one: DetectorContext, detector: str) -> Finding:
    (finding,) = found(one, detector)
    return finding


def test_tasks_in_order() -> None:
    calm = seen(
        audit(
            "q.low",
            TaskState.ACTIVE,
            active(),
            active("t-2", lease_expires_at=NOW - 30),  # a late renewal is no loss
            active("t-3", state=TaskState.COMPLETED, lease_expires_at=None),  # it has just ended
            active("t-4", timeout_s=10.0),  # nothing tells since when it is active
            active("t-5", deadline=NOW - 5),
        ),
        audit(
            "q.low",
            TaskState.PENDING,
            CheckedTask("t-6", state=TaskState.PENDING, pending_since=NOW - 9_000),
            CheckedTask("t-7", state=TaskState.PENDING, pending_timeout_s=60.0),
            waits("t-8", TaskState.PENDING, 79.0),
            waits("t-9", TaskState.ACTIVE, 99.0),
        ),
        audit("q.low", TaskState.RETRY, CheckedTask("t-10", state=TaskState.RETRY)),
    )  # fmt: skip
    assert [name for name in names(calm) if name.startswith("task-")] == []


def test_one_orphan() -> None:
    lost = active(lease_expires_at=NOW - 31)
    finding = only(seen(audit("q.low", TaskState.ACTIVE, lost)), "task-orphaned")
    assert (finding.subject.kind, finding.subject.name) == (SubjectKind.TASK, "t-1")
    assert finding.subject.queue == KEY
    assert finding.id == "task-orphaned:q.low/"
    assert finding.sentence.startswith("task t-1 of q.low is orphaned (active, lease expired at ")
    assert (finding.since, finding.since_known) == (NOW - 31, True)
    assert finding.evidence[0].key == "asynq:{q.low}:lease"
    assert finding.evidence[0].value == f"{NOW - 31:.0f}, expired 31s ago"


def test_orphans_of_a_queue_are_one_finding() -> None:
    audits = audit(
        "q.low",
        TaskState.ACTIVE,
        active("t-1", lease_expires_at=NOW - 100),
        active("t-2", lease_expires_at=None),
        active("t-3"),
        active("t-4", lease_expires_at=NOW - 900),
    )
    finding = only(seen(audits), "task-orphaned")
    assert finding.sentence == "3 orphaned tasks in q.low (active, no valid lease)"
    assert finding.subject.name == "t-2"
    assert (finding.since, finding.weight) == (NOW - 900, 3.0)


def test_a_part_of_a_list_gives_a_least_number() -> None:
    part = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None), total=500)
    finding = only(seen(part), "task-orphaned")
    assert finding.reason == "at least 1 orphaned"
    assert finding.since is None


def test_a_task_is_judged_by_its_latest_look() -> None:
    before = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None), at=NOW - 60)
    after = audit("q.low", TaskState.ACTIVE, active())
    assert found(seen(after, before), "task-orphaned") == []


def test_looks_at_a_list_that_has_emptied_are_forgotten() -> None:
    lost = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None))
    empty = queue("q.low", consumers=("gpu-1:1",))
    assert names(sight(workers=[FINE], queues=[empty], checks=[lost])) == []
    assert names(sight(workers=[FINE], queues=[], checks=[lost])) == []


def test_lists_without_braces_have_no_leases() -> None:
    bare = QueueKey("q.low", braced=False)
    look = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None))
    without = WindowCheck(look.window.__class__(bare, TaskState.ACTIVE, 0, 50), NOW, 1, look.tasks)
    one = queue("q.low", braced=False, counts=Counts(0, 1), consumers=("gpu-1:1",))
    assert names(sight(workers=[FINE], queues=[one], checks=[without])) == []


def test_what_brings_orphans_back() -> None:
    look = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=NOW - 31))
    assert "within ~3m" in only(seen(look), "task-orphaned").next_step
    alone = only(seen(look, consumer=""), "task-orphaned")
    assert alone.next_step == "start a worker that serves q.low: it recovers them"


def test_nothing_brings_back_an_orphan_without_a_lease() -> None:
    """Recoverers read the lease set only."""
    look = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None))
    for consumer in ("gpu-1:1", ""):
        finding = only(seen(look, consumer=consumer), "task-orphaned")
        assert finding.sentence == "task t-1 of q.low is orphaned (active, no lease)"
        assert finding.next_step == (
            "enqueue them again by hand: no worker recovers a task without a lease"
        )


def test_dangling_ids_of_all_states_are_one_finding() -> None:
    finding = only(
        seen(
            audit("q.low", TaskState.PENDING, CheckedTask("p-1", missing=True)),
            audit("q.low", TaskState.ACTIVE, active(), CheckedTask("a-1", missing=True)),
            audit("q.low", TaskState.RETRY, CheckedTask("r-1", state=TaskState.RETRY), total=9),
        ),
        "task-dangling",
    )
    assert finding.sentence == "q.low: 2 pending and active ids have no task data"
    assert finding.evidence[0].value == "no key asynq:{q.low}:t:p-1"
    assert finding.subject.name == "p-1"
    assert finding.next_step == (
        "remove each id (LREM asynq:{q.low}:pending 0 p-1); find out what deletes task keys"
    )


def test_ids_of_what_is_kept_may_dangle() -> None:
    gone = audit("q.low", TaskState.COMPLETED, CheckedTask("c-1", missing=True))
    assert found(seen(gone), "task-dangling") == []


def test_over_its_deadline() -> None:
    late = audit("q.low", TaskState.ACTIVE, active(deadline=NOW - 90))
    finding = only(seen(late), "task-over-timeout")
    assert finding.sentence == "task t-1 of q.low is still active 1m 30s after its time limit"
    assert finding.evidence[0].field == "deadline"


def test_over_its_timeout_by_what_was_seen() -> None:
    late = audit("q.low", TaskState.ACTIVE, active(timeout_s=60.0), active("t-2", timeout_s=60.0))
    since = {(KEY, "t-1"): NOW - 200, (KEY, "t-2"): NOW - 85}
    finding = only(seen(late, active_since=since), "task-over-timeout")
    assert (finding.subject.name, finding.weight) == ("t-1", 1.0)
    assert finding.evidence[0].value == "60 s, seen active for 3m 20s"


def test_an_orphan_is_not_over_its_time_as_well() -> None:
    lost = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=None, deadline=NOW - 900))
    assert [n for n in names(seen(lost)) if n.startswith("task-")] == ["task-orphaned"]


def test_held_by_a_degraded_worker() -> None:
    held = audit("q.low", TaskState.ACTIVE, active(deadline=NOW - 900))
    stuck = seen(held, consumer="gpu-2:2")
    finding = only(stuck, "task-held-by-degraded")
    assert finding.sentence == (
        "1 task in q.low is held by a degraded worker that keeps renewing the lease"
    )
    assert finding.next_step == "restart runqy-worker on gpu-2 (pid 2): that releases the task"
    assert found(stuck, "task-over-timeout") == []
    assert found(seen(held), "task-held-by-degraded") == []


def test_a_lease_that_ends_is_not_held() -> None:
    loose = audit("q.low", TaskState.ACTIVE, active(lease_expires_at=NOW - 5))
    assert found(seen(loose, consumer="gpu-2:2"), "task-held-by-degraded") == []


@pytest.mark.parametrize(
    ("waited", "expected"), [(80.0, "expires in 20s"), (160.0, "expired 1m ago")]
)
def test_near_or_past_the_pending_timeout(waited: float, expected: str) -> None:
    near = CheckedTask(
        "t-1", state=TaskState.PENDING, pending_since=NOW - waited, pending_timeout_s=100.0
    )
    finding = only(seen(audit("q.low", TaskState.PENDING, near)), "task-pending-timeout")
    assert finding.sentence.endswith(f"near the pending timeout: the first {expected}")


def test_first_sight_lasts_as_long_as_the_task_is_seen_active() -> None:
    known = ActiveTimes()
    one = active("t-1")
    known.observe([audit("q.low", TaskState.ACTIVE, one, active("t-2"), at=NOW)])
    known.observe([audit("q.low", TaskState.ACTIVE, one, at=NOW + 10)])
    assert known.since == {(KEY, "t-1"): NOW}
    again = active("t-1", last_failed_at=NOW + 15)
    known.observe([audit("q.low", TaskState.ACTIVE, again, active("t-2"), at=NOW + 20)])
    assert known.since == {(KEY, "t-1"): NOW + 15, (KEY, "t-2"): NOW + 20}
    known.observe([audit("q.low", TaskState.PENDING, one)])
    assert known.since == {}
