"""What is wrong with tasks, from audits: one finding per condition and queue, with an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runqy_tui.diagnosis.findings.causes import has_consumer, only_degraded, sick
from runqy_tui.diagnosis.findings.checked_tasks import CheckedLook, Listed
from runqy_tui.diagnosis.findings.finding import (
    DetectorContext,
    Evidence,
    Finding,
    Subject,
    SubjectKind,
)
from runqy_tui.diagnosis.findings.phrasing import (
    at_clock,
    queue_key,
    queue_name,
    restart,
    short,
    task_key,
)
from runqy_tui.model import Queue, QueueKey, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import age, amount, span

_MOST_EXAMPLES = 3


def orphaned(sight: DetectorContext) -> Iterator[Finding]:
    """Active, and nobody holds them: no lease, or one that ended a while ago."""
    for group in sight.listed(TaskState.ACTIVE):
        found = [look for look in group.looks if _is_orphan(sight, group.queue, look)]
        if not found:
            continue
        found.sort(key=lambda look: (look.task.lease_expires_at or 0.0, look.task.id))
        ends = [end for look in found if (end := look.task.lease_expires_at) is not None]
        name = queue_name(group.queue.key)
        if len(found) == 1 and group.whole:
            lease = f"its lease ended at {at_clock(ends[0], sight.now)}" if ends else "has no lease"
            told = f"task {short(found[0].task.id)} of {name} is orphaned: active, but {lease}"
        else:
            told = f"{group.some(len(found))} orphaned in {name}: active, but without a valid lease"
        served = has_consumer(sight, group.queue)
        yield Finding(
            detector="task-orphaned",
            severity=Severity.WARNING,
            subject=_example(group, found),
            reason=f"{group.some(len(found))} orphaned",
            sentence=told,
            next_step="a live worker should take them back within ~3m; if not, enqueue them again"
            if served
            else f"start a worker that serves {name}: it takes them back",
            evidence=tuple(
                Evidence(queue_key(group.queue.key, "lease"), look.task.id, _lease(look))
                for look in found[:_MOST_EXAMPLES]
            ),
            since=min(ends, default=None),
            since_known=bool(ends),
            weight=float(len(found)),
        )


def dangling(sight: DetectorContext) -> Iterator[Finding]:
    """Ids in a list whose task is gone: they count as tasks and can never run."""
    by_queue: dict[QueueKey, list[tuple[Listed, list[CheckedLook]]]] = {}
    for group in sight.listed(TaskState.PENDING, TaskState.ACTIVE, TaskState.RETRY):
        if found := [look for look in group.looks if look.task.missing]:
            by_queue.setdefault(group.queue.key, []).append((group, found))
    for key, groups in by_queue.items():
        number = sum(len(found) for _, found in groups)
        where = " and ".join(group.state.value for group, _ in groups)
        whole = "" if all(group.whole for group, _ in groups) else "at least "
        ids, are = amount(number, "id"), "has" if number == 1 else "have"
        yield Finding(
            detector="task-dangling",
            severity=Severity.WARNING,
            subject=_example(*groups[0]),
            reason=f"{whole}{number:,} dangling",
            sentence=f"{whole}{ids} in {where} of {queue_name(key)} {are} no task any more",
            next_step="nothing can run: remove the id from its list, and ask who deletes tasks",
            evidence=tuple(
                Evidence(
                    queue_key(key, group.state),
                    look.task.id,
                    f"no key {task_key(key, look.task.id)}",
                )
                for group, found in groups
                for look in found[:_MOST_EXAMPLES]
            ),
            weight=float(number),
        )


def over_timeout(sight: DetectorContext) -> Iterator[Finding]:
    """Active for longer than allowed: seen active for that long, or past their deadline."""
    for group in sight.listed(TaskState.ACTIVE):
        if only_degraded(sight, group.queue):
            continue  # then the worker's state explains it: see held_by_degraded
        over = [(by, look) for look in group.looks if (by := _over_by(sight, group.queue, look))]
        if not over:
            continue
        over.sort(key=lambda pair: (-pair[0], pair[1].task.id))
        found = [look for _, look in over]
        name, longest = queue_name(group.queue.key), span(over[0][0])
        if len(found) == 1 and group.whole:
            told = f"task {short(found[0].task.id)} of {name} is {longest} over its time"
        else:
            told = f"{group.some(len(found))} in {name} are over their time, the first by {longest}"
        yield Finding(
            detector="task-over-timeout",
            severity=Severity.WARNING,
            subject=_example(group, found),
            reason=f"{group.some(len(found))} over timeout",
            sentence=f"{told} and still active",
            next_step="see whether its worker is still there, and what its log says",
            evidence=tuple(_limit(sight, group.queue, look) for look in found[:_MOST_EXAMPLES]),
            weight=float(len(found)),
        )


def held_by_degraded(sight: DetectorContext) -> Iterator[Finding]:
    """Active on a queue that only degraded workers consume: the lease is renewed for ever."""
    for group in sight.listed(TaskState.ACTIVE):
        if not only_degraded(sight, group.queue):
            continue
        found = [
            look
            for look in group.looks
            if look.task.state is TaskState.ACTIVE
            and look.task.lease_expires_at is not None
            and look.task.lease_expires_at > look.at
        ]
        if not found:
            continue
        found.sort(key=lambda look: look.task.id)
        held = "task is" if len(found) == 1 else "tasks are"
        yield Finding(
            detector="task-held-by-degraded",
            severity=Severity.WARNING,
            subject=_example(group, found),
            reason=f"{group.some(len(found))} held by a degraded worker",
            sentence=f"{group.some(len(found))} {held} held in {queue_name(group.queue.key)} by a "
            "degraded worker that only renews the lease",
            next_step=f"{restart([worker for worker, _ in sick(sight, group.queue)])}: "
            "that gives the task back",
            evidence=tuple(
                Evidence(queue_key(group.queue.key, "lease"), look.task.id, _lease(look))
                for look in found[:_MOST_EXAMPLES]
            ),
            weight=float(len(found)),
        )


def pending_timeout(sight: DetectorContext) -> Iterator[Finding]:
    """Pending tasks that soon have waited for longer than they may, or already have."""
    for group in sight.listed(TaskState.PENDING):
        near = [(used, look) for look in group.looks if (used := _waited(sight, look)) is not None]
        if not near:
            continue
        near.sort(key=lambda pair: (-pair[0], pair[1].task.id))
        found = [look for _, look in near]
        first = found[0].task
        left = (first.pending_since or 0.0) + (first.pending_timeout_s or 0.0) - sight.now
        ends = f"ends in {age(left)}" if left > 0 else f"ended {age(-left)} ago"
        wait = "task has" if len(found) == 1 else "tasks have"
        yield Finding(
            detector="task-pending-timeout",
            severity=Severity.WARNING,
            subject=_example(group, found),
            reason=f"{group.some(len(found))} near pending timeout",
            sentence=f"{group.some(len(found))} {wait} waited too long in "
            f"{queue_name(group.queue.key)}: the first's pending timeout {ends}",
            next_step=f"let {queue_name(group.queue.key)} drain: more workers, or fewer tasks",
            evidence=tuple(
                Evidence(
                    task_key(group.queue.key, look.task.id),
                    "pending_timeout",
                    f"{look.task.pending_timeout_s:.0f}, "
                    f"pending_since {look.task.pending_since:.0f}",
                )
                for look in found[:_MOST_EXAMPLES]
            ),
            weight=float(len(found)),
        )


def _is_orphan(sight: DetectorContext, queue: Queue, look: CheckedLook) -> bool:
    """Judged as of the look: the hash must say active, or the task had just ended."""
    if not queue.key.braced or look.task.state is not TaskState.ACTIVE or look.task.lease_unread:
        return False
    end = look.task.lease_expires_at
    return end is None or look.at - end > sight.thresholds.orphan_after_s


def _over_by(sight: DetectorContext, queue: Queue, look: CheckedLook) -> float | None:
    """By how much it is over its time for certain; ``None`` where nothing proves that."""
    task = look.task
    if task.state is not TaskState.ACTIVE or _is_orphan(sight, queue, look):
        return None
    first_seen = sight.active_since.get((queue.key, task.id))
    ends = [] if task.deadline is None else [task.deadline]
    if task.timeout_s and first_seen is not None:
        ends.append(first_seen + task.timeout_s)
    if not ends:
        return None
    over = look.at - min(ends)
    return over if over > sight.thresholds.orphan_after_s else None


def _waited(sight: DetectorContext, look: CheckedLook) -> float | None:
    """The used share of the time that the task may wait, where that is nearly all."""
    task = look.task
    if task.state is not TaskState.PENDING or not task.pending_timeout_s:
        return None
    if task.pending_since is None:
        return None
    share = (look.at - task.pending_since) / task.pending_timeout_s
    return share if share >= sight.thresholds.pending_timeout_share else None


def _example(group: Listed, found: Sequence[CheckedLook]) -> Subject:
    return Subject(SubjectKind.TASK, found[0].task.id, group.queue.key)


def _lease(look: CheckedLook) -> str:
    end = look.task.lease_expires_at
    if end is None:
        return "no member"
    left = end - look.at
    return f"{end:.0f}, " + (f"for {span(left)}" if left > 0 else f"over for {span(-left)}")


def _limit(sight: DetectorContext, queue: Queue, look: CheckedLook) -> Evidence:
    task, key = look.task, task_key(queue.key, look.task.id)
    first_seen = sight.active_since.get((queue.key, task.id))
    if task.timeout_s and first_seen is not None:
        seen = f"{task.timeout_s:.0f} s, seen active for {span(look.at - first_seen)}"
        return Evidence(key, "timeout", seen)
    return Evidence(key, "deadline", f"{task.deadline:.0f}")


DETECTORS = (orphaned, dangling, over_timeout, held_by_degraded, pending_timeout)
