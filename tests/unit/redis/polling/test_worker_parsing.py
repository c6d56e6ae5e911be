"""Fields of a worker's hash, in every spelling that was seen and some that should not be."""

from __future__ import annotations

import pytest

from runqy_tui.model import (
    HEARTBEAT_FIELDS,
    Dialect,
    Gpu,
    HeartbeatField,
    Metrics,
    Recovery,
    Worker,
    WorkerState,
)
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.polling.worker_parsing import (
    FIELDS,
    ParsedHash,
    classify,
    lost,
    parse_hash,
)

NOW = 1795484106.0


def parsed(**fields: bytes) -> ParsedHash:
    found = parse_hash("w", [fields.get(name.decode()) for name in FIELDS])
    assert found is not None
    return found


def facts(**fields: bytes) -> Worker:
    return parsed(**fields).worker


def judge(worker: Worker, beat_in_index: float | None) -> Worker:
    return classify(worker, beat_in_index, None, NOW)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"map[a.high:10 a.low:1]", {"a.high": 10, "a.low": 1}),
        (b"map[a:0]", {"a": 0}),
        (b"map[]", {}),
        (b"map[two words:3 b:1]", {"two words": 3, "b": 1}),
        (b"map[with:colon:7 x:1:2]", {"with:colon": 7, "x:1": 2}),
        (b"map[neg:-1]", {"neg": -1}),
        (b"a.high,a.low", {"a.high": None, "a.low": None}),
        (b" a , b ", {"a": None, "b": None}),
        (b"inference_default", {"inference_default": None}),
        (b"", {}),
        (b",,", {}),
        (b"map[\xff:1]", {"\udcff": 1}),
    ],
)
def test_queues(raw: bytes, expected: dict[str, int | None]) -> None:
    found, clean = field_parsing.queues(raw)
    assert (dict(found), clean) == (expected, True)
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"map[a:1 broken]", {"a": 1}),
        (b"map[broken]", {}),
        (b"map[a:]", {}),
        (b"map[a:12345678901]", {}),
        ("map[a:٣]".encode(), {}),
    ],
)
def test_queues_that_make_no_sense(raw: bytes, expected: dict[str, int | None]) -> None:
    found, clean = field_parsing.queues(raw)
    assert (dict(found), clean) == (expected, False)


def test_a_long_nonsense_of_queues_is_read_in_linear_time() -> None:
    found, clean = field_parsing.queues(b"map[" + b"x:y " * 200_000 + b"]")
    assert (dict(found), clean) == ({}, False)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"1", True),
        (b"true", True),
        (b"True", True),
        (b"0", False),
        (b"false", False),
        (b"yes", None),
        (b"", None),
        (None, None),
    ],
)
def test_flags(raw: bytes | None, expected: bool | None) -> None:
    assert field_parsing.flag(raw) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"cpu_percent": 54.78}', 54.78),
        (b'{"cpu_percent": 100}', 100.0),
        (b'{"cpu_percent": NaN}', None),
        (b'{"cpu_percent": Infinity}', None),
        (b'{"cpu_percent": -Infinity}', None),
        (b'{"cpu_percent": 1e300}', None),
        (b'{"cpu_percent": 1' + b"0" * 400 + b"}", None),
        (b'{"cpu_percent": "55"}', None),
        (b'{"cpu_percent": true}', None),
        (b'{"cpu_percent": null}', None),
        (b"{}", None),
    ],
)
def test_numbers_in_metrics(raw: bytes, expected: float | None) -> None:
    problems: list[str] = []
    metrics = worker_parsing.parse_metrics(raw, problems)
    assert metrics is not None
    assert (metrics.cpu_percent, problems) == (expected, [])


def test_metrics_with_gpus() -> None:
    raw = (
        b'{"cpu_percent":55.2,"memory_used_bytes":4,"memory_total_bytes":8,"collected_at":1795484105,'
        b'"gpus":[{"index":0,"name":"NVIDIA L4","utilization_percent":97,"memory_used_mb":20000,'
        b'"memory_total_mb":24000,"temperature_c":71},{"index":"x","name":3},"odd"]}'
    )
    problems: list[str] = []
    assert worker_parsing.parse_metrics(raw, problems) == Metrics(
        cpu_percent=55.2,
        memory_used_bytes=4,
        memory_total_bytes=8,
        gpus=(Gpu(0, "NVIDIA L4", 97.0, 20000.0, 24000.0, 71.0), Gpu()),
        collected_at=1795484105.0,
    )
    assert problems == []


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"3", b"\xff", b"[" * 100_000, b"9" * 5_000])
def test_json_that_is_no_object(raw: bytes) -> None:
    problems: list[str] = []
    assert worker_parsing.parse_metrics(raw, problems) is None
    assert worker_parsing.parse_recovery(raw, problems) == {}
    assert problems == ["metrics", "recovery"]


