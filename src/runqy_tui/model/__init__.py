"""The currency of the program: immutable snapshots of what Redis holds.

Everything right of the reader is a pure function of these objects. Standard library only.

Names, ids and types are ``str`` decoded from UTF-8 with ``surrogateescape``, so that any bytes
survive a round trip; they are untrusted and pass :mod:`runqy_tui.text.safe` before display.
Payloads, results and raw fields stay ``bytes``. Times are unix seconds (``float``), ages are
seconds, and ``None`` means unknown: never 0 and never an empty string.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runqy_tui.model.fleet import (
        HEARTBEAT_FIELDS,
        Counts,
        DayCount,
        FieldKind,
        Gpu,
        HeartbeatField,
        LogBatch,
        LogLine,
        Metrics,
        Node,
        Queue,
        Recovery,
        RedisInfo,
        ServerHealth,
        Snapshot,
        Topology,
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
        Blob,
        CheckedTask,
        CheckWindow,
        Task,
        TaskPage,
        TaskRow,
        WindowCheck,
    )

JsonObject = dict[str, Any]

__all__ = [
    "HEARTBEAT_FIELDS",
    "ActiveTask",
    "Blob",
    "CheckWindow",
    "CheckedTask",
    "Counts",
    "DayCount",
    "Dialect",
    "FieldKind",
    "Gpu",
    "HeartbeatField",
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
    "Topology",
    "WindowCheck",
    "Worker",
    "WorkerState",
]


_HOMES = ("runqy_tui.model.names", "runqy_tui.model.fleet", "runqy_tui.model.tasks")


def __getattr__(name: str) -> Any:
    """Import the value types on first use: the command line needs only errors and credentials.

    Raises AttributeError where no module of the package has the name.
    """
    if name in __all__:
        for home in _HOMES:
            found = getattr(import_module(home), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
