"""The embedded server: it comes up, it is private, and nothing of it remains, whatever happens."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis

from runqy_tui.demo import embedded_server
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.model.errors import ConnectionFailedError
from tests.support.processes import alive, eventually

PARENT = """
import sys, time
from runqy_tui.demo.embedded_server import EmbeddedServer
server = EmbeddedServer(tcp=sys.argv[1] == "tcp")
server.start()
print(server.pid, server._supervisor.pid, server.directory, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("tcp", [False, True])
def test_starts_answers_and_leaves_nothing(tcp: bool) -> None:
    server = EmbeddedServer(tcp=tcp)
    started = time.monotonic()
    server.start()
    took = time.monotonic() - started
    with server:
        with Redis.from_url(server.url) as client:
            assert client.ping()
            assert client.info("server")["process_id"] == server.pid
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("port")["port"] != "6379"
        assert server.url.startswith("redis://127.0.0.1:" if tcp else "unix:///")
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        assert server.running
        pid, directory = server.pid, server.directory
    assert not server.running
    assert not alive(pid)
    assert not directory.exists()
    server.stop()  # once more does no harm
    assert took < 2.0  # some 40 ms on an idle machine


def test_unix_server_listens_on_no_port(server: EmbeddedServer, client: Redis) -> None:
    assert client.config_get("port") == {"port": "0"}
    assert len(os.fsencode(server.directory / "redis.sock")) < 100


def test_starts_again_after_stop(server: EmbeddedServer) -> None:
    first = server.directory
    server.stop()
    server.start()
    assert server.directory != first
    with Redis.from_url(server.url) as client:
        assert client.dbsize() == 0


def test_long_or_odd_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Path("/tmp") / f"runqy tui %41 {os.getpid()}"
    odd.mkdir()
    try:
        for folder in (odd, tmp_path / ("long" * 30)):
            folder.mkdir(exist_ok=True)
            monkeypatch.setattr("tempfile.tempdir", str(folder))
            with EmbeddedServer() as server, Redis.from_url(server.url) as client:
                assert client.ping()
            assert list(folder.iterdir()) == []
    finally:
        odd.rmdir()


def test_not_in_the_terminal_s_session(server: EmbeddedServer) -> None:
    assert os.getsid(server.pid) != os.getsid(0)


def test_server_that_dies_is_noticed_and_tidied(server: EmbeddedServer) -> None:
    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: not server.running)
    assert eventually(lambda: not server.directory.exists())


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nothing_remains_when_the_parent_is_killed(kind: str, blow: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, kind], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server, supervisor, directory = parent.stdout.readline().decode().split(maxsplit=2)
        folder = Path(directory.strip())
        assert folder.exists()
        assert alive(int(server))
        parent.send_signal(blow)
        parent.wait()
    assert eventually(lambda: not folder.exists())
    assert eventually(lambda: not alive(int(server)))
    assert eventually(lambda: not alive(int(supervisor)))


def test_nothing_remains_when_killed_while_starting(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from runqy_tui.demo.embedded_server import EmbeddedServer\n"
        "EmbeddedServer._is_ready = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
        "EmbeddedServer().start()\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", script], env=environment)
    assert run.returncode == -signal.SIGKILL
    assert eventually(lambda: list(tmp_path.iterdir()) == [])


def test_supervisor_asked_to_end_takes_the_server_along(server: EmbeddedServer) -> None:
    assert server._supervisor is not None
    server._supervisor.terminate()
    assert eventually(lambda: not server.running)
    assert eventually(lambda: not alive(server.pid))
    assert not server.directory.exists()


def test_failure_gives_the_server_s_own_last_line(tmp_path: Path) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo "Redis server v=7.0.15";;'
        ' *) echo "first line"; printf "# \\033[31mCannot allocate memory\\n"; exit 1;; esac\n'
    )
    broken.chmod(0o755)
    server = EmbeddedServer(broken)
    with pytest.raises(ConnectionFailedError, match="Cannot allocate memory") as caught:
        server.start()
    assert "\x1b" not in str(caught.value)
    assert "first line" not in str(caught.value)
    assert not server.running
    assert not server.directory.exists()


def test_port_taken_between_probe_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedServer(tcp=True) as first:
        taken = int(first.url.split(":")[2].split("/")[0])
        free_port = embedded_server._free_port
        proposed = iter([taken, taken])
        monkeypatch.setattr(
            embedded_server, "_free_port", lambda: next(proposed, None) or free_port()
        )
        with EmbeddedServer(tcp=True) as second, Redis.from_url(second.url) as client:
            assert second.url != first.url
            assert client.info("server")["process_id"] == second.pid
