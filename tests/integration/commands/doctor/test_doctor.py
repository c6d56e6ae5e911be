"""``runqy-tui doctor`` on real servers: what is well, what is not, and what to do about it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runqy_tui.redis.checkup import acl
from tests.app import scenes
from tests.integration.commands.doctor.conftest import Doctor
from tests.integration.conftest import Result
from tests.support import dialect_writers
from tests.support.permissions import login
from tests.support.processes import eventually
from tests.support.servers import RealServer, embedded, free_port

ORDER = [
    *("configuration", "name", "connection", "TLS", "authentication", "commands", "round trip"),
    *("clock", "server", "data", "poll", "terminal", "colours", "characters", "mouse"),
    *("program", "packages"),
]
BEYOND = ["authentication", "commands", "round trip", "server"]
"""What cannot be looked at without a connection."""


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with RealServer(embedded(), {"repl-diskless-sync-delay": "0"}) as running:
        yield running


@pytest.fixture
def admin(server: RealServer) -> Iterator[Any]:
    with server.client() as client:
        client.flushall()
        yield client


def user_at(server: RealServer, admin: Any, *changes: str) -> str:
    """URL of a read-only user with other rights than it should have."""
    admin.execute_command("ACL", "SETUSER", "mon", "reset", "on", ">pw", *acl.rule().split())
    admin.execute_command("ACL", "SETUSER", "mon", *changes)
    return login(server.url, "mon", "pw")


def test_all_is_well(doctor: Doctor, server: RealServer, admin: Any) -> None:
    scenes.small_fleet(admin)
    dialect_writers.server(admin, "h:1:u", dialect_writers.now_of(admin), {"a.default": 1})
    report = doctor(user_at(server, admin))
    assert report.code == 0
    assert [line["topic"] for line in report.lines] == ORDER
    assert {line["verdict"] for line in report.lines if line["topic"] != "terminal"} == {"ok"}
    assert report.one("connection").startswith(f"127.0.0.1:{server.port} in ")
    assert report.one("authentication") == 'authenticated as "mon"'
    assert report.one("commands") == "all 28 that a monitor needs are allowed"
    assert re.fullmatch(r"valkey [\d.]+, standalone, primary", report.one("server"))
    assert report.one("data").endswith(
        "4 workers (1 degraded, 1 lost, 2 running); dialects asynq, runqy"
    )
    assert re.search(r"Redis is [\d.]+ ms (ahead of|behind) this machine \(±", report.one("clock"))
    assert re.match(r"each 2 s: \d+ commands in 1 round trip, .* KiB sent, ", report.one("poll"))
    assert re.match(r"[\d.]+ ms \(median of 7, ", report.one("round trip"))
    assert "textual " in report.one("packages")
    assert "hiredis " in report.one("packages")


def test_the_cost_is_what_goes_over_the_wire(
    doctor: Doctor, server: RealServer, admin: Any
) -> None:
    """By the server's own count: commands and bytes of everything that the doctor did."""
    scenes.small_fleet(admin)
    report = doctor(server.url).one("poll")
    match = re.search(r"the first: (\d+) commands in 3 round trips, ([\d.]+) KiB sent", report)
    assert match is not None, report
    commands, sent = int(match[1]), float(match[2]) * 1024
    before = admin.info("stats")
    doctor(server.url)
    after = admin.info("stats")
    assert after["total_commands_processed"] - before["total_commands_processed"] > commands
    assert after["total_net_input_bytes"] - before["total_net_input_bytes"] > sent


def test_an_empty_server(doctor: Doctor, server: RealServer, admin: Any) -> None:
    report = doctor(server.url)
    assert report.code == 0
    assert report.one("data", "warn") == "no queue and no worker of any dialect"
    assert "database number" in report.mend("data")
    assert "no password required" in report.one("authentication")


def test_lists_without_a_worker_have_no_dialect(
    doctor: Doctor, server: RealServer, admin: Any
) -> None:
    dialect_writers.pending(admin, "a.b", "t1")
    assert doctor(server.url).one("data") == (
        "1 queue, 0 workers; the dialect is unknown without a worker"
    )


def test_a_wrong_password(doctor: Doctor, server: RealServer, admin: Any) -> None:
    user_at(server, admin)
    report = doctor(login(server.url, "mon", "wr0ng"))
    assert report.code == 77
    assert report.failures() == ["authentication"]
    assert 'refuses the password for user "mon"' in report.one("authentication", "fail")
    assert report.skipped() == ["commands", "round trip", "server"]
    assert report.one("mouse")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}/0", "unix:///nowhere/redis.sock"])
def test_nothing_listens(doctor: Doctor, url: str) -> None:
    report = doctor(url.format(port=free_port()))
    assert report.code == 69
    assert report.failures() == ["connection"]
    assert report.skipped() == BEYOND
    assert "Start Redis" in report.mend("connection")


