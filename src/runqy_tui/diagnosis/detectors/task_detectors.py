"""Conditions of tasks, from checks: one finding per condition and queue, with an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runqy_tui.diagnosis.findings.causes import all_degraded, has_consumer, unhealthy_consumers
from runqy_tui.diagnosis.findings.detector_context import (
    CheckedState,
    DetectorContext,
    TimedCheck,
)
from runqy_tui.diagnosis.findings.finding import Evidence, Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import (
    queue_key,
    queue_name,
    restart_step,
    short,
    task_key,
    utc_clock,
)
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model import Queue, QueueKey, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import age, span

_MAX_EXAMPLES = 3


@detector(
    "task-orphaned",
    severity=Severity.WARNING,
    title="Orphaned tasks",
    meaning="Tasks are active and no worker holds them: their lease expired more than 30 seconds "
    "ago, or they have none. A live worker of the queue recovers tasks whose lease has expired, "
    "within about 3 minutes. Recoverers read the lease set only, so a task without any lease is "
    "never recovered.",
    evidence="The id is in asynq:{queue}:active and has state active; its score in "
    "asynq:{queue}:lease, the unix second at which the lease ends, has passed or is missing.",
    fix="Make sure that a worker serves the queue, and wait 3 minutes. Enqueue tasks that are "
    "still orphaned, and those without a lease, again by hand.",
)
def orphaned(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with active tasks that no worker holds."""
    for group in context.checked(TaskState.ACTIVE):
        found = [check for check in group.checks if _is_orphan(context, group.queue, check)]
        if not found:
            continue
        found.sort(key=lambda check: (check.task.lease_expires_at or 0.0, check.task.id))
        ends = [end for check in found if (end := check.task.lease_expires_at) is not None]
        lease = "no valid lease"
        if len(ends) in (0, len(found)):
            lease = "lease expired" if ends else "no lease"
        name = queue_name(group.queue.key)
        if len(found) == 1 and group.complete:
            at = f" at {utc_clock(ends[0], context.now)}" if ends else ""
            sentence = f"task {short(found[0].task.id)} of {name} is orphaned (active, {lease}{at})"
        else:
            sentence = f"{_tasks(group, found, 'orphaned')} in {name} (active, {lease})"
        yield orphaned.finding(
            _example(group, found),
            reason=f"{group.number(len(found))} orphaned",
            sentence=sentence,
            next_step=_recovery_step(context, group, some_expired=bool(ends), name=name),
            evidence=[_lease(group, check) for check in found[:_MAX_EXAMPLES]],
            since=min(ends, default=None),
            weight=float(len(found)),
        )


def _recovery_step(
    context: DetectorContext, group: CheckedState, *, some_expired: bool, name: str
) -> str:
    if not some_expired:
        return "enqueue them again by hand: no worker recovers a task without a lease"
    if has_consumer(context, group.queue):
        return "wait: a live worker recovers them within ~3m; else enqueue them again by hand"
    return f"start a worker that serves {name}: it recovers them"


