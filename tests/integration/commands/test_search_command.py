"""``runqy-tui search``: lines as they are found, an exit code, and an end at once."""

from __future__ import annotations

import json
import signal
import subprocess

import redis

from tests.integration.conftest import DEADLINE_S, Cli
from tests.support import dialect_writers

HOSTILE = "needle\tof \x1b]0;owned\x07\nand more"


def put(writer: redis.Redis, queue: str, task_id: str, payload: str) -> None:
    dialect_writers.queue(writer, queue)
    message = dialect_writers.message(type="kind", id=task_id, queue=queue, payload=payload)
    dialect_writers.task(writer, queue, task_id, msg=message)
    writer.lpush(f"asynq:{{{queue}}}:pending", task_id)


def test_lines_with_tabs_between_safe_columns(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    put(writer, "a.default", "one", HOSTILE)
    put(writer, "b.default", "two", "hay")
    result = cli("--url", redis_url, "search", "needle")
    assert result.code == 0
    (line,) = result.out.splitlines()
    columns = line.split("\t")
    assert columns[:4] == ["one", "a.default", "pending", "payload"]
    assert columns[4] == "needle␉of ␛]0;owned␇␊and more"
    assert result.err.startswith("runqy-tui: 1 hit in 2 tasks, ")


def test_json_is_one_object_a_line(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    for number in range(5):
        put(writer, "a.default", f"t-{number}", f"needle {number}")
    result = cli("--url", redis_url, "search", "needle", "--json", "--limit", "3")
    assert result.code == 0
    found = [json.loads(line) for line in result.out.splitlines()]
    assert [one["id"] for one in found] == ["t-4", "t-3", "t-2"]
    assert found[0]["schema"] == 1
    assert found[0]["payload"]["text"] == "needle 4"
    assert (found[0]["queue"], found[0]["state"]) == ("a.default", "pending")
    assert (found[0]["found_in"], found[0]["excerpt"]) == ("payload", "needle 4")
    assert "stopped at the limit" in result.err


def test_queue_state_part_and_case(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    put(writer, "a.default", "one", "Needle")
    put(writer, "b.high", "two", "Needle")

    def ids(*args: str) -> list[str]:
        result = cli("--url", redis_url, "search", *args)
        assert result.code in (0, 1), result.err
        return [line.split("\t")[0] for line in result.out.splitlines()]

    assert ids("Needle", "--queue", "a") == ["one"]
    assert ids("Needle", "--queue", "b.high", "--state", "pending") == ["two"]
    assert ids("Needle", "--state", "retry") == []
    assert ids("needle") == []
    assert sorted(ids("needle", "-i")) == ["one", "two"]
    assert ids("Needle", "--in", "error") == []
    assert ids("tw", "--in", "id") == ["two"]


def test_nothing_found_and_wrong_usage(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    put(writer, "a.default", "one", "hay")
    assert "0 hits in 1 task" in cli("--url", redis_url, "search", "needle").failed(1)
    assert "no queue x" in cli("--url", redis_url, "search", "hay", "--queue", "x").failed(1)
    assert "is empty" in cli("--url", redis_url, "search", "").failed(2)
    assert "--state" in cli("--url", redis_url, "search", "a", "--state", "x").failed(2)


def test_ctrl_c_ends_at_once_and_keeps_what_was_found(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    pipe = writer.pipeline(transaction=False)
    dialect_writers.queue(writer, "a.default")
    for number in range(30_000):
        message = dialect_writers.message(type="k", id=f"t-{number}", payload="x" * 2_000)
        pipe.hset(f"asynq:{{a.default}}:t:t-{number}", "msg", message)
        pipe.lpush("asynq:{a.default}:pending", f"t-{number}")
    message = dialect_writers.message(type="k", id="newest", payload="needle")
    pipe.hset("asynq:{a.default}:t:newest", mapping={"msg": message})
    pipe.lpush("asynq:{a.default}:pending", "newest")
    pipe.execute()
    running = cli.popen("--url", redis_url, "search", "needle", "-i", stdout=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.readline().startswith(b"newest\t"), "it is out before the end"
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=DEADLINE_S)
    # Killed by the signal, which a shell reports as 130.
    assert (running.returncode, out) == (-signal.SIGINT, b"")
