"""The header shows which Redis this is: name, colour, address, and what is unverified."""

from __future__ import annotations

from typing import Any

import pytest
from rich.color_triplet import ColorTriplet
from textual.color import Color

from runqy_tui.config import COLOURS, Settings
from runqy_tui.model import Node, RedisInfo, Snapshot, Topology
from runqy_tui.model.errors import ConfigError
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.redis.reader import open_reader
from runqy_tui.tui.app import RunqyApp
from runqy_tui.tui.theme import DARK, LIGHT, PROFILE_COLOURS, badge_style, tint_of
from runqy_tui.tui.widgets.header_bar import HeaderBar, header_parts
from runqy_tui.tui.widgets.header_parts import NEEDED, fit_parts
from tests.app.driving import SMALL, Hand, app_on, running, watching

HOST = "redis.internal:6379"
LONG = "master.my-cluster.abc123.use1.cache.amazonaws.com:6379"
SENTINEL = Topology(primary="10.0.0.3:6379")
WIDTHS = (20, 44, 60, 80, 120, 200)


def header(width: int, settings: Settings | None = None, **info: Any) -> str:
    """The line at a width, three seconds after a poll."""
    address = info.pop("address", HOST)
    link = info.pop("link", ConnectionState.LIVE)
    redis = RedisInfo(address, "standalone", "7.2.4", 1, 3.2, **info)
    view = View(snapshot=Snapshot(1_795_497_400.0, redis), link=link, received_at=100.0)
    parts = header_parts(view, 2.0, 103.0, settings or Settings(), firing=2)
    return fit_parts(parts, width, NEEDED).plain


def prod(**more: Any) -> Settings:
    """Settings of a profile."""
    return Settings(name="prod", profile="prod", colour="red", **more)


def test_the_name_is_shown_first_at_every_width() -> None:
    for width in WIDTHS:
        line = header(width, prod())
        assert len(line) == width
        assert line.startswith("  prod  ")
        assert "live" in line


def test_the_address_is_dropped_after_the_server_details() -> None:
    lines = {width: header(width, prod()) for width in WIDTHS}
    assert "redis.internal…" in lines[44]
    for width in (60, 80, 120, 200):
        assert HOST in lines[width], width
    assert "read-only" in lines[120]
    assert "poll 2s" in lines[120]
    assert "runqy-tui" not in lines[120]
    assert "poll 2s" not in lines[80]
    for part in ("read-only", "7.2.4", "poll 2s · 3 ms · 1 trip", "UTC 05:16:43", "2 alerts"):
        assert part in lines[200], part
    cut = header(60, prod(), address=LONG)
    assert "  master.my-cluster.abc123.use1.…  live 3s" in cut
    assert header(20, address=LONG).startswith(" master.my-cluster")
    assert header(120).startswith(f" runqy-tui  {HOST}  read-only"), "without a name, as ever"


def test_a_profile_that_asks_for_the_mark_keeps_it_longer() -> None:
    settings = prod(marked_read_only=True)
    assert "read-only" in header(80, settings)
    assert "r/o" in header(52, settings)
    assert HOST in header(60, settings)
    assert "read-only" in header(80, prod())
    assert not any(mark in header(60, prod()) for mark in ("read-only", "r/o"))


def test_unverified_tls_is_shown_at_every_width() -> None:
    for width in WIDTHS:
        header_line = header(width, prod(), unverified=True)
        assert "UNVERIFIED" in header_line, width
        assert "prod" in header_line, width
        assert len(header_line) == width
        lost = header(width, prod(), unverified=True, link=ConnectionState.LOST)
        assert "UNVERIFIED" in lost
    assert "TLS UNVERIFIED" in header(80, unverified=True)
    assert "UNVERIFIED" not in header(200, prod(unverified=True)), "the answer knows better"


def test_sentinel_and_cluster_show_who_answers() -> None:
    sentinel = "mymaster@s1:26379,s2:26379/2"
    assert "  mymaster → 10.0.0.3:6379  " in header(80, prod(), address=sentinel, where=SENTINEL)
    assert "10.0.0.3:6379  " in header(44, prod(), address=sentinel, where=SENTINEL)
    up = Topology(nodes=(Node("a:1"), Node("b:1")))
    down = Topology(nodes=(Node("a:1"), Node("b:1", "refuses")))
    assert " cluster@a:1 · 2 nodes  " in header(80, address="cluster@a:1", where=up)
    assert "1 of 2 nodes down" in header(44, address="cluster@a:1", where=down)


