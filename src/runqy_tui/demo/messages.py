"""``TaskMessage`` as the demo's programs write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from runqy_tui.redis.decoding.proto import TaskMessage
from runqy_tui.text.safe import decode, encode


@dataclass(frozen=True, slots=True)
class Message:
    """A task. The defaults are those of the runqy server; ``type`` is then the queue's name."""

    id: str
    queue: str
    payload: bytes
    type: str = ""
    retry: int = 3
    retried: int = 0
    error: str = ""
    timeout: int = 600
    deadline: int = 0
    unique_key: str = ""
    last_failed_at: int = 0
    retention: int = 86_400
    completed_at: int = 0
    group: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of the hash field ``msg``."""
        data: bytes = TaskMessage(
            type=encode(self.type or self.queue),
            payload=self.payload,
            id=encode(self.id),
            queue=encode(self.queue),
            retry=self.retry,
            retried=self.retried,
            error_msg=encode(self.error),
            timeout=self.timeout,
            deadline=self.deadline,
            unique_key=encode(self.unique_key),
            last_failed_at=self.last_failed_at,
            retention=self.retention,
            completed_at=self.completed_at,
            group_key=encode(self.group),
            headers=[
                {"key": encode(name), "value": encode(value)}
                for name, value in self.headers.items()
            ],
        ).SerializeToString()
        return data

    def retried_as(self, retried: int) -> Message:
        """What ``runqy-worker`` leaves of a message after a retry: fields 1-6."""
        return Message(
            id=self.id,
            queue=self.queue,
            payload=self.payload,
            type=self.type,
            retry=self.retry,
            retried=retried,
            timeout=0,
            retention=0,
        )

    @classmethod
    def decode(cls, data: bytes, queue: str, task_id: str) -> Message:
        """What a worker needs of an encoded message; garbage becomes a task without a payload."""
        try:
            found = TaskMessage.FromString(data)
        except DecodeError:
            found = TaskMessage()
        return cls(
            id=task_id,
            queue=queue,
            payload=found.payload,
            type=decode(found.type),
            retry=found.retry,
            retried=found.retried,
            timeout=found.timeout,
            retention=found.retention,
            headers={decode(item.key): decode(item.value) for item in found.headers},
        )

    @staticmethod
    def completed_suffix(at: int) -> bytes:
        """Field 13, which ``runqy-worker`` appends to the encoded bytes at each completion."""
        data: bytes = TaskMessage(completed_at=at).SerializeToString()
        return data