def test_a_name_that_nobody_knows(doctor: Doctor) -> None:
    report = doctor("redis://no-such-host.invalid:6379/0", "--timeout", "1")
    assert (report.code, report.failures()) == (69, ["name"])
    assert "'no-such-host.invalid'" in report.one("name", "fail")
    assert report.skipped() == BEYOND
    assert report.one("program")


def test_who_listens_and_says_nothing(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        report = doctor(f"redis://127.0.0.1:{port}/0", "--timeout", "0.3")
    assert (report.code, report.failures()) == (69, ["authentication"])
    assert "does not answer within 0.3 s" in report.one("authentication", "fail")


@pytest.mark.parametrize(
    ("change", "code", "verdict", "says"),
    [
        ("-hmget", 77, "fail", "HMGET is refused (NOPERM)"),
        ("-eval_ro", 0, "warn", "EVAL_RO is refused (NOPERM): values over 256 KiB are read whole"),
        ("-client|setname", 0, "warn", "CLIENT SETNAME is refused (NOPERM): CLIENT LIST does not"),
    ],
)
def test_one_command_is_refused(
    *,
    doctor: Doctor,
    server: RealServer,
    admin: Any,
    change: str,
    code: int,
    verdict: str,
    says: str,
) -> None:
    report = doctor(user_at(server, admin, change))
    assert report.code == code
    (good, refused) = report.of("commands")
    assert good == ("ok", "27 of 28 are allowed")
    assert refused[0] == verdict
    assert refused[1].startswith(says)
    assert report.mend("commands") == "Give this user the rights that `runqy-tui acl` prints."
    assert report.of("poll"), "it goes on"


def test_without_time_the_clock_is_unknown(doctor: Doctor, server: RealServer, admin: Any) -> None:
    report = doctor(user_at(server, admin, "-time"))
    assert report.code == 0
    assert "does not allow TIME" in report.one("clock", "warn")
    assert report.one("round trip")


def test_the_keys_are_refused(doctor: Doctor, server: RealServer, admin: Any) -> None:
    report = doctor(user_at(server, admin, "resetkeys", "%R~other:*"))
    assert report.code == 77
    assert report.of("commands")[0] == ("ok", "5 of 28 are allowed")
    ((verdict, text),) = report.of("commands")[1:]
    assert verdict == "fail"
    assert text.startswith("this user may not read keys asynq:* (NOPERM), as EVAL_RO, EXISTS")


def test_a_command_that_was_renamed(doctor: Doctor) -> None:
    with RealServer(embedded(), {"rename-command": 'HRANDFIELD ""'}) as renamed:
        report = doctor(renamed.url)
    assert report.code == 77
    assert ("fail", "HRANDFIELD is unknown to this server") in report.of("commands")
    assert "rename-command" in report.mend("commands")


def test_a_replica_and_one_that_is_cut_off(doctor: Doctor, server: RealServer, admin: Any) -> None:
    with RealServer(embedded(), {"replicaof": f"127.0.0.1 {server.port}"}) as copy:
        with copy.client() as client:
            in_step = lambda: client.info("replication")["master_link_status"] == "up"  # noqa: E731
            assert eventually(in_step, within=20)
        assert doctor(copy.url).one("server").endswith(", standalone, replica")
    with RealServer(embedded(), {"replicaof": f"127.0.0.1 {free_port()}"}) as copy:
        report = doctor(copy.url)
    assert report.one("server", "warn").endswith("replica, cut off from its primary")


def test_the_lines_as_text(here: Callable[..., Result], server: RealServer, admin: Any) -> None:
    result = here("--url", server.url, "doctor", TERM="dumb")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("OK    configuration   URL from --url; ")
    position = lines.index("WARN  terminal        TERM='dumb' cannot show the monitor")
    assert lines[position + 1].startswith(" " * 22 + "-> Set TERM")
    assert re.fullmatch(r"14 ok, \d warnings, 0 failures", lines[-1])


def test_a_bad_setting_is_a_line_of_its_own(doctor: Doctor) -> None:
    report = doctor("http://h")
    assert (report.code, report.failures(), report.skipped()) == (78, ["configuration"], ["redis"])
    assert report.one("configuration", "fail").startswith("--url: The Redis URL must start with")
    assert report.one("program")
    report = doctor(RUNQY_TUI_CONFIG="/nonexistent")
    assert (report.code, report.failures()) == (78, ["configuration"])


def test_help_and_wrong_usage(here: Callable[..., Result]) -> None:
    assert here("doctor", "--help").code == 0
    here("doctor", "--yaml").failed(2)


def test_names_of_others_are_safe_text(here: Callable[..., Result]) -> None:
    url = "redis://ev%1b%5bil:pw@ho%C2%9Bst.invalid/0"
    for words in (["doctor"], ["doctor", "--json"]):
        result = here("--url", url, "--timeout", "1", *words)
        assert result.code in (69, 78)
        assert "\x1b" not in result.out
        assert "\x9b" not in result.out
        if "--json" in words:
            assert json.loads(result.out)["lines"]
