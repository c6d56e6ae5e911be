"""Plain output from an untrusted database: to a terminal, a pipe and a scraper."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from urllib.parse import quote

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from tests.pty.conftest import Monitor
from tests.pty.terminal import PATIENCE_S
from tests.support import hostile
from tests.support.servers import free_port
from tests.support.terminal_stream import SEQUENCE, odd_text

HOSTILE_ARGUMENT = "a\x1b]0;owned\x07\x1b[2J[/x]\u202e\u200b"
COMMANDS: tuple[Sequence[str], ...] = (
    ("snapshot",),
    *(("task", name.decode("utf-8", "surrogateescape")) for name in hostile.NAMES if 0 not in name),
    ("task", "active" + hostile.ESCAPES.decode()),
    ("check",),
    ("check", "--rules", HOSTILE_ARGUMENT),
    ("report", "-o", "-", "--with-payloads"),
    ("report", "-o", HOSTILE_ARGUMENT + "/x.md"),
    ("rules", "check", HOSTILE_ARGUMENT),
    ("rules", "check", "hostile.toml"),
    ("rules", "init", HOSTILE_ARGUMENT),
    ("--rules", HOSTILE_ARGUMENT),
    ("--profile", HOSTILE_ARGUMENT, "snapshot"),
    ("profiles", "--json"),
    ("task", HOSTILE_ARGUMENT),
    ("--url", f"unix:///tmp/{quote(HOSTILE_ARGUMENT)}", "snapshot"),
    ("--url", HOSTILE_ARGUMENT, "snapshot"),
    ("--notify", HOSTILE_ARGUMENT),
    (HOSTILE_ARGUMENT,),
    ("profiles",),
)
ONE_AFTER_THE_OTHER = """
import ast, os, sys
from runqy_tui import cli
for words in ast.literal_eval(sys.argv[1]):
    sys.argv[1:] = words
    if words == ("profiles",):
        os.environ["RUNQY_TUI_CONFIG"] = "hostile-config.toml"
    try:
        cli.main()
        code = 0
    except SystemExit as left:
        code = left.code or 0
    print("exit", code, flush=True)
"""
"""Each command as from the command line; a process for each would cost a minute."""
FILES = {
    "hostile.toml": '[[rule]]\nname = "\x7f"\n"\\u001b]0;owned\\u0007" = 1\n',
    "config.toml": '[profiles."[@click=app.quit]x[/]"]\nurl = "redis://127.0.0.1:1"\n',
    "hostile-config.toml": '[profiles."\\u001b]0;owned\\u0007[/x]"]\nurl = "redis://127.0.0.1:1"\n',
}


@pytest.fixture
def filled(writer: redis.Redis, redis_url: str) -> str:
    """URL of the hostile database."""
    hostile.fill(writer)
    hostile.fill_more(writer)
    return redis_url


def tame(what: object, raw: bytes) -> None:
    """Assert that this is text that a terminal shows as it is."""
    assert b"\x1b" not in raw, (what, SEQUENCE.findall(raw) or raw)
    assert odd_text(raw.decode(), "\r\n") == [], what
    assert b"Traceback (most recent call last):\n  File" not in raw, (what, raw)


def test_text_for_a_pipe_and_for_a_terminal(monitor: Monitor, filled: str) -> None:
    for name, content in FILES.items():
        (monitor.home / name).write_text(content)
    env = {"RUNQY_REDIS_URL": filled, "RUNQY_TUI_CONFIG": "config.toml"}
    program = [sys.executable, "-c", ONE_AFTER_THE_OTHER, repr(COMMANDS)]
    done = subprocess.run(
        program,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=monitor.environment | env,
        cwd=monitor.home,
        timeout=3 * PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    for stream in (done.stdout, done.stderr):
        tame("a pipe", stream)
        assert stream.count(hostile.MARKER) > 3
    codes = re.findall(r"exit (\S+)", done.stdout.decode())
    assert len(codes) == len(COMMANDS)
    assert set(codes) <= {"0", "1", "2", "3", "69", "73", "78"}, codes
    drawn = [words for words in COMMANDS if words[0] in ("snapshot", "task", "rules", "report")]
    seen = monitor.run(program=(*program[:3], repr(drawn)), env=env)
    assert seen.ends(3 * PATIENCE_S) == 0
    assert seen.raw.count(hostile.MARKER) > 3
    tame("a terminal", seen.raw)


def test_labels_of_metrics(monitor: Monitor, filled: str) -> None:
    port = free_port()
    command = ("--url", filled, "--interval", "0.5", "metrics", "--listen", f"127.0.0.1:{port}")
    seen = monitor.run(*command)
    seen.until(lambda: _accepts(port), "it listens")
    where = f"http://127.0.0.1:{port}/metrics"

    def scraped() -> bytes:
        with urllib.request.urlopen(where, timeout=PATIENCE_S) as answer:
            body: bytes = answer.read()
            return body

    seen.until(lambda: b"runqy_queue_tasks{" in scraped(), "the first poll")
    body = scraped()
    seen.signal(signal.SIGTERM)
    assert seen.ends() == 0
    tame("labels", re.sub(rb"\xcd[\x91]", b"", body))  # marks pile up for nobody to see
    tame("standard error", seen.raw)
    families = {f.name: f for f in text_string_to_metric_families(body.decode())}
    queues = {s.labels["queue"] for s in families["runqy_queue_pending_tasks"].samples}
    assert len(queues) > len(hostile.NAMES)
    assert any(hostile.MARKUP.decode() in queue for queue in queues)
    assert len(families["runqy_worker_healthy"].samples) >= len(hostile.NAMES)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_json_is_ascii(monitor: Monitor, filled: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runqy_tui", "--url", filled, "snapshot", "--json"],
        capture_output=True,
        env=monitor.environment,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0
    tame("json", done.stdout)
    assert done.stdout.isascii()
    assert len(json.loads(done.stdout)["queues"]) > len(hostile.NAMES)
