"""The demo as a whole: it writes, it tells when it broke, and nothing of it remains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from runqy_tui import cli
from runqy_tui.config import Settings
from runqy_tui.demo.demo_run import DemoRun
from runqy_tui.demo.fleet_spec import ABANDONED_QUEUE, LONG_LOST, ODD_QUEUE, WORKERS
from runqy_tui.model.errors import UsageError
from tests.support.processes import alive, eventually

PARENT = """
import sys, time
from runqy_tui.demo.demo_run import DemoRun
demo = DemoRun(speed=5)
demo.start()
assert demo.wait_ready()
print(*demo.pids, demo.directory, flush=True)
time.sleep(60)
"""


def test_writes_at_once_and_leaves_nothing() -> None:
    with DemoRun() as demo:
        assert demo.wait_ready()
        assert demo.wait_ready(0)
        with Redis.from_url(demo.url) as client:
            assert client.zcard("asynq:workers") >= 9
            assert client.llen("asynq:{batch.default}:pending") > 200
        assert demo.problem() is None
        pids, directory = demo.pids, demo.directory
        assert len(pids) == 2
        assert all(os.getsid(pid) != os.getsid(0) for pid in pids)
    assert not any(alive(pid) for pid in pids)
    assert not directory.exists()
    demo.stop()
    assert demo.problem() is None


def test_healthy_leaves_out_what_is_odd() -> None:
    with DemoRun(healthy=True) as demo, Redis.from_url(demo.url) as client:
        assert demo.wait_ready()
        queues = client.smembers("asynq:queues")
        workers = client.zrange("asynq:workers", 0, -1)
        healthy = {client.hget(f"asynq:workers:{spec.id}", "healthy") for spec in WORKERS}
        paused = list(client.scan_iter("asynq:{*}:paused"))
    assert queues >= {b"batch.default", b"crashy.default", b"reports.default", b"critical"}
    assert not queues & {ABANDONED_QUEUE.encode(), ODD_QUEUE.encode(), b"low"}
    assert LONG_LOST.encode() not in workers
    assert healthy == {b"1"}
    assert not paused


def test_the_flag_asks_for_a_healthy_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    queues: set[bytes] = set()

    def look(settings: Settings) -> None:
        with Redis.from_url(settings.url) as client:
            assert eventually(lambda: client.sismember("asynq:queues", "critical") == 1)
            queues.update(client.smembers("asynq:queues"))

    monkeypatch.setattr(cli, "_require_terminal", lambda: None)
    monkeypatch.setattr(cli, "_run_app", look)
    cli.cli.main(["--demo", "--demo-healthy"], standalone_mode=False)
    assert b"batch.default" in queues
    assert ABANDONED_QUEUE.encode() not in queues
    queues.clear()
    cli.cli.main(["--demo"], standalone_mode=False)
    assert ABANDONED_QUEUE.encode() in queues
    with pytest.raises(UsageError, match="--demo-healthy requires --demo"):
        cli.cli.main(["--demo-healthy"], standalone_mode=False)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_remains_when_the_parent_is_killed(blow: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server, fleet, directory = parent.stdout.readline().decode().split(maxsplit=2)
        folder = Path(directory.strip())
        assert folder.exists()
        assert alive(int(fleet))
        parent.send_signal(blow)
        parent.wait()
    for pid in (int(server), int(fleet)):
        assert eventually(lambda pid=pid: not alive(pid))  # type: ignore[misc]
    assert eventually(lambda: not folder.exists())


def test_fleet_ends_when_its_input_ends() -> None:
    with DemoRun() as demo:
        assert demo.wait_ready()
        fleet = demo._fleet
        assert fleet is not None
        assert fleet.stdin is not None
        fleet.stdin.close()
        assert fleet.wait(30) == 0


def test_problem_is_one_line_about_the_fleet() -> None:
    with DemoRun() as demo:
        assert demo.wait_ready()
        os.kill(demo.pids[1], signal.SIGKILL)
        assert eventually(lambda: demo.problem() is not None)
        assert demo.problem() == "the simulated fleet has ended (exit code -9)"


def test_problem_gives_the_fleet_s_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = DemoRun(speed=float("nan"))
    monkeypatch.setattr(demo, "_seed", "no-number")
    with demo:
        assert not demo.wait_ready()
        assert eventually(lambda: demo.problem() is not None)
        assert "invalid int value: 'no-number'" in str(demo.problem())
        assert "\n" not in str(demo.problem())


def test_problem_names_the_server_that_ended() -> None:
    with DemoRun() as demo:
        os.kill(demo.pids[0], signal.SIGKILL)
        assert eventually(lambda: demo.problem() == "the demo's server has ended")
        assert eventually(lambda: not alive(demo.pids[1]))


def test_a_module_in_the_user_s_directory_does_not_get_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    with DemoRun() as demo:
        assert demo.wait_ready()
