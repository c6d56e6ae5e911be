"""Tasks: rows of a list, one task in full, and the results of task checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.model.names import Dialect, QueueKey, TaskState


class Blob(NamedTuple):
    """A value that may be large: ``data`` is at most the reader's limit, ``size`` is the whole.

    ``data`` is empty and ``truncated`` is true where the server allows no partial read.
    """

    data: bytes
    size: int

    @property
    def truncated(self) -> bool:
        """Whether ``data`` is less than the whole value."""
        return len(self.data) < self.size


class TaskRow(NamedTuple):
    """One line of a task list. ``missing``: the id is listed but its hash is gone.

    ``score`` is the zset score where the state has one. ``when`` is the moment that matters for
    the state: waiting since, runs at, failed at, completed at; ``None`` if unknown.
    ``failed_at`` is the last failure, in any state. ``payload`` is a preview.
    """

    id: str
    state: TaskState
    score: float | None = None
    when: float | None = None
    type: str | None = None
    payload: Blob | None = None
    error: str | None = None
    retried: int | None = None
    max_retry: int | None = None
    expires_at: float | None = None
    missing: bool = False
    decodable: bool = True
    failed_at: float | None = None


class TaskPage(NamedTuple):
    """A page of one state of one queue, and the true length of the whole at that moment.

    ``offset`` counts from the chosen end (newest or oldest). ``problem``: why the list cannot be
    read, naming its key; ``total`` is meaningless then.
    """

    queue: QueueKey
    state: TaskState
    offset: int
    total: int
    newest_first: bool
    rows: tuple[TaskRow, ...]
    taken_at: float
    groups: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One task in full. The fields follow ``runqy-tui task --json`` (schema 1).

    ``state`` is the hash's ``state`` field, ``None`` if it is none of the known ones.
    ``decodable`` is false where ``msg`` cannot be parsed. ``orphaned``: active without a lease,
    or with one that ended over 30 s ago; ``None`` where the dialect has no leases. ``gone``: only
    the reverse index is left (a finished task whose storage is off).
    """

    id: str
    queue: QueueKey
    taken_at: float
    dialect: Dialect | None = None
    state: TaskState | None = None
    type: str | None = None
    payload: Blob | None = None
    result: Blob | None = None
    error: Blob | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retried: int | None = None
    max_retry: int | None = None
    timeout_s: int | None = None
    deadline: float | None = None
    pending_since: float | None = None
    next_run_at: float | None = None
    last_failed_at: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    lease_expires_at: float | None = None
    orphaned: bool | None = None
    group: str | None = None
    unique_key: str | None = None
    retention_s: int | None = None
    ttl_s: float | None = None
    decodable: bool = True
    gone: bool = False
    raw_fields: Mapping[str, Blob] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class CheckWindow(NamedTuple):
    """A range of a state's list to check; ``offset`` counts from the oldest task."""

    queue: QueueKey
    state: TaskState
    offset: int
    limit: int


class CheckedTask(NamedTuple):
    """The fields that decide whether a listed task is in order. ``missing``: its hash is gone.

    ``state`` is the hash's ``state`` field. ``timeout_s``, ``deadline`` and ``pending_timeout_s``
    are     ``None`` where the task has none or lost it at a retry. ``completed_at`` and
    ``last_failed_at`` are whole seconds in the runqy dialect. ``lease_unread``: whether it
    has a lease could not be read.
    """

    id: str
    missing: bool = False
    state: TaskState | None = None
    lease_expires_at: float | None = None
    timeout_s: float | None = None
    deadline: float | None = None
    pending_since: float | None = None
    pending_timeout_s: float | None = None
    completed_at: float | None = None
    last_failed_at: float | None = None
    lease_unread: bool = False


class WindowCheck(NamedTuple):
    """The tasks of one window; ``total`` is the length of the list at that moment."""

    window: CheckWindow
    taken_at: float
    total: int
    tasks: tuple[CheckedTask, ...] = ()


class ActiveTask(NamedTuple):
    """A task that an asynq server reports as running; the start is exact."""

    id: str
    queue: str
    type: str
    started_at: float | None = None
    deadline: float | None = None
