"""A database whose writers mean harm: every text in it is an attack on whoever shows it.

One corpus for all suites: :data:`NAMES` go into every field that somebody else writes.
"""

from __future__ import annotations

import json
from typing import Any

from redis import Redis

from runqy_tui.demo.sample_data import HOSTILE
from runqy_tui.redis.decoding import proto
from tests.support import dialect_writers

Fields = dict[bytes | str, bytes | str | int]

MARKER = b"owned"
"""What the attacks would write into a title, a clipboard, a link or a notification."""
ESCAPES = (
    b"\x1b[2J\x1b[H\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x1b]52;c;ZXZpbA==\x1b\\"
    b"\x1bP1;2|x\x1b\\\x1b_evil\x1b\\\xc2\x9b2J\xc2\x9d0;owned\xc2\x9c"
    b"\x1b]8;;http://owned\x1b\\x\x1b]8;;\x1b\\\x1b]9;owned\x07\x1b]777;notify;owned;x\x07"
    b"\x1b[38;5;201;5m\x1b[77;177H\x1bc\x1b[5n\x1b[?1049l\x1b[21t\x1b]4;1;?\x07\x1bPowned"
)
DISGUISED = (b"\x1b[38;5;201;5m", b"\x1b[77;177H")
"""Sequences in :data:`ESCAPES` that have the shape of what a monitor sends."""
MARKUP = b"[@click=app.quit]x[/] [/x] [[[]]]$foo [$error]x[/$error] [bold red"
NAMES: tuple[bytes, ...] = (
    ESCAPES,
    MARKUP,
    "\u202eevil\u2066 bidi\u200f\u200b\ufeff".encode()
    + ("z" + "\u0351" * 300 + "漢字" * 40 + "👩\u200d👩\u200d👧" * 5).encode()
    + "שלום مرحبا \u2028\u2029\u061c\U000e0041\ue000\ufe0f".encode(),
    b"\xff\xfe\x80 bytes \xed\xa0\x80\xed\xbf\xbf surrogates \x9b31m\x9d0;owned\x9c\x90q\xc3",
    b"nul\x00nul\x7f\x08\x08back tab\tnew\nline\rreturn\x0b\x0c\x85" + bytes(range(1, 32)),
    b" {}:{braces}:*?[a-z] %s %d {0} {name!r} ${x} \\n ",
    b"long" * 2_500,
)
"""One queue, task and worker each; none may crash a screen or reach the terminal as it is."""
LONGEST = b"64 KiB" + b"-" * 65_530
ERRORS: tuple[bytes, ...] = tuple(
    each.error.encode("utf-8", "surrogatepass") for each in HOSTILE if len(each.error) < 1_000
)
STATES = ("active", "scheduled", "retry", "archived", "completed")


def text(name: bytes) -> str:
    """A name as JSON carries it: what is no UTF-8 becomes a lone surrogate."""
    return name.decode("utf-8", "surrogateescape")


def fill(writer: Redis) -> None:
    """Write queue, task, archived task and worker made of each name; and a queue with all tasks."""
    now = dialect_writers.now_of(writer)
    for at, name in enumerate(NAMES):
        _queue(writer, name, name, now)
        _queue(writer, b"all.default", name, now)
        _worker(writer, b"%02d" % at + name, name, now)


def fill_more(writer: Redis) -> None:
    """Add what the other dialects have: servers, schedulers, groups, locks, lists without braces.

    The queue ``every.state`` has a task of each name in each state.
    """
    now = dialect_writers.now_of(writer)
    for at, name in enumerate((*NAMES, LONGEST)):
        _states(writer, b"every.state", name, now)
        _server(writer, b"%02d" % at + name, name, now)
        writer.lpush(b"asynq:" + name + b":pending", name)
        writer.hset("asynq:t:" + text(name[:40]).encode("utf-8", "replace").hex(), "queue", name)
    for at, error in enumerate(ERRORS):
        writer.hset(f"asynq:{{every.state}}:t:failed-{at}", mapping=_task(error, b"failed", now))
        writer.zadd("asynq:{every.state}:archived", {f"failed-{at}": now + 3600})


