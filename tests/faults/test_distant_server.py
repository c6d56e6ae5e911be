"""A server far away: the first poll is on the screen before the closer looks at single tasks."""

from __future__ import annotations

import pytest
from redis import Redis

from runqy_tui.monitor import poller as polling
from tests.app.driving import app_on, running
from tests.faults.poll_watcher import watching
from tests.support import dialect_writers
from tests.support.proxy import Proxy

QUEUE = "inference.low"


@pytest.fixture
def far(proxy: Proxy) -> Proxy:
    """120 ms from question to answer."""
    proxy.up.delay_s = proxy.down.delay_s = 0.06
    return proxy


@pytest.fixture
def scene(backend: Redis) -> None:
    """A worker that is well, and a task that nobody works on."""
    dialect_writers.queue(backend, QUEUE)
    dialect_writers.worker(backend, "gpu-1:1", dialect_writers.now_of(backend), f"map[{QUEUE}:1]")
    dialect_writers.task(backend, QUEUE, "lost", state="active")
    backend.lpush(f"asynq:{{{QUEUE}}}:active", "lost")


async def test_the_first_poll_comes_twice_where_looking_takes_long(far: Proxy, scene: None) -> None:
    async with watching(far.url, interval=0.3, timeout=5.0) as seen:
        await seen.until(lambda: len(seen.results) >= 4, "four results")
    preview, first, *later = seen.results
    assert [result.preview for result in seen.results] == [True, False, *(False for _ in later)]
    assert preview.snapshot is first.snapshot
    assert preview.diagnosis is not None
    assert first.diagnosis is not None
    assert [finding.detector for finding in preview.diagnosis.findings] == []
    (orphan,) = first.diagnosis.findings
    assert orphan.detector == "task-orphaned"
    assert orphan.before_start  # what the first look finds was there before


async def test_all_comes_at_once_where_looking_takes_no_time(
    proxy: Proxy, scene: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "_PREVIEW_AFTER_S", 30.0)
    async with watching(proxy.url) as seen:
        await seen.polls(2)
    assert not any(result.preview for result in seen.results)
    assert seen.results[0].diagnosis is not None
    assert [finding.detector for finding in seen.results[0].diagnosis.findings] == ["task-orphaned"]


async def test_the_screen_does_not_say_that_all_is_well_before_it_has_looked(
    far: Proxy, scene: None
) -> None:
    async with running(app_on(far.url, interval=5.0)) as hand:
        await hand.sees("gpu-1", "No problems so far: 1 worker, 1 queue; checking tasks…")
        assert hand.app.session.log.diagnosis is None  # a report knows of whole polls only
        await hand.sees("orphaned")
        assert hand.app.session.log.diagnosis is not None
        assert not hand.live.checking
