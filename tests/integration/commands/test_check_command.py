"""``runqy-tui check``: its line, its JSON and its exit codes, against real servers."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
import redis

from runqy_tui.model import JsonObject
from tests.integration.conftest import DEADLINE_S, Cli, Result
from tests.support import dialect_writers
from tests.support.captures import Captures

DEAD = "redis://127.0.0.1:1/0"
FAST = ("--interval", "0.2")


def check(cli: Cli, url: str, *args: str) -> Result:
    result = cli("--url", url, *FAST, "check", *args)
    assert result.err == ""
    assert args.count("--json") or result.out.count("\n") == 1
    return result


def rules(cli: Cli, text: str) -> str:
    path = cli.home / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def figures(line: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in line.rpartition(" | ")[2].split())


@pytest.mark.parametrize(
    ("capture", "code", "says"),
    [
        ("runqy-02", 2, "worker vm:27281 is recovering"),
        ("runqy-03", 2, "worker vm:27281 is degraded"),
        ("runqy-04", 2, "crashy.default"),
        ("runqy-06", 2, "worker vm:28230 is lost"),
        ("runqy-07", 2, "worker vm:28230 is lost"),
        ("asynq-01", 0, "nothing is firing"),
    ],
)
def test_captures(
    cli: Cli, captures: Captures, redis_url: str, capture: str, code: int, says: str
) -> None:
    captures.load(capture, rebase=True)
    result = check(cli, redis_url)
    assert result.code == code
    assert result.out.startswith(f"RUNQY {('OK', 'WARNING', 'CRITICAL')[code]} - ")
    assert says in result.out


def test_figures_of_a_capture(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-03", rebase=True)
    seen = figures(check(cli, redis_url).out)
    assert (seen["workers"], seen["degraded"], seen["lost"], seen["pending"]) == (
        "2",
        "1",
        "0",
        "0",
    )


def test_ok_on_an_empty_and_on_a_healthy_redis(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    assert check(cli, redis_url).code == 0
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a:1]")
    dialect_writers.pending(writer, "a", "t1", since=now)
    result = check(cli, redis_url)
    assert (result.code, result.out.split(" | ")[0]) == (0, "RUNQY OK - nothing is firing")
    assert figures(result.out) == {
        "workers": "1",
        "degraded": "0",
        "lost": "0",
        "queues": "1",
        "pending": "1",
        "findings": "0",
        "firing": "0",
    }


def deep(writer: redis.Redis, name: str, number: int) -> None:
    dialect_writers.queue(writer, name)
    writer.lpush(f"asynq:{{{name}}}:pending", *(f"{name}-{turn}" for turn in range(number)))


DEPTH = '[[rule]]\nname = "deep"\nkind = "queue-depth"\nthreshold = 5\nfor = "10m"\n'


def test_warning_and_critical(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    deep(writer, "a", 6)
    warning = check(cli, redis_url, "--rules", rules(cli, DEPTH))
    assert warning.code == 1
    assert warning.out.startswith("RUNQY WARNING - 1 firing: a has 6 pending (over 5) | ")
    file = rules(cli, DEPTH + 'severity = "critical"\n')
    assert check(cli, redis_url, "--rules", file).code == 2
    file = rules(cli, DEPTH + 'queues = ["!a"]\n')
    assert check(cli, redis_url, "--rules", file).code == 0


def test_many_alerts_stay_one_line(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    for number in range(8):
        deep(writer, f"q{number}", 6)
    line = check(cli, redis_url, "--rules", rules(cli, DEPTH)).out
    assert "8 firing: " in line
    assert "; and 3 more | " in line


def test_a_watch_shorter_than_for_needs_the_condition_all_along(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    """Pending at the end only: not said to fire."""
    file = rules(cli, DEPTH)
    args = ("--url", redis_url, *FAST, "check", "--rules", file, "--for", "3s", "--json")
    with cli.popen(*args, stdout=subprocess.PIPE) as running:
        name = "late"
        others = len(writer.client_list())
        while len(writer.client_list()) == others:
            time.sleep(0.01)
        dialect_writers.queue(writer, name)
        time.sleep(1)
        deep(writer, name, 6)
        out, _ = running.communicate(timeout=DEADLINE_S)
    result = Result(running.returncode, out, "")
    assert (result.code, result.json["firing"]) == (0, [])
    assert [alert["object"]["name"] for alert in result.json["pending"]] == [name]


def test_failures_during_the_watch(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a:1]")
    dialect_writers.queue(writer, "a")
    writer.mset({"asynq:{a}:processed": 100, "asynq:{a}:failed": 0})
    file = rules(cli, '[[rule]]\nname = "f"\nkind = "failure-rate"\nthreshold = 0.5\n')
    assert check(cli, redis_url, "--rules", file).code == 0
    args = ("--url", redis_url, *FAST, "check", "--rules", file, "--for", "4s")
    with cli.popen(*args, stdout=subprocess.PIPE) as running:
        while running.poll() is None:
            writer.incrby("asynq:{a}:failed", 10)
            time.sleep(0.1)
        out = running.stdout.read() if running.stdout else b""
    assert running.returncode == 1
    assert out.startswith(b"RUNQY WARNING - 1 firing: 100% of tasks in a fail, ")


def test_json(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-03", rebase=True)
    result = check(cli, redis_url, "--json")
    seen: JsonObject = result.json
    assert list(seen) == [
        *("schema", "status", "exit_code", "summary", "taken_at", "redis", "polls", "watched_s"),
        *("counts", "firing", "pending", "unknown"),
    ]
    assert (seen["schema"], seen["status"], seen["exit_code"], result.code) == (1, "critical", 2, 2)
    assert seen["polls"] == 2
    assert 0.1 < seen["watched_s"] < 5
    by_rule = {alert["rule"]: alert for alert in seen["firing"]}
    alert = by_rule["worker-unhealthy"]
    assert alert["object"] == {
        "kind": "worker",
        "name": "vm:27281",
        "queue": None,
        "braced": None,
    }
    assert (alert["severity"], alert["value"], alert["kind"]) == ("critical", 1.0, alert["rule"])
    assert by_rule["critical-finding"]["next_step"]
    assert seen["summary"].startswith("RUNQY CRITICAL - ")


def test_what_is_unknown_is_listed(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("asynq-01", rebase=True)
    entries = check(cli, redis_url, "--json").json["unknown"]
    assert any("does not report its health" in entry["sentence"] for entry in entries)


def test_unknown_without_redis(cli: Cli) -> None:
    result = check(cli, DEAD)
    assert result.code == 3
    assert result.out.startswith("RUNQY UNKNOWN - Redis at 127.0.0.1:1 refuses the connection")
    seen = check(cli, DEAD, "--json")
    assert (seen.code, seen.json["status"], seen.json["exit_code"]) == (3, "unknown", 3)
    assert seen.json["error"].startswith("Redis at 127.0.0.1:1 refuses")


def test_unknown_without_access(cli: Cli, locked_at: str) -> None:
    result = check(cli, f"redis://:wr0ng@{locked_at}/0")
    assert result.code == 3
    assert "refuses the password" in result.out
    assert "wr0ng" not in result.out
    assert check(cli, f"redis://blind:right@{locked_at}/0").code == 3
    assert check(cli, f"redis://monitor:right@{locked_at}/0").code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DEPTH + "treshold = 2\n", "rules.toml line 6: rule 'deep': unknown key 'treshold'"),
        ("[[rule]\n", "rules.toml is not valid TOML"),
        (DEPTH + 'queues = "a|b\n', "rules.toml is not valid TOML"),
    ],
)
def test_unknown_for_bad_rules(cli: Cli, redis_url: str, text: str, says: str) -> None:
    result = check(cli, redis_url, "--rules", rules(cli, text))
    assert result.code == 3
    assert result.out.startswith("RUNQY UNKNOWN - ")
    assert says in result.out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--bogus"], "No such option '--bogus'."),
        (["extra"], "unexpected extra argument"),
        (["--for", "soon"], "--for 'soon' must be a time up to 1h, as in 30s or 5m."),
        (["--for", "2h"], "--for '2h' must be a time up to 1h"),
        (["--rules", "/nonexistent"], "/nonexistent cannot be read: No such file"),
    ],
)
def test_wrong_usage_is_unknown_and_not_critical(
    cli: Cli, redis_url: str, args: list[str], says: str
) -> None:
    result = check(cli, redis_url, *args)
    assert result.code == 3
    assert says in result.out


def test_a_bad_setting_is_unknown(cli: Cli) -> None:
    result = cli("check", RUNQY_TUI_CONFIG="/nonexistent")
    assert (result.code, result.err) == (3, "")
    assert "RUNQY_TUI_CONFIG names /nonexistent" in result.out


def test_hostile_names_forge_neither_lines_nor_figures(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    name = b"evil|pending=0\n\x1b]52;c;aGk=\x07\xff"
    dialect_writers.queue(writer, name)
    writer.lpush(b"asynq:{" + name + b"}:pending", *(str(number) for number in range(6)))
    result = check(cli, redis_url, "--rules", rules(cli, DEPTH))
    assert result.code == 1
    assert not any(byte < 0x20 and byte != 0x0A for byte in result.raw)
    assert result.out.count("|") == 1
    assert figures(result.out)["pending"] == "6"
    assert "evil¦pending=0␊␛]52;c;aGk=␇‹FF›" in result.out
    assert check(cli, redis_url, "--rules", str(cli.home / "rules.toml"), "--json").raw.isascii()


def test_it_only_reads(cli: Cli, captures: Captures, redis_url: str) -> None:
    captures.load("runqy-07", rebase=True)
    before = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    check(cli, redis_url)
    after = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    assert after == before
    assert list(cli.home.iterdir()) == []


def test_a_watch_has_the_length_that_was_asked_for(cli: Cli, redis_url: str) -> None:
    seen = check(cli, redis_url, "--for", "1s", "--json").json
    assert seen["polls"] == 6
    assert 1.0 <= seen["watched_s"] < 3.0


def test_the_rules_that_init_writes_are_the_built_in_ones(
    cli: Cli, captures: Captures, redis_url: str, tmp_path: Path
) -> None:
    captures.load("runqy-03", rebase=True)
    file = str(tmp_path / "own.toml")
    assert cli("rules", "init", file).code == 0
    built_in = check(cli, redis_url, "--json").json
    own = check(cli, redis_url, "--rules", file, "--json").json
    assert [alert["rule"] for alert in own["firing"]] == [
        alert["rule"] for alert in built_in["firing"]
    ]