def test_recovery_keeps_what_can_be_read() -> None:
    problems: list[str] = []
    raw = (
        b'{"a":{"consecutive_fails":3,"state":"degraded","total_restarts":2},"b":{"state":"new"},'
        b'"c":{"state":3},"d":[],"e":{"state":"idle","total_restarts":-1}}'
    )
    assert worker_parsing.parse_recovery(raw, problems) == {
        "a": Recovery("degraded", 3, 2),
        "b": Recovery("new"),
        "e": Recovery("idle", None, None),
    }
    assert problems == ["recovery"]


def test_newer_fields() -> None:
    found = facts(worker_id=b"w", instance_id=b"as-1", protected=b"true")
    assert (found.instance_id, found.protected, found.dialect) == ("as-1", True, Dialect.RUNQY)


@pytest.mark.parametrize("declared", HEARTBEAT_FIELDS, ids=lambda declared: declared.name)
def test_a_declared_field_that_cannot_be_read_is_unknown_and_a_problem(
    declared: HeartbeatField,
) -> None:
    found = facts(worker_id=b"w", **{declared.name: b"\xff"})
    anything_is_text = declared.kind == "text"
    expected = "\udcff" if anything_is_text else None
    assert getattr(found, declared.attribute) == expected
    assert found.problems == (() if anything_is_text else (declared.name,))
    absent = facts(worker_id=b"w", **{declared.name: b""})
    assert (getattr(absent, declared.attribute), absent.problems) == (None, ())


def test_gone_and_ghost() -> None:
    assert parse_hash("w", [None] * len(FIELDS)) is None
    assert parsed(status=b"stopped").is_ghost
    assert not parsed(status=b"stopped", worker_id=b"w").is_ghost
    assert not parsed(started=b"1").is_ghost


def test_documented() -> None:
    found = facts(started=b"1795478262", healthy=b"true", queue=b"q", active_task=b"")
    assert found.dialect is Dialect.DOCUMENTED
    assert (found.started_at, found.healthy) == (1795478262, True)
    assert (found.queues, found.active_tasks, found.active_count) == ({"q": None}, (), 0)
    written_out = facts(started=b"2026-11-24T03:21:46Z", queue=b"q")
    assert written_out.started_at == 1795490506
    assert facts(started=b"2026-11-24T03:21:46+00:00").started_at == written_out.started_at


DEGRADED = b'{"a":{"state":"idle"},"b":{"state":"degraded"},"c":{"state":"recovering"}}'
RECOVERING = b'{"a":{"state":"idle"},"c":{"state":"recovering"}}'


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"healthy": b"1"}, WorkerState.RUNNING),
        ({}, WorkerState.RUNNING),
        ({"healthy": b"0"}, WorkerState.DEGRADED),
        ({"healthy": b"0", "recovery": RECOVERING}, WorkerState.RECOVERING),
        ({"healthy": b"1", "recovery": DEGRADED}, WorkerState.DEGRADED),
        ({"status": b"bootstrapping"}, WorkerState.BOOTSTRAPPING),
        ({"status": b"bootstrapping", "healthy": b"0"}, WorkerState.BOOTSTRAPPING),
        ({"status": b"bootstrapping", "recovery": RECOVERING}, WorkerState.RECOVERING),
        ({"status": b"stopped", "recovery": DEGRADED, "last_beat": b"1"}, WorkerState.STOPPED),
        ({"last_beat": b"1795484076"}, WorkerState.RUNNING),
        ({"last_beat": b"1795484075"}, WorkerState.STALE),
        ({"last_beat": b"1795484075", "recovery": DEGRADED}, WorkerState.STALE),
        ({"last_beat": b"junk"}, WorkerState.RUNNING),
    ],
)
def test_states(fields: dict[str, bytes], state: WorkerState) -> None:
    given = {"worker_id": b"w", "last_beat": b"1795484105"} | fields
    assert judge(facts(**given), None).state is state


def test_beat_of_the_index_where_the_hash_has_none() -> None:
    worker = judge(facts(worker_id=b"w"), NOW - 40)
    assert (worker.state, worker.last_beat_at) == (WorkerState.STALE, NOW - 40)
    assert judge(facts(worker_id=b"w"), None).last_beat_at is None
    future = judge(facts(worker_id=b"w", last_beat=b"1795484200"), None)
    assert (future.state, future.last_beat_age_s(NOW)) == (WorkerState.RUNNING, 0)


def test_lost() -> None:
    seen = facts(worker_id=b"w", queues=b"map[a:1]", healthy=b"1", status=b"running")
    worker = lost("w", seen, NOW - 31)
    assert (worker.state, worker.last_beat_age_s(NOW)) == (WorkerState.LOST, 31)
    assert (worker.queues, worker.healthy, worker.status) == ({"a": 1}, None, None)
    unknown = lost("w", None, None)
    assert (unknown.dialect, unknown.last_beat_at, unknown.queues) == (Dialect.RUNQY, None, {})