@detector(
    "task-dangling",
    severity=Severity.WARNING,
    title="Dangling task ids",
    meaning="Ids in pending, active or retry have no task data: they are counted as tasks and can "
    "never run. Something deleted or expired the task keys. In completed and archived this is "
    "normal and not reported.",
    evidence="The id is in the list or set, and its key asynq:{queue}:t:<id> does not exist.",
    fix="Remove the ids from the list (LREM) or set (ZREM), and find out what deletes task keys: "
    "eviction, a TTL, or a person.",
)
def dangling(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with ids of pending, active or retry whose task data is missing."""
    by_queue: dict[QueueKey, list[tuple[CheckedState, list[TimedCheck]]]] = {}
    for group in context.checked(TaskState.PENDING, TaskState.ACTIVE, TaskState.RETRY):
        if found := [check for check in group.checks if check.task.missing]:
            by_queue.setdefault(group.queue.key, []).append((group, found))
    for key, groups in by_queue.items():
        number = sum(len(found) for _, found in groups)
        states = " and ".join(group.state.value for group, _ in groups)
        at_least = "" if all(group.complete for group, _ in groups) else "at least "
        ids, have = ("id", "has") if number == 1 else ("ids", "have")
        first, (example, *_) = groups[0]
        yield dangling.finding(
            _example(*groups[0]),
            reason=f"{at_least}{number:,} dangling",
            sentence=f"{queue_name(key)}: {at_least}{number:,} {states} {ids} {have} no task data",
            next_step=f"remove {'the id' if number == 1 else 'each id'} "
            f"({_remove_command(first, example.task.id)}); find out what deletes task keys",
            evidence=[
                Evidence(
                    queue_key(key, group.state),
                    check.task.id,
                    f"no key {task_key(key, check.task.id)}",
                )
                for group, found in groups
                for check in found[:_MAX_EXAMPLES]
            ],
            weight=float(number),
        )


def _remove_command(group: CheckedState, task_id: str) -> str:
    key = short(queue_key(group.queue.key, group.state), 96)
    if group.state is TaskState.RETRY:
        return f"ZREM {key} {short(task_id)}"
    return f"LREM {key} 0 {short(task_id)}"


@detector(
    "task-over-timeout",
    severity=Severity.WARNING,
    title="Task over its timeout",
    meaning="Tasks are active past their deadline, or were seen active for longer than their "
    "timeout. runqy-worker does not enforce a message's timeout, so nothing ends such a task; it "
    "holds a slot, and tasks of the same parent queue wait behind it.",
    evidence="timeout or deadline of the task, and for how long the task was seen active.",
    fix="Check that its worker is running and read its log. If the task hangs, restart the worker.",
)
def over_timeout(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with tasks that are active past their time limit."""
    for group in context.checked(TaskState.ACTIVE):
        if all_degraded(context, group.queue):
            continue  # the worker's state explains it: see held_by_degraded
        over = [
            (by, check) for check in group.checks if (by := _over_by(context, group.queue, check))
        ]
        if not over:
            continue
        over.sort(key=lambda pair: (-pair[0], pair[1].task.id))
        found = [check for _, check in over]
        name, longest = queue_name(group.queue.key), span(over[0][0])
        if len(found) == 1 and group.complete:
            task = short(found[0].task.id)
            sentence = f"task {task} of {name} is still active {longest} after its time limit"
        else:
            sentence = (
                f"{_tasks(group, found, 'active')} in {name} past the time limit, the longest by "
                f"{longest}"
            )
        yield over_timeout.finding(
            _example(group, found),
            reason=f"{group.number(len(found))} over timeout",
            sentence=sentence,
            next_step="check that its worker is running, and read the worker's log",
            evidence=[
                _limit_evidence(context, group.queue, check) for check in found[:_MAX_EXAMPLES]
            ],
            weight=float(len(found)),
        )


@detector(
    "task-held-by-degraded",
    severity=Severity.WARNING,
    title="Task held by a degraded worker",
    meaning="Tasks are active in a queue whose consumers are all degraded. The worker renews their "
    "lease without end while the process that should run them is gone, so they are never "
    "recovered.",
    evidence="The task is active, its lease in asynq:{queue}:lease is valid, and every consumer of "
    "the queue is degraded.",
    fix="Restart the degraded workers: that releases the tasks. If the process crashes again, the "
    "task itself may be the cause and has to be removed.",
)
def held_by_degraded(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with tasks whose lease only degraded workers renew."""
    for group in context.checked(TaskState.ACTIVE):
        if not all_degraded(context, group.queue):
            continue
        found = [
            check
            for check in group.checks
            if check.task.state is TaskState.ACTIVE
            and check.task.lease_expires_at is not None
            and check.task.lease_expires_at > check.at
        ]
        if not found:
            continue
        found.sort(key=lambda check: check.task.id)
        step = restart_step([worker for worker, _ in unhealthy_consumers(context, group.queue)])
        are, tasks = ("is", "task") if len(found) == 1 else ("are", "tasks")
        yield held_by_degraded.finding(
            _example(group, found),
            reason=f"{group.number(len(found))} held by a degraded worker",
            sentence=f"{_tasks(group, found)} in {queue_name(group.queue.key)} {are} held by a "
            "degraded worker that keeps renewing the lease",
            next_step=f"{step}: that releases the {tasks}",
            evidence=[_lease(group, check) for check in found[:_MAX_EXAMPLES]],
            weight=float(len(found)),
        )


@detector(
    "task-pending-timeout",
    severity=Severity.WARNING,
    title="Pending timeout near",
    meaning="Pending tasks have used 80 % or more of the time for which they may wait; after it "
    "they are given up. runqy-worker applies this to retried tasks only: of fresh tasks it "
    "misreads the time of enqueueing and runs them all the same.",
    evidence="pending_timeout and pending_since of the task's hash.",
    fix="Add workers for the queue or enqueue fewer tasks.",
)
def pending_timeout(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with tasks near their pending timeout or past it."""
    for group in context.checked(TaskState.PENDING):
        near = [
            (used, check)
            for check in group.checks
            if (used := _used_share(context, check)) is not None
        ]
        if not near:
            continue
        near.sort(key=lambda pair: (-pair[0], pair[1].task.id))
        found = [check for _, check in near]
        first = found[0].task
        left = (first.pending_since or 0.0) + (first.pending_timeout_s or 0.0) - context.now
        ends = f"expires in {age(left)}" if left > 0 else f"expired {age(-left)} ago"
        are, name = "is" if len(found) == 1 else "are", queue_name(group.queue.key)
        yield pending_timeout.finding(
            _example(group, found),
            reason=f"{group.number(len(found))} near pending timeout",
            sentence=f"{_tasks(group, found, 'pending')} in {name} {are} near the pending timeout: "
            f"the first {ends}",
            next_step=f"add workers for {name} or enqueue fewer tasks",
            evidence=[
                Evidence(
                    task_key(group.queue.key, check.task.id),
                    "pending_timeout",
                    f"{check.task.pending_timeout_s:.0f}, "
                    f"pending_since {check.task.pending_since:.0f}",
                )
                for check in found[:_MAX_EXAMPLES]
            ],
            weight=float(len(found)),
        )


def _is_orphan(context: DetectorContext, queue: Queue, check: TimedCheck) -> bool:
    """Decide as of the check; a task whose hash is not active had just ended."""
    task = check.task
    if not queue.key.braced or task.state is not TaskState.ACTIVE or task.lease_unread:
        return False
    end = task.lease_expires_at
    return end is None or check.at - end > context.thresholds.orphan_after_s


def _over_by(context: DetectorContext, queue: Queue, check: TimedCheck) -> float | None:
    """Return the seconds past its time limit; ``None`` where nothing proves that it is past."""
    task = check.task
    if task.state is not TaskState.ACTIVE or _is_orphan(context, queue, check):
        return None
    first_seen = context.active_since.get((queue.key, task.id))
    ends = [] if task.deadline is None else [task.deadline]
    if task.timeout_s and first_seen is not None:
        ends.append(first_seen + task.timeout_s)
    if not ends:
        return None
    over = check.at - min(ends)
    return over if over > context.thresholds.orphan_after_s else None


def _used_share(context: DetectorContext, check: TimedCheck) -> float | None:
    """Return the used share of the pending timeout if it has reached the threshold."""
    task = check.task
    if task.state is not TaskState.PENDING or not task.pending_timeout_s:
        return None
    if task.pending_since is None:
        return None
    share = (check.at - task.pending_since) / task.pending_timeout_s
    return share if share >= context.thresholds.pending_timeout_share else None


def _tasks(group: CheckedState, found: Sequence[TimedCheck], kind: str = "") -> str:
    """Format ``2 orphaned tasks``, ``at least 1 orphaned task``."""
    noun = "task" if len(found) == 1 else "tasks"
    return " ".join(filter(None, (group.number(len(found)), kind, noun)))


def _example(group: CheckedState, found: Sequence[TimedCheck]) -> Subject:
    return Subject(SubjectKind.TASK, found[0].task.id, group.queue.key)


def _lease(group: CheckedState, check: TimedCheck) -> Evidence:
    end = check.task.lease_expires_at
    value = "no member"
    if end is not None:
        left = end - check.at
        moment = f"expires in {span(left)}" if left > 0 else f"expired {span(-left)} ago"
        value = f"{end:.0f}, {moment}"
    return Evidence(queue_key(group.queue.key, "lease"), check.task.id, value)


def _limit_evidence(context: DetectorContext, queue: Queue, check: TimedCheck) -> Evidence:
    task, key = check.task, task_key(queue.key, check.task.id)
    first_seen = context.active_since.get((queue.key, task.id))
    if task.timeout_s and first_seen is not None:
        seen = f"{task.timeout_s:.0f} s, seen active for {span(check.at - first_seen)}"
        return Evidence(key, "timeout", seen)
    return Evidence(key, "deadline", f"{task.deadline:.0f}")
