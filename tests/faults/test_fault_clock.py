"""Clocks are set: Redis's, as a proxy tells it, and this machine's, which must not matter."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import redis

from runqy_tui.model import QueueKey, Snapshot
from runqy_tui.redis.polling.redis_server import NOTICE_S, ClockWatch
from tests.app import scenes
from tests.faults.poll_watcher import Seen, watching
from tests.support.proxy import Proxy

HOURS = 3 * 3_600.0
KEY = QueueKey("alpha.low")
_TIME = re.compile(rb"\*2\r\n\$10\r\n(\d{10})\r\n(?=\$\d\r\n\d{1,6}\r\n)")


def setting(offset_s: float) -> Callable[[bytes], bytes]:
    """Rewrite what TIME tells."""

    def later(found: re.Match[bytes]) -> bytes:
        return b"*2\r\n$10\r\n%d\r\n" % (int(found.group(1)) + int(offset_s))

    return lambda data: _TIME.sub(later, data, count=1)


def sane(seen: Seen) -> None:
    """No age and no rate below zero, nothing since a moment yet to come."""
    snapshot, view = seen.snapshot, seen.store.live
    ages = [snapshot.oldest_pending_age_s(queue) for queue in snapshot.queues]
    ages += [snapshot.last_beat_age_s(worker) for worker in snapshot.workers]
    assert all(age is None or age >= 0 for age in ages), ages
    for trend in view.trends.values():
        for rate in (trend.done_per_s, trend.failed_per_s, trend.enqueued_per_s):
            assert rate is None or 0 <= rate < 1_000
    for finding in view.findings:
        assert finding.since is None or finding.since <= snapshot.taken_at, finding


@pytest.mark.parametrize(("offset", "way"), [(HOURS, "forward"), (-HOURS, "back")])
async def test_redis_clock_is_set(
    proxy: Proxy, backend: redis.Redis, offset: float, way: str
) -> None:
    scenes.small_fleet(backend)
    async with watching(proxy.url) as seen:
        await seen.polls(3)
        before = _since(seen, "worker-degraded:sick:2")
        taken_at = seen.snapshot.taken_at
        backend.incrby("asynq:{alpha.low}:processed", 5)
        proxy.down.change = setting(offset)
        notice = f"Redis's clock went {way} by 3h between two polls: it was set, or another server"
        await seen.until(lambda: notice in " ".join(seen.snapshot.warnings[:1]), notice)
        jumped = [r.snapshot for r in seen.results if r.snapshot and r.snapshot.clock_jump_s]
        assert len(jumped) == 1
        assert jumped[0].clock_jump_s == pytest.approx(offset, abs=2)
        for _ in range(3):
            sane(seen)
            assert abs(seen.snapshot.taken_at - taken_at - offset) < 60
            await seen.live()
        if way == "back":  # forward, those workers have not beaten for hours
            since = _since(seen, "worker-degraded:sick:2")
            assert since == pytest.approx(before + offset, abs=2), "it lasts as long as it did"
        proxy.down.change = None
        await seen.until(lambda: "clock went " in _jump_back(seen), "and back again")
        sane(seen)
        assert all(result.error is None for result in seen.results)
        assert len([r for r in seen.results if r.snapshot and r.snapshot.clock_jump_s]) == 2


def _since(seen: Seen, finding_id: str) -> float:
    (found,) = [one for one in seen.store.live.findings if one.id == finding_id]
    assert found.since is not None
    return found.since


def _jump_back(seen: Seen) -> str:
    return seen.snapshot.warnings[0] if seen.snapshot.clock_jump_s else ""


async def test_slow_replies_are_no_jump(proxy: Proxy, backend: redis.Redis) -> None:
    scenes.small_fleet(backend)
    watch = ClockWatch()
    watch.observe(1_000.0, 10.0, 10.1)
    watch.observe(1_030.0, 40.0, 99.0)
    watch.observe(1_100.0, 101.0, 110.0)
    assert (watch.pop_jump(), watch.notice(110.0)) == (0.0, None)
    watch.observe(None, 120.0, 120.0)
    watch.observe(9_000.0, 130.0, 130.1)
    assert watch.pop_jump() == 0.0, "with nothing to compare there is no jump"
    watch.observe(9_100.0, 131.0, 131.1)
    assert watch.pop_jump() == pytest.approx(99.0, abs=0.2)
    assert "forward by 1m 38s" in str(watch.notice(131.1)) or "1m 39s" in str(watch.notice(131.1))
    assert watch.notice(131.2 + NOTICE_S) is None


async def test_this_machines_clock_is_set(
    proxy: Proxy, backend: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes.small_fleet(backend)
    async with watching(proxy.url) as seen:
        await seen.polls(2)
        real, before = time.time, seen.snapshot
        places = ("time.time", "runqy_tui.redis.read_context.time")
        for offset in (HOURS, -HOURS):
            for place in places:
                monkeypatch.setattr(place, lambda offset=offset: real() + offset)
            await seen.polls(2)
            sane(seen)
            assert seen.snapshot.warnings == before.warnings
            assert _states(seen.snapshot) == _states(before)
            assert 0 <= seen.snapshot.taken_at - before.taken_at < 60


def _states(snapshot: Snapshot) -> dict[str, str]:
    return {worker.id: worker.state.value for worker in snapshot.workers}
