"""Failed tasks grouped by the signature of their error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.diagnosis.signatures.error_signature import ErrorReading, Signature, read
from runqy_tui.model import QueueKey, TaskRow, TaskState


class Failure(NamedTuple):
    """A failed task of a group. ``at``: when it failed, unix seconds, if anything tells."""

    queue: QueueKey
    task_id: str
    state: TaskState
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures of one kind.

    ``count`` is how many of the sample it holds, ``share`` its part of those that have an error
    text (0 to 1). ``headline`` is the text that all of them share, or the signature's title where
    they differ. ``queues`` and ``tasks`` begin with the most and with the newest. ``total`` is
    the number of failures that its queues store; ``sampled``: not all of these were read, so the
    true count may be higher. ``example_error`` is the newest task's error as the row has it.
    """

    signature: Signature
    headline: str
    count: int
    share: float
    first_at: float | None
    last_at: float | None
    queues: tuple[tuple[QueueKey, int], ...]
    tasks: tuple[Failure, ...]
    example_error: str
    total: int
    sampled: bool = False

    @property
    def example(self) -> Failure:
        """A task to open: the newest."""
        return self.tasks[0]


@dataclass(slots=True)
class _Gathered:
    signature: Signature
    headlines: set[str] = field(default_factory=set)
    failures: list[tuple[Failure, str]] = field(default_factory=list)


def group(
    rows: Iterable[tuple[QueueKey, TaskRow]], totals: Mapping[QueueKey, int] | None = None
) -> tuple[ErrorGroup, ...]:
    """Group rows by their errors, the largest group first; rows without a text are in none.

    Args:
        rows: failed tasks, each with its queue.
        totals: how many failures each queue stores in truth; where it does not say, what was
            read is taken for all.
    """
    kinds: dict[str, _Gathered] = {}
    known: dict[str, ErrorReading] = {}
    read_of: Counter[QueueKey] = Counter()
    told = 0
    for queue, row in rows:
        read_of[queue] += 1
        if not row.error or row.missing:
            continue
        told += 1
        reading = known.get(row.error)
        if reading is None:
            reading = known[row.error] = read(row.error)
        kind = kinds.setdefault(reading.signature.key, _Gathered(reading.signature))
        if len(kind.headlines) < 2:
            kind.headlines.add(reading.headline)
        kind.failures.append((Failure(queue, row.id, row.state, _failed_at(row)), row.error))
    truth = {queue: max(count, (totals or {}).get(queue, 0)) for queue, count in read_of.items()}
    groups = [_group(kind, told, read_of, truth) for kind in kinds.values()]
    return tuple(sorted(groups, key=lambda each: (-each.count, -(each.last_at or 0.0))))


def _group(
    kind: _Gathered, told: int, read_of: Mapping[QueueKey, int], truth: Mapping[QueueKey, int]
) -> ErrorGroup:
    newest_first = sorted(kind.failures, key=lambda each: -(each[0].at or 0.0))
    tasks = tuple(failure for failure, _ in newest_first)
    times = [failure.at for failure in tasks if failure.at is not None]
    queues = Counter(failure.queue for failure in tasks).most_common()
    (headline, *others) = kind.headlines
    return ErrorGroup(
        signature=kind.signature,
        headline=kind.signature.title if others else headline,
        count=len(tasks),
        share=len(tasks) / told,
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        queues=tuple(queues),
        tasks=tasks,
        example_error=newest_first[0][1],
        total=sum(truth[queue] for queue, _ in queues),
        sampled=any(truth[queue] > read_of[queue] for queue, _ in queues),
    )


def _failed_at(row: TaskRow) -> float | None:
    """When a task failed. ``when`` of a retry is the next try, which says nothing of the past."""
    return row.when if row.state is TaskState.ARCHIVED else row.failed_at
