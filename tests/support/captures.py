"""Databases of real deployments, written again by the project's own writers.

``tests/support/captured`` describes six databases that real runqy and asynq programs left: tasks,
workers and counters. This module makes the keys from the descriptions, with the encoders of the
demo, so that every clone can run every test on them. Where the captures themselves lie beside the
repository, ``tests/integration/redis/test_captures.py`` compares the two key by key.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runqy_tui.demo import task_writer
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import TaskState
from runqy_tui.redis.decoding import proto

if TYPE_CHECKING:
    from redis import Redis

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
DESCRIPTIONS = Path(__file__).with_name("captured")

Clock = Callable[[float], float]


@dataclass(frozen=True)
class Entry:
    """One key: its type, whether it expires, and its value as bytes, in lists, sets or dicts."""

    kind: str
    expires: bool
    value: Any


Database = dict[bytes, Entry]


def _bytes(value: Any) -> bytes:
    """Bytes of a value in a JSON file: text, base64, or a protobuf message by its fields."""
    if isinstance(value, str):
        return value.encode()
    ((kind, content),) = value.items()
    if kind == "b64":
        return base64.b64decode(content)
    encoded: bytes = _message(getattr(proto, kind), content).SerializeToString()
    return encoded


def _message(kind: Any, content: Mapping[str, Any]) -> Any:
    message = kind()
    for name, value in content.items():
        if isinstance(value, dict) and "b64" not in value:
            getattr(message, name).CopyFrom(_message(type(getattr(message, name)), value))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    part = getattr(message, name).add()
                    part.CopyFrom(_message(type(part), item))
                else:
                    getattr(message, name).append(_bytes(item))
        else:
            setattr(message, name, value if isinstance(value, int) else _bytes(value))
    return message


def _value(kind: str, value: Any) -> Any:
    if kind == "string":
        return _bytes(value)
    if kind == "hash":
        pairs = value.items() if isinstance(value, dict) else value
        return {_bytes(name): _bytes(item) for name, item in pairs}
    if kind == "zset":
        return {_bytes(member): float(score) for member, score in value}
    if kind == "set":
        return {_bytes(item) for item in value}
    return [_bytes(item) for item in value]


def _add(database: Database, key: bytes, kind: str) -> Any:
    """Value of a list, set or hash that members are put into, made at the first."""
    empty: dict[str, Any] = {"list": [], "zset": {}, "hash": {}}
    return database.setdefault(key, Entry(kind, False, empty[kind])).value


def _write_task(database: Database, task: Mapping[str, Any]) -> None:
    """The hash of a task, its reverse index, and its place in the list or set of its state."""
    queue, task_id, state = task["queue"], task["id"], TaskState(task["state"])
    member = task_id.encode()
    message = task.get("message")
    if message is not None:  # else the set holds an id whose task has expired
        rest = {name: value for name, value in message.items() if name != "completed_at"}
        payload = _bytes(rest.pop("payload", ""))
        encoded = Message(id=task_id, queue=queue, payload=payload, **rest).encode()
        if "completed_at" in message:
            encoded += Message.completed_suffix(message["completed_at"])
        fields = {"msg": encoded, "state": state.value.encode()} | {
            name: _bytes(value) for name, value in task.get("fields", {}).items()
        }
        database[task_writer.task_key(queue, task_id)] = Entry(
            "hash",
            task.get("expires", False),
            {name.encode(): value for name, value in fields.items()},
        )
    if "indexed" in task:
        index = b"asynq:t:" + member
        database[index] = Entry("hash", task["indexed"] == "expires", {b"queue": queue.encode()})
    if state is TaskState.AGGREGATING:
        group = f"asynq:{{{queue}}}:g:{task['message']['group']}".encode()
        _add(database, group, "zset")[member] = float(task["score"])
    elif "score" in task:
        key = task_writer.state_key(queue, state)
        _add(database, key, "zset")[member] = float(task["score"])
    else:
        _add(database, task_writer.state_key(queue, state), "list").append(member)
    if "lease" in task:
        _add(database, task_writer.lease_key(queue), "zset")[member] = float(task["lease"])


@cache
def _description(name: str) -> dict[str, Any]:
    """A description by the first words of its name, completed by the one that it is like."""
    (path,) = DESCRIPTIONS.glob(f"{name}*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "like" in found:
        like, without = _description(found["like"]), found["without"]
        own = {(task["queue"], task["id"]) for task in found["tasks"]}
        found["tasks"] = [
            task
            for task in like["tasks"]
            if task["id"] not in without["tasks"] and (task["queue"], task["id"]) not in own
        ] + found["tasks"]
        kept = {key: entry for key, entry in like["keys"].items() if key not in without["keys"]}
        found["keys"] = kept | found["keys"]
    return found


def taken_at(name: str) -> float:
    """Unix second at which a database was captured."""
    return float(_description(name)["taken_at"])


def database(name: str) -> Database:
    """All keys of a captured database, by the first words of its name."""
    description = _description(name)
    made: Database = {
        key.encode(): Entry(
            entry["type"], entry.get("expires", False), _value(entry["type"], entry["value"])
        )
        for key, entry in description["keys"].items()
    }
    for task in description["tasks"]:
        _write_task(made, task)
    return made


def databases(prefix: str) -> list[Database]:
    """All databases whose names begin with ``runqy`` or ``asynq``, in the order of their names."""
    return [database(path.stem) for path in sorted(DESCRIPTIONS.glob(f"{prefix}*.json"))]


def read_capture(path: Path) -> Database:
    """All keys of a capture's own file."""
    found: Database = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        value = _value(entry["type"], entry["value"])
        found[_bytes(entry["key"])] = Entry(entry["type"], entry["ttl_ms"] > 0, value)
    return found


