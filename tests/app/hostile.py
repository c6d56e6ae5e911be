"""A database whose writers mean harm: every text that a screen shows is an attack."""

from __future__ import annotations

import json

from redis import Redis

from tests.app.scenes import metrics
from tests.support import fleet

ESCAPES = (
    b"\x1b[2J\x1b[H\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x1b]52;c;ZXZpbA==\x1b\\"
    b"\x1bP1;2|x\x1b\\\x1b_evil\x1b\\\xc2\x9b2J\xc2\x9d0;owned\xc2\x9c"
)
MARKUP = b"[@click=app.quit]x[/] [/x] [[[]]]$foo [$error]x[/$error] [bold red"
NAMES: tuple[bytes, ...] = (
    ESCAPES,
    MARKUP,
    "\u202eevil\u2066 bidi\u200f\u200b\ufeff".encode()
    + ("z" + "\u0351" * 300 + "漢字" * 40 + "👩\u200d👩\u200d👧" * 5).encode(),
    b"\xff\xfe\x80 bytes \xed\xa0\x80\xed\xbf\xbf surrogates",
    b"nul\x00nul\x7f\x08\x08back tab\tnew\nline\rreturn\x0b\x0c\x85",
    b" {}:{braces}:*?[a-z] %s %d {0} {name!r} ${x} \\n ",
    b"long" * 2_500,
)
"""One queue, task and worker each; none may crash a screen or reach the terminal as it is."""


def fill(writer: Redis) -> None:
    """Write queue, task, archived task and worker made of each name; and a queue with all tasks."""
    now = fleet.now_of(writer)
    for at, name in enumerate(NAMES):
        _queue(writer, name, name, now)
        _queue(writer, b"all.default", name, now)
        _worker(writer, b"%02d" % at + name, name, now)


def _queue(writer: Redis, queue: bytes, name: bytes, now: float) -> None:
    key = b"asynq:{" + queue + b"}:"
    writer.sadd("asynq:queues", queue)
    for state, task_id in ((b"pending", name), (b"archived", b"dead" + name)):
        fields: dict[bytes | str, bytes | str | int] = {
            "state": state,
            "msg": fleet.message(
                type=name,
                id=task_id,
                queue=queue,
                payload=json.dumps({"text": name.decode("latin-1")}),
                headers=[{"key": name, "value": name}],
                error_msg=name,
            ),
            "result": name,
            "error_msg": b"Traceback (most recent call last):\n" + name,
            "last_failed_at": int(now) - 5,
            "unique_key": name,
            name[:50]: name,
        }
        writer.hset(key + b"t:" + task_id, mapping=fields)  # type: ignore[arg-type]
    writer.lpush(key + b"pending", name)
    writer.zadd(key + b"archived", {b"dead" + name: now + 3600})
    writer.sadd(key + b"groups", name)
    writer.set(key + b"failed", 3)


def _worker(writer: Redis, worker_id: bytes, name: bytes, now: float) -> None:
    text = name.decode("utf-8", "replace")
    machine = json.loads(metrics())
    machine["gpus"][0]["name"] = text
    fields: dict[bytes | str, bytes | str | int] = {
        "worker_id": worker_id,
        "started_at": int(now) - 60,
        "last_beat": int(now),
        "concurrency": name,
        "queues": b"map[" + name + b":3]",
        "status": name,
        "healthy": "0",
        "instance_id": name,
        "recovery": json.dumps({text: {"state": "degraded", "consecutive_fails": 1}}),
        "metrics": json.dumps(machine),
    }
    writer.hset(b"asynq:workers:" + worker_id, mapping=fields)  # type: ignore[arg-type]
    writer.zadd("asynq:workers", {worker_id: int(now) + 1800})
    lines = [fleet.log_line(seq, text, src=text) for seq in (1, 5)]
    writer.rpush(b"asynq:workers:" + worker_id + b":logs", *lines)
