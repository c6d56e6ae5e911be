"""The protobuf messages of the asynq library, built here: no .proto file, no compile step.

Every ``string`` is declared ``bytes``: the wire is the same, and text that is no UTF-8 then
decodes instead of raising. Maps are repeated entries for the same reason. The descriptors live in
a pool of their own, so that they cannot clash with those of other packages.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "asynq"
_BYTES = FieldDescriptorProto.TYPE_BYTES
_INT32 = FieldDescriptorProto.TYPE_INT32
_INT64 = FieldDescriptorProto.TYPE_INT64
_BOOL = FieldDescriptorProto.TYPE_BOOL
_MESSAGE = FieldDescriptorProto.TYPE_MESSAGE

_Field = tuple[str, int, Any]
"""Name, number, and a scalar type, ``"Message"`` or ``["Message"]`` or ``[type]`` (repeated)."""

_MESSAGES: dict[str, tuple[_Field, ...]] = {
    "Timestamp": (("seconds", 1, _INT64), ("nanos", 2, _INT32)),
    "Header": (("key", 1, _BYTES), ("value", 2, _BYTES)),
    "Priority": (("key", 1, _BYTES), ("value", 2, _INT32)),
    "TaskMessage": (
        ("type", 1, _BYTES),
        ("payload", 2, _BYTES),
        ("id", 3, _BYTES),
        ("queue", 4, _BYTES),
        ("retry", 5, _INT32),
        ("retried", 6, _INT32),
        ("error_msg", 7, _BYTES),
        ("timeout", 8, _INT64),
        ("deadline", 9, _INT64),
        ("unique_key", 10, _BYTES),
        ("last_failed_at", 11, _INT64),
        ("retention", 12, _INT64),
        ("completed_at", 13, _INT64),
        ("group_key", 14, _BYTES),
        ("headers", 15, ["Header"]),
    ),
    "ServerInfo": (
        ("host", 1, _BYTES),
        ("pid", 2, _INT32),
        ("server_id", 3, _BYTES),
        ("concurrency", 4, _INT32),
        ("queues", 5, ["Priority"]),
        ("strict_priority", 6, _BOOL),
        ("status", 7, _BYTES),
        ("start_time", 8, "Timestamp"),
        ("active_worker_count", 9, _INT32),
    ),
    "WorkerInfo": (
        ("host", 1, _BYTES),
        ("pid", 2, _INT32),
        ("server_id", 3, _BYTES),
        ("task_id", 4, _BYTES),
        ("task_type", 5, _BYTES),
        ("task_payload", 6, _BYTES),
        ("queue", 7, _BYTES),
        ("start_time", 8, "Timestamp"),
        ("deadline", 9, "Timestamp"),
    ),
    "SchedulerEntry": (
        ("id", 1, _BYTES),
        ("spec", 2, _BYTES),
        ("task_type", 3, _BYTES),
        ("task_payload", 4, _BYTES),
        ("enqueue_options", 5, [_BYTES]),
        ("next_enqueue_time", 6, "Timestamp"),
        ("prev_enqueue_time", 7, "Timestamp"),
    ),
}


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="runqy_tui/asynq.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            field = message.field.add(name=field_name, number=number)
            repeated = isinstance(kind, list)
            single = kind[0] if repeated else kind
            field.label = (
                FieldDescriptorProto.LABEL_REPEATED
                if repeated
                else FieldDescriptorProto.LABEL_OPTIONAL
            )
            if isinstance(single, str):
                field.type = _MESSAGE
                field.type_name = f".{_PACKAGE}.{single}"
            else:
                field.type = single
    return file


_POOL = DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


TaskMessage = _message("TaskMessage")
ServerInfo = _message("ServerInfo")
WorkerInfo = _message("WorkerInfo")
SchedulerEntry = _message("SchedulerEntry")