_TIMED_SETS = (b":lease", b":scheduled", b":retry", b":archived", b":completed")
_TIMED_INDEXES = (b"asynq:workers", b"asynq:servers", b"asynq:schedulers")
_TIMED_FIELDS = (b"started_at", b"last_beat", b"completed_at", b"last_failed_at")


def _moved_field(name: bytes, value: bytes, seconds: int) -> bytes:
    if name in _TIMED_FIELDS and value.isdigit():
        return b"%d" % (int(value) + seconds)
    if name == b"pending_since" and value.isdigit():
        unit = 10**9 if int(value) > 10**14 else 1  # nanoseconds, or seconds after a retry
        return b"%d" % (int(value) + seconds * unit)
    if name == b"metrics":
        metrics = json.loads(value)
        metrics["collected_at"] += seconds
        return json.dumps(metrics, separators=(",", ":")).encode()
    return value


def _moved(key: bytes, entry: Entry, seconds: int) -> Any:
    """Value of a key with the times in it moved; times inside a ``msg`` remain as they are."""
    if entry.kind == "hash":
        return {name: _moved_field(name, item, seconds) for name, item in entry.value.items()}
    if entry.kind == "zset" and (
        key in _TIMED_INDEXES or key.endswith(_TIMED_SETS) or b"}:g:" in key
    ):
        return {member: score + seconds for member, score in entry.value.items()}
    if entry.kind == "string" and key.endswith(b":paused"):
        return b"%d" % (int(entry.value) + seconds)
    return entry.value


@dataclass
class Captures:
    """Writes captured databases into the tests' server. Nothing in it expires."""

    writer: Redis

    def load(self, name: str, *, rebase: bool = False) -> float:
        """Write one; return the unix second at which it was taken.

        With ``rebase`` its times are moved so that it looks as if it had been taken now.
        """
        taken = taken_at(name)
        seconds = int(time.time()) - int(taken) if rebase else 0
        for key, entry in database(name).items():
            value = _moved(key, entry, seconds)
            if entry.kind == "string":
                self.writer.set(key, value)
            elif entry.kind == "list":
                self.writer.rpush(key, *value)
            elif entry.kind == "set":
                self.writer.sadd(key, *value)
            elif entry.kind == "zset":
                self.writer.zadd(key, value)
            else:
                self.writer.hset(key, mapping=value)
        return taken


def frozen_at(moment: float) -> Clock:
    """A reader's clock that stands still."""
    return lambda _: moment
