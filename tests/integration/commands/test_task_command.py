"""``runqy-tui task``: one task by its id, in any queue or in a named one."""

from __future__ import annotations

import base64

import pytest
import redis

from tests.integration.conftest import Cli
from tests.support import dialect_writers
from tests.support.captures import Captures

HOSTILE = "x\x1b]0;owned\x07\nstate          forged"


def archived(captures: Captures, queue: str) -> str:
    """Id of some archived task of the queue."""
    (found,) = captures.writer.zrange(f"asynq:{{{queue}}}:archived", 0, 0)
    assert isinstance(found, bytes)
    return found.decode()


def test_a_failed_runqy_task_in_json(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-07")
    task_id = archived(captures, "inference.default")
    result = cli("--url", redis_url, "task", task_id, "--json")
    assert (result.code, result.err) == (0, "")
    seen = result.json
    assert len(seen) == 24
    assert (seen["schema"], seen["id"], seen["queue"]) == (1, task_id, "inference.default")
    assert (seen["dialect"], seen["state"], seen["decodable"]) == ("runqy", "archived", True)
    assert "Traceback (most recent call last)" in seen["error"]
    assert isinstance(seen["last_failed_at"], float)
    assert isinstance(seen["expires_at"], float)
    assert seen["payload"]["truncated"] is False
    assert seen["payload"]["bytes"] == len(seen["payload"]["text"].encode())
    assert seen["completed_at"] is None
    assert set(seen["raw_fields"]) >= {"msg", "state", "error_msg"}


def test_a_failed_runqy_task_as_text(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-07")
    task_id = archived(captures, "inference.default")
    lines = cli("--url", redis_url, "task", task_id).out.splitlines()
    assert lines[:3] == [
        f"task           {task_id}",
        "queue          inference.default",
        "state          archived",
    ]
    assert "  permanent failure: Traceback (most recent call last):" in lines
    assert sum(line.startswith(("error (", "payload (")) for line in lines) == 2


def test_an_asynq_task_has_its_error_inside_the_message(
    cli: Cli, captures: Captures, redis_url: str
) -> None:
    captures.load("asynq-01")
    for queue in ("default", "critical", "low"):
        if captures.writer.zcard(f"asynq:{{{queue}}}:archived"):
            break
    seen = cli("--url", redis_url, "task", archived(captures, queue), "--json").json
    assert (seen["dialect"], seen["state"]) == ("asynq", "archived")
    assert seen["error"]
    assert "error_msg" not in seen["raw_fields"]


@pytest.mark.parametrize("name", ["crashy.default", "crashy"])
def test_a_queue_may_be_named_by_its_parent(
    cli: Cli, captures: Captures, redis_url: str, name: str
) -> None:
    captures.load("runqy-06")
    (task_id,) = captures.writer.lrange("asynq:{crashy.default}:active", 0, -1)
    result = cli("--url", redis_url, "task", task_id, "--queue", name, "--json")
    assert result.json["queue"] == "crashy.default"


def test_the_same_id_in_two_queues(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    dialect_writers.pending(writer, "a", "twin")
    dialect_writers.pending(writer, "b", "twin")
    for queue in ("a", "b"):
        seen = cli("--url", redis_url, "task", "twin", "--queue", queue, "--json").json
        assert seen["queue"] == queue
    assert "Other queues hold this id too: b" in cli("--url", redis_url, "task", "twin").out


def test_a_task_of_the_documented_dialect(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    writer.hset("asynq:t:doc-1", mapping={"type": "t", "payload": "{}", "queue": "old"})
    writer.lpush("asynq:old:pending", "doc-1")
    for extra in ([], ["--queue", "old"]):
        seen = cli("--url", redis_url, "task", "doc-1", *extra, "--json").json
        assert (seen["dialect"], seen["queue"], seen["orphaned"]) == ("documented", "old", None)


def test_no_such_task(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    dialect_writers.pending(writer, "a", "here")
    error_line = cli("--url", redis_url, "task", "none").failed(1)
    assert error_line == "No task none in any queue."
    error_line = cli("--url", redis_url, "task", "none", "--json").failed(1)
    assert error_line == "No task none in any queue."
    error_line = cli("--url", redis_url, "task", "here", "--queue", "b").failed(1)
    assert error_line == "No task here in queue b."


def test_a_task_of_which_only_the_index_is_left(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    writer.hset("asynq:t:past", "queue", "nostore.default")
    error_line = cli("--url", redis_url, "task", "past", "--json").failed(1)
    assert error_line.startswith("Task past was in queue nostore.default, but its data no longer")


def test_hostile_data_stays_in_its_place(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    message = dialect_writers.message(type=HOSTILE, id=HOSTILE, queue="a", payload=HOSTILE.encode())
    dialect_writers.queue(writer, "a")
    dialect_writers.task(writer, "a", HOSTILE, msg=message, state="pending", error_msg=HOSTILE)
    result = cli("--url", redis_url, "task", HOSTILE)
    assert result.code == 0
    assert not any(byte < 0x20 and byte != 0x0A for byte in result.raw)
    lines = result.out.splitlines()
    assert [line for line in lines if line.startswith("state")] == ["state          pending"]
    assert lines[0] == "task           x␛]0;owned␇␊state          forged"
    missing = cli("--url", redis_url, "task", HOSTILE + "2").failed(1)
    assert missing == "No task x␛]0;owned␇␊state          forged2 in any queue."


def test_an_id_that_is_no_utf8(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    raw = b"\xff\xfe id"
    dialect_writers.queue(writer, "a")
    writer.hset(
        b"asynq:{a}:t:" + raw, mapping={"msg": dialect_writers.message(type="t"), "state": "active"}
    )
    result = cli("--url", redis_url, "task", raw, "--json")
    assert result.json["id"].encode("utf-8", "surrogateescape") == raw
    assert "‹FF›‹FE› id" in cli("--url", redis_url, "task", raw).out


def test_a_message_that_cannot_be_decoded(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "a")
    dialect_writers.task(writer, "a", "odd", msg=b"\xff\xff\xff", state="pending")
    seen = cli("--url", redis_url, "task", "odd", "--json").json
    assert (seen["decodable"], seen["type"], seen["payload"]) == (False, None, None)
    assert (seen["retried"], seen["max_retry"]) == (None, None)
    assert base64.b64decode(seen["raw_fields"]["msg"]["base64"]) == b"\xff\xff\xff"
    assert "msg cannot be decoded" in cli("--url", redis_url, "task", "odd").out


def test_a_payload_that_is_binary_or_very_large(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    dialect_writers.queue(writer, "a")
    binary = dialect_writers.message(type="t", payload=b"\x00\xff" * 4)
    dialect_writers.task(writer, "a", "binary", msg=binary, state="pending")
    large = dialect_writers.message(type="t", payload=b"a" * 3_000_000)
    dialect_writers.task(writer, "a", "large", msg=large, state="pending")
    seen = cli("--url", redis_url, "task", "binary", "--json").json
    assert seen["payload"] == {"bytes": 8, "truncated": False, "base64": "AP8A/wD/AP8="}
    assert "payload (8 B, binary)\n  00 ff 00 ff" in cli("--url", redis_url, "task", "binary").out
    part = cli("--url", redis_url, "task", "large", "--json").json["payload"]
    assert (part["bytes"], part["truncated"]) == (3_000_000, True)
    assert 0 < len(part["text"]) < 1_000_000
    text = cli("--url", redis_url, "task", "large").out
    assert "payload (2.9 MiB, first 3.9 KiB shown)" in text
    assert len(text) < 10_000
