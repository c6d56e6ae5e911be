"""Every question a monitor asks, over data that makes it send every command it may send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import redis

from runqy_tui.model import CheckWindow, QueueKey, TaskState
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.wire.command_encoding import ALLOWED
from tests.app import scenes
from tests.support import dialect_writers

LARGE = 300_000
ELSEWHERE = frozenset({"ASKING", "CLIENT SETNAME", "CLUSTER SLOTS"}) | frozenset(
    name for name in ALLOWED if name.startswith("SENTINEL ")
)
"""Sent to clusters and Sentinels alone, or a courtesy that nothing depends on."""

COMMANDS = sorted(ALLOWED - ELSEWHERE)
SERVER_ID = "host:7:5f0c0001-0000-0000-0000-000000000000"


def fill(writer: redis.Redis) -> None:
    """Tasks in every state, workers of every dialect, logs, groups and large values."""
    now = scenes.small_fleet(writer)
    scenes.move(writer, "alpha.high", "high-1", "pending", "active")
    dialect_writers.server(writer, SERVER_ID, now, {"asynq.default": 1})
    dialect_writers.put(writer, f"asynq:workers:{{{SERVER_ID}}}", {"lease-1": b"\x0a\x01h"})
    dialect_writers.queue(writer, "asynq.default")
    writer.sadd("asynq:{asynq.default}:groups", "g1")
    dialect_writers.task(writer, "asynq.default", "in-group", state="aggregating")
    writer.zadd("asynq:{asynq.default}:g:g1", {"in-group": now})
    dialect_writers.task(
        writer, "alpha.high", "large", error_msg="x" * LARGE, extra="1", state="archived"
    )
    writer.zadd("asynq:{alpha.high}:archived", {"large": now + 100})
    writer.hset("asynq:t:large", "queue", "alpha.high")
    writer.set("asynq:result:large", "done")
    writer.rpush("asynq:workers:fine:1:logs", dialect_writers.log_line(1))
    writer.rpush("asynq:old_default:pending", "plain-1")


Question = Callable[[RedisReader], Awaitable[Any]]

_LOW, _HIGH = QueueKey("alpha.low"), QueueKey("alpha.high")

QUESTIONS: dict[str, Question] = {
    "overview": lambda reader: reader.overview(),
    "overview again": lambda reader: reader.overview(),
    "page of pending": lambda reader: reader.page(_LOW, TaskState.PENDING),
    "page of retry": lambda reader: reader.page(_LOW, TaskState.RETRY),
    "page of archived": lambda reader: reader.page(_HIGH, TaskState.ARCHIVED),
    "page of oldest": lambda reader: reader.page(_LOW, TaskState.RETRY, newest_first=False),
    "page of groups": lambda reader: reader.page(QueueKey("asynq.default"), TaskState.AGGREGATING),
    "task": lambda reader: reader.task("large", _HIGH),
    "task by id": lambda reader: reader.task("large"),
    "task by id, without an index": lambda reader: reader.task("low-01"),
    "position": lambda reader: reader.position(_LOW, TaskState.RETRY, "again-1"),
    "logs": lambda reader: reader.logs("fine:1"),
    "active tasks": lambda reader: reader.active_tasks(SERVER_ID),
    "daily": lambda reader: reader.daily_counts(_LOW),
    "audit": lambda reader: reader.check_tasks(
        [
            CheckWindow(_HIGH, TaskState.ACTIVE, 0, 10),
            CheckWindow(_LOW, TaskState.RETRY, 0, 10),
            CheckWindow(_LOW, TaskState.PENDING, 0, 10),
        ]
    ),
    "fates": lambda reader: reader.read_outcomes([(_HIGH, "high-1")]),
}
