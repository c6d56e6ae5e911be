"""``runqy-tui snapshot`` on what real servers and workers wrote."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.integration.conftest import Cli
from tests.support import dialect_writers
from tests.support.captures import Captures

COUNTS = ["pending", "active", "scheduled", "retry", "archived", "completed", "aggregating"]
HOSTILE = b"evil\x1b]52;c;aGk=\x07\n\xe2\x9c\x96  forged  9\r\xff\xe2\x80\xae"


def by(entries: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {entry[key]: entry for entry in entries}


def row_of(text: str, name: str) -> list[str]:
    (row,) = [line for line in text.splitlines() if f"  {name}  " in line]
    return row.split()


def test_the_shape_of_the_json(cli: Cli, captures: Captures, redis_url: str, bare_url: str) -> None:
    captures.load("runqy-07", rebase=True)
    result = cli("--url", redis_url, "snapshot", "--json")
    assert (result.code, result.err) == (0, "")
    seen = result.json
    assert list(seen) == ["schema", "taken_at", "redis", "queues", "workers", "warnings"]
    assert seen["schema"] == 1
    assert isinstance(seen["taken_at"], float)
    assert seen["redis"]["address"] == bare_url.partition("?")[0].replace("unix://", "unix:")
    assert seen["redis"]["mode"] == "standalone"
    assert seen["redis"]["round_trips"] == 3
    assert all(list(queue["counts"]) == COUNTS for queue in seen["queues"])
    assert result.raw.isascii()


def test_a_degraded_worker(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-03", rebase=True)
    seen = cli("--url", redis_url, "snapshot", "--json").json
    worker = by(seen["workers"], "id")["vm:27281"]
    assert (worker["state"], worker["healthy"], worker["dialect"]) == ("degraded", False, "runqy")
    assert worker["recovery"]["crashy"]["state"] == "degraded"
    queue = by(seen["queues"], "name")["crashy.default"]
    assert queue["counts"]["retry"] == 3
    assert queue["consumers"] == ["vm:27281"]
    text = cli("--url", redis_url, "snapshot").out
    assert row_of(text, "vm:27281")[:3] == ["✖", "vm:27281", "degraded"]
    first = text.split("\n\n")[1].splitlines()[1]
    assert first.split()[1] == "vm:27281"
    assert first.endswith("crashy crashed; restart this worker")


def test_a_lost_worker_and_the_task_it_held(cli: Cli, captures: Captures, redis_url: str) -> None:
    taken_at = captures.load("runqy-06", rebase=True)
    seen = cli("--url", redis_url, "snapshot", "--json").json
    worker = by(seen["workers"], "id")["vm:28230"]
    assert worker["state"] == "lost"
    shift = seen["taken_at"] - taken_at
    assert worker["last_beat_at"] == pytest.approx(1_795_483_812 + shift, abs=5)
    assert by(seen["queues"], "name")["crashy.default"]["counts"]["active"] == 1
    text = cli("--url", redis_url, "snapshot").out
    assert row_of(text, "vm:28230")[:3] == ["✖", "vm:28230", "lost"]
    assert row_of(text, "crashy.default")[0] == "!"
    assert "active tasks, but no consumer" in text


def test_counters_with_the_meaning_of_their_writer(
    cli: Cli, captures: Captures, redis_url: str
) -> None:
    captures.load("runqy-07", rebase=True)
    queue = by(cli("--url", redis_url, "snapshot", "--json").json["queues"], "name")[
        "nostore.default"
    ]
    assert (queue["failed_total"], queue["counts"]["archived"]) == (3, 0)
    assert queue["dialect"] == "runqy"


def test_an_asynq_fleet(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("asynq-01", rebase=True)
    seen = cli("--url", redis_url, "snapshot", "--json").json
    (server,) = [worker for worker in seen["workers"] if worker["id"].startswith("vm:28941:")]
    assert (server["dialect"], server["state"], server["healthy"]) == ("asynq", "running", None)
    assert len(server["active_tasks"]) > 0
    low = by(seen["queues"], "name")["low"]
    assert (low["paused"], low["counts"]["pending"]) == (True, 6)
    row = row_of(cli("--url", redis_url, "snapshot").out, "low")
    assert (row[0], row[-1]) == ("!", "paused")


def test_an_empty_redis(cli: Cli, redis_url: str) -> None:
    seen = cli("--url", redis_url, "snapshot", "--json").json
    assert (seen["queues"], seen["workers"], seen["warnings"]) == ([], [], [])
    text = cli("--url", redis_url, "snapshot").out
    assert "No workers.\n\nNo queues.\n" in text


def test_hostile_names_stay_in_their_line(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    dialect_writers.queue(writer, "plain")
    lines = cli("--url", redis_url, "snapshot").out.count("\n")
    dialect_writers.queue(writer, HOSTILE)
    result = cli("--url", redis_url, "snapshot")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == lines + 1
    assert not any(byte < 0x20 and byte != 0x0A for byte in result.raw)
    assert "evil␛]52;c;aGk=␇␊✖  forged  9␍‹FF›‹202E›" in result.out
    seen = cli("--url", redis_url, "snapshot", "--json")
    names = [queue["name"].encode("utf-8", "surrogateescape") for queue in seen.json["queues"]]
    assert HOSTILE in names
    assert seen.raw.isascii()


def test_the_address_from_every_source(cli: Cli, redis_url: str) -> None:
    """From the environment and the file, each wins where nothing above it is set."""
    dead = "redis://127.0.0.1:1/0"
    assert cli("snapshot", RUNQY_REDIS_URL=redis_url, REDIS_URL=dead).code == 0
    assert cli("snapshot", REDIS_URL=redis_url, REDIS_HOST="127.0.0.1", REDIS_PORT="1").code == 0
    assert cli("--url", redis_url, "snapshot", RUNQY_REDIS_URL=dead).code == 0
    file = cli.home / "own.toml"
    file.write_text(f'url = "{redis_url}"\n', encoding="utf-8")
    assert cli("snapshot", RUNQY_TUI_CONFIG=str(file)).code == 0
    refused = cli("snapshot", RUNQY_TUI_CONFIG=str(file), REDIS_HOST="127.0.0.1", REDIS_PORT="1")
    assert "127.0.0.1:1" in refused.failed(69)


def test_looking_changes_nothing(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-02", rebase=True)
    before = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    assert cli("--url", redis_url, "snapshot").code == 0
    after = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    assert after == before
    assert list(cli.home.iterdir()) == []
