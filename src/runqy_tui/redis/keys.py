"""Every Redis key of the three dialects, as bytes. Names come decoded with surrogateescape."""

from __future__ import annotations

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.text.safe import decode, encode

LIST_STATES = (TaskState.PENDING, TaskState.ACTIVE)
"""States whose tasks are in a list; those of the others are in a sorted set."""

QUEUES = b"asynq:queues"
WORKERS = b"asynq:workers"
SERVERS = b"asynq:servers"
WORKER_PREFIX = b"asynq:workers:"
SERVER_PREFIX = b"asynq:servers:"
LOGS_SUFFIX = b":logs"


def queue_prefix(queue: QueueKey) -> bytes:
    """``asynq:{name}:`` or, without braces, ``asynq:name:``."""
    name = encode(queue.name)
    return b"asynq:{" + name + b"}:" if queue.braced else b"asynq:" + name + b":"


def state_key(queue: QueueKey, state: TaskState) -> bytes:
    """Key of the list or sorted set of a state (not for ``aggregating``: see :func:`group`)."""
    return queue_prefix(queue) + state.value.encode()


def group(queue: QueueKey, name: str) -> bytes:
    """Sorted set of the ids that aggregate in a group."""
    return queue_prefix(queue) + b"g:" + encode(name)


def task(queue: QueueKey, task_id: str) -> bytes:
    """Hash of a task; the documented dialect keeps it under the reverse index's key."""
    if not queue.braced:
        return reverse_index(task_id)
    return queue_prefix(queue) + b"t:" + encode(task_id)


def reverse_index(task_id: str) -> bytes:
    """``asynq:t:<id>``: names the queue (runqy) or holds the whole task (documented)."""
    return b"asynq:t:" + encode(task_id)


def result(task_id: str) -> bytes:
    """The documented dialect's result."""
    return b"asynq:result:" + encode(task_id)


def worker(worker_id: str) -> bytes:
    """Hash of a runqy or documented worker."""
    return WORKER_PREFIX + encode(worker_id)


def worker_logs(worker_id: str) -> bytes:
    """List of a runqy worker's log lines."""
    return WORKER_PREFIX + encode(worker_id) + LOGS_SUFFIX


def queue_of_list(key: bytes) -> QueueKey | None:
    """The queue whose ``pending`` or ``active`` list this key is, ``None`` for other keys."""
    for suffix in (b":pending", b":active"):
        if key.startswith(b"asynq:") and key.endswith(suffix) and len(key) > len(suffix) + 6:
            name = key[6 : -len(suffix)]
            if len(name) >= 2 and name[:1] == b"{" and name[-1:] == b"}":
                return QueueKey(decode(name[1:-1]))
            return QueueKey(decode(name), braced=False)
    return None
