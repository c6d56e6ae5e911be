"""The exporter as a service: starting, losing Redis, ending."""

from __future__ import annotations

import signal
import socket
import time

import pytest
import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from tests.integration.conftest import Cli
from tests.integration.exporter.conftest import Exporter, StartExporter
from tests.support import dialect_writers

DEAD = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_peace(exporter: Exporter, number: signal.Signals) -> None:
    started = time.monotonic()
    assert exporter.stop(number) == (0, "")
    assert time.monotonic() - started < 5


def test_it_ends_in_peace_without_redis(start: StartExporter) -> None:
    exporter = start(url=DEAD)
    exporter.until(lambda seen: seen["runqy_exporter_errors_total"] > 0)
    code, stderr = exporter.stop()
    assert code == 0
    assert stderr.startswith("runqy-tui: Redis at 127.0.0.1:1 refuses the connection")
    assert "Traceback" not in stderr


def test_it_starts_without_redis_and_says_so(start: StartExporter) -> None:
    exporter = start(url=DEAD)
    seen = exporter.until(lambda seen: seen["runqy_exporter_errors_total"] > 1)
    assert seen["runqy_up"] == 0
    assert not any("queue" in name for name in seen)
    health = exporter.get("/healthz")
    assert (health.code, health.text.count("\n")) == (503, 1)
    assert health.text.startswith("Redis at 127.0.0.1:1 refuses the connection")


def test_redis_goes_and_comes_back(start: StartExporter) -> None:
    with EmbeddedServer(tcp=True) as server:
        with redis.Redis.from_url(server.url) as writer:
            dialect_writers.pending(writer, "a", "t1")
        exporter = start(url=server.url)
        exporter.until(lambda seen: seen["runqy_up"] == 1)
        assert exporter.get("/healthz").code == 200
        server.stop()
        seen = exporter.until(lambda seen: seen["runqy_up"] == 0)
        assert seen["runqy_queue_pending_tasks{queue=a}"] == 1
        health = exporter.get("/healthz")
        assert (health.code, health.text.count("\n")) == (503, 1)
        older = exporter.until(lambda seen: seen["runqy_exporter_snapshot_age_seconds"] > 1)
        assert older["runqy_queue_pending_tasks{queue=a}"] == 1


def test_a_scrape_never_waits_for_redis(writer: redis.Redis, exporter: Exporter) -> None:
    """CLIENT PAUSE holds every answer back: the server is there, and silent."""
    dialect_writers.pending(writer, "a", "t1")
    exporter.polled()
    writer.client_pause(4_000)
    paused = time.monotonic()
    slowest, ages = 0.0, []
    while time.monotonic() - paused < 3:
        started = time.monotonic()
        seen = exporter.samples()
        slowest = max(slowest, time.monotonic() - started)
        ages.append(seen["runqy_exporter_snapshot_age_seconds"])
        assert seen["runqy_queue_pending_tasks{queue=a}"] == 1
        time.sleep(0.1)
    assert slowest < 0.7
    assert ages[-1] > 2
    assert exporter.get("/healthz").code == 503
    assert exporter.until(lambda seen: seen["runqy_up"] == 1)["runqy_exporter_errors_total"] > 0


def test_a_port_in_use(cli: Cli, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error_line = cli("--url", redis_url, "metrics", "--listen", address).failed(69)
    assert error_line == (
        f"Cannot listen on {address}: the port is in use. Stop the program that uses it, or "
        "choose another port with --listen."
    )


def test_an_address_of_another_machine(cli: Cli, redis_url: str) -> None:
    error_line = cli("--url", redis_url, "metrics", "--listen", "192.0.2.1:9090").failed(69)
    assert error_line.startswith(
        "Cannot listen on 192.0.2.1:9090: Cannot assign requested address."
    )
    error_line = cli("--url", redis_url, "metrics", "--listen", "no.invalid:9090").failed(69)
    assert "unknown host" in error_line


@pytest.mark.parametrize("listen", ["9090", ":9090", "h:99999", "http://127.0.0.1:9090"])
def test_a_bad_address_is_wrong_usage(cli: Cli, listen: str) -> None:
    error_line = cli("metrics", "--listen", listen).failed(2)
    assert error_line.startswith(f"--listen '{listen}' is not an address: write HOST:PORT")


def test_settings_that_can_never_be_right_end_it(cli: Cli) -> None:
    """They are found by the first poll, after it began to serve."""
    result = cli("--url", "http://h", "metrics", "--listen", "127.0.0.1:0")
    assert (result.code, result.out) == (78, "")
    assert "--url: The Redis URL must start with redis://" in result.err.splitlines()[-1]
    cli("metrics", RUNQY_TUI_CONFIG="/nonexistent").failed(78)


def test_a_password_is_in_no_output(start: StartExporter) -> None:
    exporter = start(url="redis://:wr0ng-secret@127.0.0.1:1/0")
    exporter.until(lambda seen: seen["runqy_exporter_errors_total"] > 0)
    for path in ("/metrics", "/healthz", "/"):
        assert "wr0ng" not in exporter.get(path).text
    assert "wr0ng" not in exporter.stop()[1]


def test_ipv6(start: StartExporter) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    exporter = start("--listen", "[::1]:0")
    assert "http://[::1]:" in exporter.lines[0]
    with socket.create_connection(("::1", exporter.port), timeout=5) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert b" 200 OK\r\n" in client.recv(4096)


def test_a_silent_client_holds_nothing_up(exporter: Exporter) -> None:
    with socket.create_connection(("127.0.0.1", exporter.port), timeout=5) as silent:
        silent.sendall(b"GET /met")
        assert exporter.get("/metrics").took_s < 2
        assert exporter.stop()[0] == 0
