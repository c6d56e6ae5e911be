"""Low bandwidth in the app: on request, by the link, and by key; said in the header."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

from runqy_tui.tui.bandwidth import LowBandwidth
from runqy_tui.tui.widgets import header_bar
from runqy_tui.tui.widgets.bars import bar
from runqy_tui.tui.widgets.header_bar import HeaderBar
from tests.app.driving import SMALL, WIDE, Hand, app_on, running, watching


def top(hand: Hand) -> str:
    return hand.lines[0]


async def test_on_request(scene_url: str) -> None:
    app = app_on(scene_url, low_bandwidth=True)
    async with watching(app) as hand:
        await hand.sees("low bandwidth")
        assert app.animation_level == "none"
        await hand.press("slash")
        assert app.focused is not None
        assert app.focused.cursor_blink is False  # type: ignore[attr-defined]


async def test_when_the_link_is_slow_and_no_longer(scene_url: str) -> None:
    app = app_on(scene_url)
    usual = app.animation_level
    async with watching(app) as hand:
        assert "low" not in top(hand)
        app.session.bandwidth.update_link(slow=True, why="350 ms delay")
        await hand.sees("low bandwidth: 350 ms delay")
        assert app.animation_level == "none"
        app.session.bandwidth.update_link(slow=False, why="")
        await hand.misses("low bandwidth")
        assert app.animation_level == usual


async def test_the_key_goes_from_automatic_to_on_and_off(scene_url: str) -> None:
    app = app_on(scene_url)
    async with watching(app) as hand:
        app.session.bandwidth.update_link(slow=True, why="350 ms delay")
        await hand.press("L")
        await hand.hears("Low-bandwidth mode: on.")
        await hand.until(lambda: "low bandwidth " in top(hand), "without a reason")
        await hand.press("L")
        await hand.hears("Low-bandwidth mode: off.")
        await hand.until(lambda: "low bandwidth" not in top(hand), "no mark")
        await hand.press("L")
        await hand.hears("Low-bandwidth mode: auto (now on: 350 ms delay).")
        await hand.sees("low bandwidth: 350 ms delay")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_it_is_said_however_little_room_there_is(
    scene_url: str, size: tuple[int, int]
) -> None:
    app = app_on(scene_url, low_bandwidth=True, name="the production of the north")
    async with watching(app, size=size) as hand:
        await hand.until(lambda: "low b" in top(hand), "the mark")


async def test_ages_alone_seldom_move(monkeypatch: pytest.MonkeyPatch) -> None:
    now = monotonic()
    monkeypatch.setattr(header_bar, "monotonic", lambda: now)
    app = app_on("unix:///nowhere/redis.sock")
    async with running(app) as hand:
        await hand.sees("no connection")
        bar = hand.main.query_one(HeaderBar)
        drawn = drawings_of(bar, monkeypatch)
        now += 1.0
        bar.tick()
        assert drawn() == 1
        app.session.bandwidth.wanted = True
        for _ in range(9):
            now += 1.0
            bar.tick()
        assert drawn() == 2


def drawings_of(bar: HeaderBar, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the header looks at what it shows."""
    times = [0]
    update = bar._update

    def counted() -> None:
        times[0] += 1
        update()

    monkeypatch.setattr(bar, "_update", counted)
    return lambda: times[0]


async def test_what_is_alive_keeps_still(scene_url: str) -> None:
    async with watching(app_on(scene_url, low_bandwidth=True)) as hand:
        await hand.sees("running    <15s", "degraded   <15s")


def test_forced_modes_do_not_follow_the_link() -> None:
    applied: list[bool] = []
    for wanted in (True, False):
        bandwidth = LowBandwidth(wanted, apply=lambda: applied.append(True))
        bandwidth.update_link(slow=True, why="350 ms delay")
        assert bandwidth.low is wanted
    assert not applied


def test_plain_bars_have_whole_cells() -> None:
    assert {bar(share / 1_000, 10, fine=False) for share in range(1_001)} == {
        ("█" * cells).ljust(10) for cells in range(11)
    }
