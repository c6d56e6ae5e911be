"""The network fails: slow, silent or cut, with a real server behind it."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.monitor import poller as polling
from runqy_tui.monitor.poller import pause_after
from runqy_tui.redis.polling import overview
from runqy_tui.redis.polling.overview import deadline_for
from tests.app import scenes
from tests.faults.poll_watcher import watching, well_said
from tests.support.proxy import Proxy


@pytest.fixture(autouse=True)
def a_fleet(backend: redis.Redis) -> None:
    scenes.small_fleet(backend)


async def test_replies_40_ms_late(proxy: Proxy) -> None:
    proxy.down.delay_s = 0.04
    async with watching(proxy.url) as seen:
        await seen.polls(4)
        assert all(result.error is None for result in seen.results)
        assert 40 <= seen.snapshot.redis.elapsed_ms < 2_000
        assert seen.snapshot.redis.round_trips == 1
    assert proxy.accepted == 1


async def test_replies_400_ms_late(proxy: Proxy) -> None:
    """It works and its cost shows; polls follow each other with a rest in between."""
    proxy.down.delay_s = 0.4
    async with watching(proxy.url) as seen:
        await seen.live()
        assert all(result.error is None for result in seen.results)
        assert seen.snapshot.redis.elapsed_ms >= 400
        assert seen.store.live.unread is None
    assert (proxy.accepted, proxy.most) == (1, 1)


async def test_replies_later_than_the_timeout(proxy: Proxy) -> None:
    """What 5 s per reply are to the usual 3 s, only faster: no second poll beside the first."""
    async with watching(proxy.url, timeout=0.3) as seen:
        await seen.live()
        proxy.down.delay_s = 0.5
        sentence = await seen.lost("does not answer within 0.3 s: it is frozen, overloaded or far")
        well_said(sentence, proxy.port)
        assert "raise --timeout" in sentence
        accepted, polls = proxy.accepted, len(seen.results)
        await seen.polls(3)
        assert proxy.accepted - accepted <= len(seen.results) - polls + 1
        assert proxy.most <= 2, "the old connection is closed as the new one opens"
        proxy.down.delay_s = 0.0
        await seen.live()
        assert seen.last.failures == 0


async def test_a_longer_timeout_is_the_mend(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cold poll has three trips: its deadline grows with the timeout, or it would never end."""
    assert (deadline_for(3.0), deadline_for(10.0)) == (9.0, 30.0)
    monkeypatch.setattr(overview, "POLL_DEADLINE_S", 0.5)
    monkeypatch.setattr(polling, "DEADLINE_S", 0.5)
    proxy.down.delay_s = 0.3
    async with watching(proxy.url, timeout=5.0, diagnoser=False) as seen:
        await seen.live()
        assert seen.snapshot.redis.elapsed_ms >= 900
        assert len(seen.results) == 1
        assert seen.poller.reader is not None
        assert seen.poller.reader.deadline_s == 15.0
    assert (proxy.accepted, proxy.most) == (1, 1)


def test_a_slow_server_is_asked_less_often() -> None:
    assert pause_after(2.0, 0.01) == pytest.approx(1.99)
    assert pause_after(2.0, 5.0) == 2.5
    assert pause_after(0.2, 0.4) == pytest.approx(0.2)
    assert pause_after(2.0, 1.9) == pytest.approx(0.95)
    assert pause_after(2.0, 600.0) == 15.0


async def test_closer_looks_that_take_too_long_leave_the_poll_good(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(proxy.url, timeout=0.5) as seen:
        await seen.live()
        monkeypatch.setattr(polling, "DEADLINE_S", 0.6)
        reader = seen.poller.reader
        assert reader is not None
        reader._overview.deadline = 0.6  # type: ignore[attr-defined]
        proxy.down.delay_s = 0.35
        await seen.until(lambda: seen.store.live.unread is not None, "looks given up")
        assert seen.last.error is None
        well_said(str(seen.store.live.unread), proxy.port)
        proxy.down.delay_s = 0.0
        await seen.until(lambda: seen.store.live.unread is None, "looks again")


async def test_half_open_from_the_start(proxy: Proxy) -> None:
    proxy.swallow(True)
    async with watching(proxy.url, timeout=0.3) as seen:
        sentence = await seen.lost("does not answer within 0.3 s: it is frozen, overloaded")
        well_said(sentence, proxy.port)
        assert sentence.endswith("If it expects TLS, use rediss://.")
        proxy.swallow(False)
        await seen.live()


async def test_half_open_between_two_polls_and_in_mid_poll(proxy: Proxy) -> None:
    async with watching(proxy.url, timeout=0.3) as seen:
        await seen.live()
        proxy.swallow(True)
        well_said(await seen.lost("does not answer within 0.3 s"), proxy.port)
        assert len(seen.snapshot.workers) == 3
        proxy.swallow(False)
        await seen.live()
        proxy.up.swallow = False
        proxy.down.change = lambda data: b"" if len(data) > 200 else data  # the rest never comes
        well_said(await seen.lost("does not answer within 0.3 s"), proxy.port)
        proxy.down.change = None
        await seen.live()
        assert len(seen.snapshot.workers) == 3
    assert proxy.most <= 2


@pytest.mark.parametrize("after", [0, 1, 400])
async def test_cut_in_mid_reply(proxy: Proxy, after: int) -> None:
    async with watching(proxy.url) as seen:
        await seen.live()
        proxy.down.cut_after = after
        sentence = await seen.lost("closed the connection: it restarted, or was cut off")
        well_said(sentence, proxy.port)
        await seen.live()
        assert len(seen.snapshot.workers) == 3


async def test_a_trickle(proxy: Proxy) -> None:
    """Bytes come, but so few that the poll as a whole is too late."""
    async with watching(proxy.url, timeout=3.0) as seen:
        await seen.live()
        reader = seen.poller.reader
        assert reader is not None
        reader._overview.deadline = 0.3  # type: ignore[attr-defined]
        proxy.down.rate = 1_000
        sentence = await seen.lost("did not answer a poll within 0.3 s")
        well_said(sentence, proxy.port)
        proxy.down.rate = None
        reader._overview.deadline = 5.0  # type: ignore[attr-defined]
        await seen.live()


async def test_cut_again_and_again(proxy: Proxy) -> None:
    """Connections do not pile up."""
    async with watching(proxy.url) as seen:
        for _ in range(5):
            await seen.live()
            proxy.cut()
            await seen.polls(1)
        await seen.live()
        await seen.until(lambda: proxy.open == 1, "one connection")
    assert proxy.most <= 2
