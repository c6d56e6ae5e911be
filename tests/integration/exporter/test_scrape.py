"""What a scrape holds, compared with what Redis holds."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
import redis

from runqy_tui.exporter.metric_families import FAMILIES
from tests.integration.exporter.conftest import Exporter, StartExporter
from tests.support import dialect_writers
from tests.support.captures import Captures

STATES = ("scheduled", "retry", "archived", "completed")


def as_text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode()


def number(writer: redis.Redis, key: str) -> int:
    return int(writer.get(key) or 0)


def test_values_are_those_of_redis(captures: Captures, exporter: Exporter) -> None:
    captures.load("runqy-07", rebase=True)
    seen = exporter.polled()
    writer = captures.writer
    names = [as_text(name) for name in writer.smembers("asynq:queues")]
    assert len(names) > 3
    for name in names:
        pending = seen[f"runqy_queue_pending_tasks{{queue={name}}}"]
        assert pending == writer.llen(f"asynq:{{{name}}}:pending")
        active = seen[f"runqy_queue_tasks{{queue={name},state=active}}"]
        assert active == writer.llen(f"asynq:{{{name}}}:active")
        for state in STATES:
            count = seen[f"runqy_queue_tasks{{queue={name},state={state}}}"]
            assert count == writer.zcard(f"asynq:{{{name}}}:{state}")
        processed = seen.get(f"runqy_tasks_processed_total{{queue={name}}}")
        if processed is not None:
            assert processed == number(writer, f"asynq:{{{name}}}:processed")
        failed = seen.get(f"runqy_tasks_failed_total{{queue={name}}}")
        if failed is not None:
            assert failed == number(writer, f"asynq:{{{name}}}:failed")
    assert seen["runqy_tasks_failed_total{queue=nostore.default}"] == 3
    assert seen["runqy_worker_healthy{worker=vm:28230}"] == 0
    assert (
        sum(value for name, value in seen.items() if name.startswith("runqy_worker_healthy")) == 2
    )
    assert seen["runqy_queue_consumers{queue=nostore.default}"] >= 1
    assert seen["runqy_findings{detector=worker-lost,severity=critical}"] == 1


def test_successes_of_asynq_are_tries_less_failures(captures: Captures, exporter: Exporter) -> None:
    captures.load("asynq-01", rebase=True)
    seen = exporter.polled()
    writer = captures.writer
    for name in ("default", "critical", "low"):
        tries = number(writer, f"asynq:{{{name}}}:processed")
        failed = number(writer, f"asynq:{{{name}}}:failed")
        assert seen[f"runqy_tasks_processed_total{{queue={name}}}"] == tries - failed
        assert seen[f"runqy_tasks_failed_total{{queue={name}}}"] == failed
    assert not any(name.startswith("runqy_worker_healthy") for name in seen)


def test_counters_survive_a_reset(writer: redis.Redis, exporter: Exporter) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a:1]")
    dialect_writers.queue(writer, "a")
    writer.mset({"asynq:{a}:processed": 100, "asynq:{a}:failed": 10})
    done, failed = "runqy_tasks_processed_total{queue=a}", "runqy_tasks_failed_total{queue=a}"
    seen = exporter.polled()
    assert (seen[done], seen[failed]) == (100, 10)
    writer.mset({"asynq:{a}:processed": 4, "asynq:{a}:failed": 10})
    seen = exporter.polled()
    assert (seen[done], seen[failed]) == (104, 10)
    writer.incrby("asynq:{a}:processed", 3)
    assert exporter.polled()[done] == 107


def test_what_vanishes_leaves(writer: redis.Redis, exporter: Exporter) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a:1]")
    dialect_writers.worker(writer, "w:2", now, "map[a:1]")
    dialect_writers.pending(writer, "a", "t1", since=now - 60)
    seen = exporter.polled()
    assert seen["runqy_worker_healthy{worker=w:1}"] == 1
    assert 55 < seen["runqy_queue_oldest_pending_age_seconds{queue=a}"] < 90
    assert 0 <= seen["runqy_worker_last_beat_age_seconds{worker=w:1}"] < 20
    writer.delete("asynq:workers:w:1", "asynq:{a}:pending", "asynq:{a}:t:t1")
    writer.zrem("asynq:workers", "w:1")
    writer.srem("asynq:queues", "a")
    seen = exporter.polled()
    assert [name for name in seen if "w:1" in name or "queue=a" in name] == []
    assert seen["runqy_worker_healthy{worker=w:2}"] == 1


def test_observed_durations(writer: redis.Redis, exporter: Exporter) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a:1]")
    dialect_writers.queue(writer, "a")
    exporter.polled()
    dialect_writers.task(writer, "a", "t1", state="active")
    writer.zadd("asynq:{a}:lease", {"t1": now + 120})
    writer.lpush("asynq:{a}:active", "t1")
    began = time.monotonic()
    exporter.polled(6)
    dialect_writers.put(writer, "asynq:{a}:t:t1", {"state": "completed"})
    writer.lrem("asynq:{a}:active", 0, "t1")
    took = time.monotonic() - began
    count = "runqy_task_duration_seconds_count{queue=a}"
    seen = exporter.until(lambda seen: count in seen)
    assert seen[count] == seen["runqy_task_duration_seconds_bucket{le=+Inf,queue=a}"] == 1
    assert seen["runqy_task_duration_seconds_sum{queue=a}"] == pytest.approx(took, abs=1.0)
    assert seen["runqy_task_duration_seconds_bucket{le=0.1,queue=a}"] == 0


def test_hostile_names_make_a_valid_scrape(writer: redis.Redis, exporter: Exporter) -> None:
    names = [b'q"\\\n# TYPE x', b"\xff\xfe", b"a\x1b]52;c;aGk=\x07", b"a" * 5_000, b"{}", b""]
    for name in names:
        dialect_writers.queue(writer, name)
    seen = exporter.polled()
    pending = [name for name in seen if name.startswith("runqy_queue_pending_tasks")]
    assert len(pending) == len(names)
    text = exporter.get("/metrics").text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert max(map(len, text.split("\n"))) < 500


def test_the_number_of_series_has_a_bound(writer: redis.Redis, start: StartExporter) -> None:
    for turn in range(40):
        dialect_writers.queue(writer, f"q{turn}")
    exporter = start("--max-series", "100")
    seen = exporter.until(lambda seen: seen.get("runqy_exporter_dropped_series", 0) > 0)
    assert len(seen) <= 100
    assert exporter.stop()[1].startswith("runqy-tui: ")


def test_every_metric_is_told_and_in_order(captures: Captures, exporter: Exporter) -> None:
    captures.load("runqy-07", rebase=True)
    exporter.polled()
    text = exporter.get("/metrics").text
    for family in FAMILIES:
        if family.kind != "histogram":
            name = f"{family.name}_total" if family.kind == "counter" else family.name
            assert f"# TYPE {name} {family.kind}\n" in text
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    done = subprocess.run(
        [program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_openmetrics_for_those_who_ask(exporter: Exporter) -> None:
    answer = exporter.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.kind.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_other_paths(exporter: Exporter) -> None:
    assert exporter.get("/metrics").kind.startswith("text/plain")
    assert exporter.get("/metrics", "HEAD").text == ""
    assert exporter.get("/healthz?x=1").text == "ok\n"
    assert exporter.get("/").code == 200
    assert exporter.get("/etc/passwd").code == 404
    assert exporter.get("/metrics", "POST").code == 501


def test_looking_changes_nothing(captures: Captures, exporter: Exporter) -> None:
    captures.load("runqy-02", rebase=True)
    before = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    exporter.polled(3)
    after = {key: captures.writer.dump(key) for key in captures.writer.scan_iter(count=1000)}
    assert after == before
