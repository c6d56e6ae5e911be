"""The currency of the program: immutable snapshots of what Redis holds.

Everything right of the reader is a pure function of these objects. Standard library only.

Names, ids and types are ``str`` decoded from UTF-8 with ``surrogateescape``, so that any bytes
survive a round trip; they are untrusted and pass :mod:`runqy_tui.text.safe` before display.
Payloads, results and raw fields stay ``bytes``. Times are unix seconds (``float``), ages are
seconds, and ``None`` means unknown: never 0 and never an empty string.
"""

from __future__ import annotations

from typing import Any

from runqy_tui.model.fleet import (
    Counts,
    DayCount,
    Gpu,
    LogBatch,
    LogLine,
    Metrics,
    Node,
    Queue,
    Recovery,
    RedisInfo,
    ServerHealth,
    Snapshot,
    Whereabouts,
    Worker,
)
from runqy_tui.model.names import (
    Dialect,
    QueueKey,
    TaskState,
    WorkerState,
)
from runqy_tui.model.tasks import (
    ActiveTask,
    Audit,
    AuditedTask,
    AuditWindow,
    Blob,
    Task,
    TaskPage,
    TaskRow,
)

JsonObject = dict[str, Any]

__all__ = [
    "ActiveTask",
    "Audit",
    "AuditWindow",
    "AuditedTask",
    "Blob",
    "Counts",
    "DayCount",
    "Dialect",
    "Gpu",
    "JsonObject",
    "LogBatch",
    "LogLine",
    "Metrics",
    "Node",
    "Queue",
    "QueueKey",
    "Recovery",
    "RedisInfo",
    "ServerHealth",
    "Snapshot",
    "Task",
    "TaskPage",
    "TaskRow",
    "TaskState",
    "Whereabouts",
    "Worker",
    "WorkerState",
]
