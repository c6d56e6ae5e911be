"""A link that is slow or has few colours: measuring it does no harm, and it gets less output."""

from __future__ import annotations

import re
from time import sleep

import pytest

from tests.pty.conftest import PANES, Monitor

MOUSE = {1000, 1002, 1006}


def test_sixteen_colours_and_no_other(monitor: Monitor, fleet_url: str) -> None:
    """On the main screen, in a modal over it, in the help and in the palette."""
    seen = monitor.watch(fleet_url, "--colours", "16", env={"COLORTERM": "truecolor"})
    seen.sees(*PANES, "✖ sick:2")
    seen.press("1", "\r")
    seen.sees("Overview")
    seen.press("?")
    seen.sees("Esc closes")
    seen.press("\x1b")
    seen.misses("Esc closes")
    seen.press("\x10")
    seen.sees("Search for commands")
    seen.press("\x1b")
    seen.misses("Search for commands")
    used = {
        code for codes in re.findall(rb"\x1b\[([\d;]*)m", seen.raw) for code in codes.split(b";")
    }
    assert not used & {b"38", b"48"}
    assert {b"91", b"93"} <= used, "severities"
    seen.press("q", "q")
    assert seen.ends() == 0
    seen.restored()


def test_a_terminal_far_away_is_spared(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--interval", "0.5", answers_s=0.3)
    seen.sees("low bandwidth: ")
    seen.until(lambda: not MOUSE & seen.modes, "the mouse is left alone")
    seen.press("L", "L")
    seen.sees("Low-bandwidth mode: off.")
    seen.until(lambda: seen.modes >= MOUSE, "the mouse is used again")
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()


def test_on_request_there_is_no_mouse(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--low-bandwidth")
    seen.sees("low bandwidth")
    seen.until(lambda: not MOUSE & seen.modes, "the mouse is left alone")


@pytest.mark.parametrize("answers_s", [0.0, 0.25])
def test_an_answer_is_no_key_and_stays_for_nobody(
    monitor: Monitor, fleet_url: str, answers_s: float
) -> None:
    seen = monitor.watch(fleet_url, "--interval", "0.2", answers_s=answers_s)
    seen.press("1", "/")
    seen.sees("text to filter by")
    seen.until(lambda: seen.asked >= 2, "asked again")
    sleep(answers_s)
    seen.press("sick")
    seen.sees("1 match", "sick")
    seen.press("\r")
    seen.sees("q quit")
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()
    sleep(answers_s + 0.05)
    assert not seen.typed_ahead


def test_leaving_waits_for_the_answer_that_is_due(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--interval", "0.2", answers_s=0.3)
    seen.until(lambda: seen.asked >= 2, "asked again")
    seen.press("q")
    assert seen.ends() == 0
    sleep(0.35)
    assert not seen.typed_ahead


def test_a_silent_terminal_is_asked_once_and_waited_for_never(
    monitor: Monitor, fleet_url: str
) -> None:
    seen = monitor.watch(fleet_url, "--interval", "0.2")
    seen.press("2", "j", "1", "j")
    seen.still()
    assert seen.asked == 1
    assert "low bandwidth" not in seen.text