def test_untrusted_texts_are_made_safe() -> None:
    hostile = "a\x1b[31mb[bold]\u202e"
    for line in (
        header(200, Settings(name=hostile)),
        header(30, Settings(name=hostile * 3)),
        header(200, address=hostile),
        header(200, address="m@s", where=Topology(primary=hostile)),
    ):
        assert line.isprintable()
        assert "␛[31mb[bold]" in line


def test_every_colour_has_a_meaning_and_legible_text() -> None:
    assert set(PROFILE_COLOURS) == set(COLOURS)
    for colour in (*COLOURS, "#ffffff", "#000000", "#c00000"):
        style = badge_style(colour).split()
        assert style[0] == "bold"
        text, back = Color.parse(style[1]), Color.parse(style[3])
        assert _contrast(text, back) >= 4.5, colour
        for theme in (DARK, LIGHT):
            line = Color.parse(theme.panel or "").tint(tint_of(colour))
            for name in ("foreground", "error", "warning", "accent"):
                assert _contrast(Color.parse(getattr(theme, name)), line) > 2.4, (colour, name)


def _contrast(one: Color, other: Color) -> float:
    def luminance(colour: Color) -> float:
        parts = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour.normalized
        ]
        return sum(
            share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
        )

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# In the app


async def test_the_colour_is_on_the_badge_and_tints_the_line(scene_url: str) -> None:
    app = app_on(scene_url, name="prod", colour="red", profile="prod")
    async with watching(app) as hand:
        assert hand.lines[0].startswith("  prod  ")
        bar = hand.main.query_one(HeaderBar)
        assert bar.styles.background_tint == tint_of("red")
        assert _back_of(hand, "prod").hex == PROFILE_COLOURS["red"]
        rest = _back_of(hand, "runqy-tui", "read-only")
        assert rest.red > rest.blue, "tinted"
        for theme in ("ansi-dark", "runqy-light"):
            hand.app.theme = theme
            await hand.settle()
            assert hand.lines[0].startswith("  prod  ")
        await hand.pilot.resize_terminal(20, 5)
        await hand.until(lambda: hand.lines[0].startswith("  prod  "))


def _back_of(hand: Hand, *parts: str) -> ColorTriplet:
    """The background of the first piece of the header that holds one of these."""
    for piece in hand.screen._compositor.render_strips()[0]:
        if piece.style is not None and any(part in piece.text for part in parts):
            assert piece.style.bgcolor is not None
            assert piece.style.bgcolor.triplet is not None
            return piece.style.bgcolor.triplet
    raise AssertionError(f"not in the header: {parts}")


async def test_without_colours_the_name_is_still_there(
    scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with watching(app_on(scene_url, name="prod", colour="#c00000"), SMALL) as hand:
        assert hand.lines[0].startswith("  prod  ")


async def test_unverified_tls_is_shown_before_the_first_answer() -> None:
    dead = "redis://127.0.0.1:1/0"
    settings = Settings(url=dead, name="prod", unverified=True, interval_s=60)
    async with running(RunqyApp(settings, lambda: open_reader(dead))) as hand:
        await hand.sees("prod  TLS UNVERIFIED", "read-only")


def test_a_key_for_no_binding_is_refused_with_the_nearest() -> None:
    async def never() -> Any:
        raise AssertionError

    for keys, says in (
        ({"app.quit": "f10", "app.freze": "f7"}, "unknown binding 'app.freze'; did you mean"),
        ({"app.freze": "f7"}, "did you mean 'app.freeze'? Help (?) lists all bindings."),
        ({"zzz": "q"}, "unknown binding 'zzz'. Help (?) lists all bindings."),
    ):
        with pytest.raises(ConfigError) as raised:
            RunqyApp(Settings(keys=keys), never)
        text = str(raised.value)
        assert text.startswith("config.toml: [keys]: unknown binding ")
        assert says in text
