"""A primary that changes while it is polled, whatever became of the old one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from runqy_tui.commands.snapshot_command import snapshot_text
from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.model import QueueKey, Snapshot
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.model.json_schema import snapshot_object
from runqy_tui.observation.history import History
from runqy_tui.redis.reader import RedisReader, open_reader
from runqy_tui.redis.sentinel import sentinel_link as sentinel
from tests.integration.redis.connecting.connect_once import until
from tests.support.deployment import SERVICE, Deployment
from tests.support.servers import debian


@pytest.fixture
def valkey() -> Iterator[Deployment]:
    with Deployment() as made:
        yield made


@pytest.fixture
def redis_seven() -> Iterator[Deployment]:
    with Deployment(debian(), debian("redis-sentinel")) as made:
        yield made


async def start(deployment: Deployment) -> tuple[RedisReader, str]:
    """A warm reader and the primary's address."""
    reader = await open_reader(deployment.url, timeout=1.0)
    await reader.overview()
    primary = (await reader.overview()).redis.where.primary
    assert primary == f"127.0.0.1:{deployment.primary().port}"
    return reader, primary


def moved_from(primary: str) -> Callable[[Snapshot], bool]:
    def holds(snapshot: Snapshot) -> bool:
        return snapshot.redis.where.primary != primary

    return holds


async def test_an_old_primary_that_still_answers_is_left(
    valkey: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinel, "CHECK_INTERVAL_S", 0.3)
    reader, before = await start(valkey)
    epoch = reader.link.epoch
    valkey.ask("SENTINEL", "FAILOVER", SERVICE)
    snapshot, errors, _ = await until(reader, moved_from(before))
    assert errors == []
    assert reader.link.epoch > epoch
    with valkey.of_port(int(before.rpartition(":")[2])).client() as old:
        assert old.info("replication")["role"] == "master"  # Sentinel demotes it seconds later
    where = snapshot.redis.where
    assert (where.switched_from, where.problem) == (before, None)
    assert where.primary == f"127.0.0.1:{valkey.primary().port}"
    switched = await reader.overview()
    assert switched.health is not None
    assert switched.health.role == "master"
    (finding,) = [
        one
        for one in await diagnose(DetectorContext(switched, History()))
        if one.detector == "redis-failover"
    ]
    assert finding.sentence.startswith(f"the primary is now {where.primary}, it was {before} until")
    assert str(where.primary) in snapshot_text(switched)
    assert snapshot_object(switched)["redis"]["primary"] == where.primary
    await reader.close()


async def test_a_frozen_primary_is_left(valkey: Deployment) -> None:
    reader, before = await start(valkey)
    patient = await open_reader(valkey.url, timeout=60.0)
    await patient.overview()
    valkey.primary().freeze()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):  # shorter than the wait for an answer, as a deadline is
            await patient.overview()
    _, errors, _ = await until(reader, moved_from(before))
    for error in errors:
        assert "a failover may be in progress" in error
    async with asyncio.timeout(10):
        assert (await patient.overview()).redis.where.switched_from == before
    await reader.close()
    await patient.close()


async def test_a_killed_primary_is_left_and_may_come_back(redis_seven: Deployment) -> None:
    reader, before = await start(redis_seven)
    old = redis_seven.primary()
    old.kill()
    questions = [
        reader.task("t"),
        reader.overview(),
        reader.logs("w"),
        reader.daily_counts(QueueKey("q")),
    ]
    for outcome in await asyncio.gather(*questions, return_exceptions=True):
        assert isinstance(outcome, ConnectionFailedError)
    _, errors, _ = await until(reader, moved_from(before))
    assert errors
    for error in errors:
        assert f'The primary {before} that Sentinel names for "{SERVICE}" does not answer' in error
        assert "a failover may be in progress" in error
    old.start()  # as a primary still, and nobody is to believe it
    for _ in range(3):
        snapshot = await reader.overview()
        assert snapshot.redis.where.primary != before
        assert snapshot.warnings == ()
    await reader.close()
