"""Builds a :class:`~runqy_tui.model.Task` from what was read of it, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from runqy_tui.model import Blob, Dialect, QueueKey, Task, TaskState
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.decoding.codec import UNDECODABLE, DecodedMessage, TaskMessage
from runqy_tui.redis.task_reading.hash_values import Values
from runqy_tui.text.safe import decode

ORPHANED_AFTER_S = 30.0
"""A lease may end this long ago before its task counts as orphaned (CONTRACT, section 4)."""

_RUNQY_FIELDS = (
    b"error_msg",
    b"completed_at",
    b"last_failed_at",
    b"ttl_completed",
    b"ttl_archived",
    b"pending_timeout",
    b"active_timeout",
    b"retried",
)


@dataclass(slots=True)
class FoundTask:
    """Everything that was read of one task."""

    queue: QueueKey
    task_id: str
    now: float
    scores: dict[str, float | None]
    unread_scores: frozenset[str]
    ttl_ms: int | None
    indexed: bool
    notes: list[str]
    values: Values = field(default_factory=Values)
    extra: Values = field(default_factory=Values)
    opened: DecodedMessage | None = None
    result: bytes | None = None
    result_size: int = 0

    def has(self, *names: bytes) -> bool:
        """Whether the hash has any of these fields."""
        return any(name in self.values.sizes for name in names)

    @property
    def message(self) -> TaskMessage | None:
        """The decoded ``msg``, if there is one."""
        opened = self.opened
        return opened.message if opened is not None and opened.message.decodable else None

    @property
    def whole(self) -> TaskMessage | None:
        """The message if all its fields were read: only then does 0 mean 0."""
        return self.message if self.opened is not None and self.opened.complete else None


def task_of(found: FoundTask, consumed_by: Dialect | None, limit: int) -> Task:
    """Build a task. ``consumed_by`` is the dialect of the queue's consumers by the last poll."""
    values, message = found.values, found.message or UNDECODABLE
    state = field_parsing.task_state(values.small(b"state"))
    dialect = _dialect(found, consumed_by)
    documented = dialect is Dialect.DOCUMENTED
    lease = found.scores.get("lease") if state is TaskState.ACTIVE else None
    return Task(
        id=found.task_id,
        queue=found.queue,
        taken_at=found.now,
        dialect=dialect,
        state=state,
        type=message.type or field_parsing.text(values.small(b"type")),
        payload=_payload(found, limit),
        result=_result(found, limit),
        error=_error(found, limit),
        headers=message.headers,
        retried=_retried(found),
        max_retry=_max_retry(found),
        timeout_s=_positive(message.timeout) or _field(found, b"timeout"),
        deadline=field_parsing.seconds(message.deadline)
        or field_parsing.moment(values.small(b"deadline")),
        pending_since=field_parsing.pending_since(values.small(b"pending_since")),
        next_run_at=_next_run_at(found, state),
        last_failed_at=field_parsing.moment(values.small(b"last_failed_at"))
        or field_parsing.seconds(message.last_failed_at),
        completed_at=field_parsing.moment(values.small(b"completed_at"))
        or field_parsing.seconds(message.completed_at),
        expires_at=_expires_at(found, state, dialect),
        lease_expires_at=lease,
        orphaned=None if documented else _orphaned(found, state, lease),
        group=message.group or field_parsing.text(values.small(b"group")),
        unique_key=message.unique_key or field_parsing.text(values.small(b"unique_key")),
        retention_s=_positive(message.retention),
        ttl_s=found.ttl_ms / 1000 if found.ttl_ms is not None and found.ttl_ms >= 0 else None,
        decodable=found.message is not None or documented,
        raw_fields={
            decode(name): blob
            for name, blob in {**values.blobs(limit), **found.extra.blobs(limit)}.items()
        },
        notes=tuple(found.notes),
    )


def _dialect(found: FoundTask, consumed_by: Dialect | None) -> Dialect | None:
    if not found.has(b"msg") and found.has(b"payload", b"type"):
        return Dialect.DOCUMENTED
    if found.indexed or found.has(*_RUNQY_FIELDS):
        return Dialect.RUNQY
    if consumed_by in (Dialect.RUNQY, Dialect.ASYNQ):
        return consumed_by
    message = found.message
    asynq = message is not None and (message.error or message.group or message.unique_key)
    return Dialect.ASYNQ if asynq or found.has(b"group", b"unique_key") else None


def _payload(found: FoundTask, limit: int) -> Blob | None:
    if found.opened is not None and found.opened.payload is not None:
        return found.opened.payload
    return found.values.blob(b"payload", limit)


def _result(found: FoundTask, limit: int) -> Blob | None:
    stored = found.values.blob(b"result", limit)
    if stored is None and found.result is not None:
        return Blob(found.result[:limit], max(found.result_size, len(found.result)))
    return stored


def _error(found: FoundTask, limit: int) -> Blob | None:
    stored = found.values.blob(b"error_msg", limit)
    return stored or (found.opened.error if found.opened else None)


def _retried(found: FoundTask) -> int | None:
    """The larger of the count in the hash and in the message: either may be outdated."""
    counts = [field_parsing.whole(found.values.small(b"retried"))]
    if found.whole is not None:
        counts.append(found.whole.retried)
    return max((value for value in counts if value is not None), default=None)


def _max_retry(found: FoundTask) -> int | None:
    for name in (b"max_retry", b"retry"):
        limit = field_parsing.whole(found.values.small(name))
        if limit is not None:
            return limit
    return found.whole.retry if found.whole is not None else None


def _next_run_at(found: FoundTask, state: TaskState | None) -> float | None:
    if state in (TaskState.SCHEDULED, TaskState.RETRY):
        return found.scores.get(state.value)
    return None


def _expires_at(found: FoundTask, state: TaskState | None, dialect: Dialect | None) -> float | None:
    """Asynq scores ``archived`` by the time of death, runqy by the time of expiry."""
    if state is TaskState.COMPLETED:
        return found.scores.get("completed")
    score = found.scores.get("archived") if state is TaskState.ARCHIVED else None
    if score is not None and (dialect is Dialect.RUNQY or score > found.now):
        return score
    return None


def _orphaned(found: FoundTask, state: TaskState | None, lease: float | None) -> bool | None:
    if state is not TaskState.ACTIVE:
        return False
    if "lease" in found.unread_scores:
        return None
    return lease is None or lease < found.now - ORPHANED_AFTER_S


def _field(found: FoundTask, name: bytes) -> int | None:
    return _positive(field_parsing.whole(found.values.small(name)))


def _positive(value: int | None) -> int | None:
    return value if value and value > 0 else None