def _task(name: bytes, task_id: bytes, now: float) -> Any:
    fields: Fields = {
        "msg": dialect_writers.message(
            type=name,
            id=task_id,
            queue=name,
            payload=json.dumps({"text": text(name), text(name): [text(name)]}),
            headers=[{"key": name, "value": name}],
            error_msg=name,
            unique_key=name,
            group_key=name,
        ),
        "result": name,
        "error_msg": b"Traceback (most recent call last):\n" + name,
        "last_failed_at": int(now) - 5,
        "unique_key": name,
        "group": name,
        name[:50]: name,
    }
    return fields


def _queue(writer: Redis, queue: bytes, name: bytes, now: float) -> None:
    key = b"asynq:{" + queue + b"}:"
    writer.sadd("asynq:queues", queue)
    for state, task_id in ((b"pending", name), (b"archived", b"dead" + name)):
        writer.hset(key + b"t:" + task_id, mapping=_task(name, task_id, now) | {"state": state})
    writer.lpush(key + b"pending", name)
    writer.zadd(key + b"archived", {b"dead" + name: now + 3600})
    writer.sadd(key + b"groups", name)
    writer.set(key + b"failed", 3)


def _states(writer: Redis, queue: bytes, name: bytes, now: float) -> None:
    _queue(writer, queue, name, now)
    key = b"asynq:{" + queue + b"}:"
    writer.zadd(key + b"g:" + name, {b"grouped" + name: now})
    writer.set(key + b"unique:" + name + b":0123456789abcdef", name)
    for state in (*STATES, "aggregating"):
        task_id = (b"grouped" if state == "aggregating" else state.encode()) + name
        writer.hset(key + b"t:" + task_id, mapping=_task(name, task_id, now) | {"state": state})
        if state == "active":
            writer.lpush(key + b"active", task_id)
            writer.zadd(key + b"lease", {task_id: now + 120})
        elif state != "aggregating":
            writer.zadd(key + state.encode(), {task_id: now + 3600})


def _worker(writer: Redis, worker_id: bytes, name: bytes, now: float) -> None:
    hostile_text = text(name)
    gpu = {
        "index": 0,
        "name": hostile_text,
        "utilization_percent": 97,
        "memory_used_mb": hostile_text,
    }
    machine = {
        "cpu_percent": 55.2,
        "gpus": [gpu],
        "collected_at": hostile_text,
        hostile_text: hostile_text,
    }
    recovery = {
        hostile_text: {"state": "degraded", "consecutive_fails": 1},
        "other": {"state": hostile_text},
    }
    fields: Fields = {
        "worker_id": worker_id,
        "started_at": int(now) - 60,
        "last_beat": int(now),
        "concurrency": name,
        "queues": b"map[" + name + b":3]",
        "status": name,
        "healthy": "0",
        "instance_id": name,
        "protected": name,
        "recovery": json.dumps(recovery),
        "metrics": json.dumps(machine),
        name[:50]: name,
    }
    writer.hset(b"asynq:workers:" + worker_id, mapping=fields)  # type: ignore[arg-type]
    writer.zadd("asynq:workers", {worker_id: int(now) + 1800})
    lines: list[bytes | str] = [
        dialect_writers.log_line(seq, hostile_text, src=hostile_text) for seq in (1, 5)
    ]
    writer.rpush(b"asynq:workers:" + worker_id + b":logs", *lines, name)


def _server(writer: Redis, server_id: bytes, name: bytes, now: float) -> None:
    info = proto.ServerInfo(
        host=name,
        pid=1,
        server_id=server_id,
        concurrency=8,
        status=name,
        queues=[{"key": name, "value": 3}],
    )
    key = b"{" + name + b":1:" + server_id + b"}"
    writer.set(b"asynq:servers:" + key, info.SerializeToString())
    writer.zadd("asynq:servers", {b"asynq:servers:" + key: now + 600})
    writer.zadd("asynq:workers", {b"asynq:workers:" + key: now + 600})
    working = proto.WorkerInfo(
        host=name, pid=1, server_id=server_id, task_id=b"active" + name, task_type=name, queue=name
    )
    writer.hset(b"asynq:workers:" + key, name, working.SerializeToString())
    entry = proto.SchedulerEntry(id=name, spec=name, task_type=name, enqueue_options=[name])
    writer.rpush(b"asynq:schedulers:" + key, entry.SerializeToString())
    writer.zadd("asynq:schedulers", {b"asynq:schedulers:" + key: now + 600})
