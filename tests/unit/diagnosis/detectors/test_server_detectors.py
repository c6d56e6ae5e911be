"""What is said of the Redis server itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runqy_tui.diagnosis.detectors.server_detectors import SLOW_POLLS
from runqy_tui.diagnosis.findings.detector_context import (
    SERVER_SPAN_S,
    DetectorContext,
    ServerHistory,
    ServerPoll,
)
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.model import RedisInfo, ServerHealth, Topology
from runqy_tui.model.severity import Severity
from tests.support.builders import NOW, snapshot
from tests.unit.diagnosis.findings.detector_contexts import found, names, sight

GIB = 1024**3


def seen(points: Sequence[ServerPoll] = (), **health: Any) -> DetectorContext:
    return sight(fields={"health": ServerHealth(**health)}, server_polls=points)


def only(one: DetectorContext, detector: str) -> Finding:
    (finding,) = found(one, detector)
    return finding


def evicted(*counts: int | None) -> list[ServerPoll]:
    return [ServerPoll(NOW - 10 * (len(counts) - at), n) for at, n in enumerate(counts)]


def slow(*times: float | None) -> list[ServerPoll]:
    return [ServerPoll(NOW + at, None, ms) for at, ms in enumerate(times)]


@pytest.mark.parametrize(
    "health",
    [
        {},
        {"role": "master", "used_memory_bytes": 9 * GIB, "maxmemory_bytes": 0},
        {"role": "master", "used_memory_bytes": 8 * GIB, "maxmemory_bytes": 10 * GIB},
        {"maxmemory_bytes": 10 * GIB, "evicted_keys": 500},
    ],
)
def test_a_server_in_order(health: dict[str, Any]) -> None:
    assert names(seen(**health)) == []
    assert names(sight(fields={"health": None})) == []


def test_memory_near_its_limit() -> None:
    full: dict[str, Any] = {"used_memory_bytes": 92 * GIB, "maxmemory_bytes": 100 * GIB}
    finding = only(seen(**full, maxmemory_policy="noeviction"), "redis-memory")
    assert finding.sentence == ("Redis uses 92% of maxmemory; at the limit it refuses writes")
    assert finding.subject.name == "127.0.0.1:6379"
    other = only(seen(**full, maxmemory_policy="allkeys-lru"), "redis-memory")
    assert other.sentence.endswith("it evicts keys, including tasks")


def test_refused_writes_say_it_all_when_memory_is_full() -> None:
    full = seen(used_memory_bytes=10, maxmemory_bytes=10, writes_blocked="out of memory")
    assert names(full) == ["redis-writes-blocked"]
    finding = only(full, "redis-writes-blocked")
    assert finding.severity is Severity.CRITICAL
    assert finding.sentence == "Redis refuses writes: out of memory"


@pytest.mark.parametrize(
    ("points", "rose"),
    [
        (evicted(5, 5, 17), 12),
        (evicted(5, None, 7), 2),
        (evicted(500, 3, 4), 1),
        (evicted(500, 0, 0), 0),
        (evicted(7), 0),
        ([], 0),
    ],
)
def test_evictions_count_while_somebody_looks(points: list[ServerPoll], rose: int) -> None:
    spoken = found(seen(points), "redis-evicting")
    assert [finding.weight - 1e6 for finding in spoken] == ([rose] if rose else [])


def test_a_replica() -> None:
    finding = only(seen(role="slave", master_link_up=True), "redis-read-only")
    assert finding.severity is Severity.WARNING
    cut = only(seen(role="slave", master_link_up=False), "redis-read-only")
    assert cut.severity is Severity.CRITICAL
    assert cut.evidence[1].value == "down"


@pytest.mark.parametrize(("ago", "expected"), [(12.0, True), (599.0, True), (600.0, False)])
def test_a_failover_is_told_for_a_while(ago: float, expected: bool) -> None:
    where = Topology("10.0.0.2:6379", "10.0.0.1:6379", 1.0, ago)
    one = sight(fields={"redis": RedisInfo("mymaster@s:26379", where=where)})
    assert names(one) == (["redis-failover"] if expected else [])
    for finding in found(one, "redis-failover"):
        assert finding.severity is Severity.WARNING
        assert (finding.since, finding.since_known) == (NOW - ago, True)
        assert finding.sentence.startswith(
            "the primary is now 10.0.0.2:6379, it was 10.0.0.1:6379 until "
        )


def test_a_first_primary_is_no_failover() -> None:
    where = Topology("10.0.0.2:6379")
    assert names(sight(fields={"redis": RedisInfo("m@s:26379", where=where)})) == []


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([501.0] * SLOW_POLLS, True),
        ([1.0, *[900.0] * SLOW_POLLS], True),
        ([900.0] * (SLOW_POLLS - 1), False),
        ([*[900.0] * 3, 500.0, 900.0], False),
        ([*[900.0] * 3, None, 900.0], False),
    ],
)
def test_slow_only_where_every_late_poll_was(times: list[float | None], expected: bool) -> None:
    assert names(seen(slow(*times))) == (["redis-slow"] if expected else [])


def test_the_past_is_bounded_and_ends_where_the_clock_goes_back() -> None:
    past = ServerHistory()
    for at in range(0, 1_000, 2):
        redis = RedisInfo("r", round_trips=2, elapsed_ms=8.0)
        past.observe(snapshot(taken_at=NOW + at, redis=redis, health=ServerHealth(evicted_keys=at)))
    assert past.polls[0].at >= NOW + 998 - SERVER_SPAN_S
    assert (past.polls[-1].evicted_keys, past.polls[-1].trip_ms) == (998, 4.0)
    past.observe(snapshot(taken_at=NOW, redis=RedisInfo("r")))
    assert past.polls == (ServerPoll(NOW),)
