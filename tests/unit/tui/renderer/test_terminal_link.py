"""The link to the terminal: its delay, and whether it is classified as slow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from runqy_tui.tui.renderer.terminal_link import CALM_S, FAR_S, LATE_S, LinkQuality, TerminalLink


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def link(clock: Clock) -> TerminalLink:
    return TerminalLink(clock)


def answer(link: TerminalLink, clock: Clock, after: float, size: int = 300) -> None:
    """One question, one answer."""
    clock.now += 11.0
    assert link.start_query(size)
    clock.now += after
    link.record_answer(link.answer_received())


def test_one_query_at_a_time_and_seldom(link: TerminalLink, clock: Clock) -> None:
    assert link.start_query(300)
    assert not link.start_query(300), "one is open"
    clock.now += 0.3
    link.record_answer(link.answer_received())
    assert link.delay_s == pytest.approx(0.3)
    for _ in range(2):
        assert link.start_query(300)
        link.record_answer(link.answer_received())
    assert link.is_reliable
    assert not link.start_query(300), "it is known for now"
    clock.now += 10.0
    assert link.start_query(300)


def test_a_terminal_that_never_answers_gets_no_more_queries(
    link: TerminalLink, clock: Clock
) -> None:
    asked = 0
    for _ in range(1_000):
        asked += link.start_query(300)
        clock.now += 1.0
    assert asked == 2
    assert (link.delay_s, link.pending_s) == (None, 0.0)
    link.wait_for_answer()  # returns: the clock stands still, and nobody would answer


def test_a_terminal_that_once_answered_is_queried_again(link: TerminalLink, clock: Clock) -> None:
    answer(link, clock, 0.1)
    assert link.start_query(300)
    clock.now += 2.0
    assert link.pending_s == pytest.approx(2.0)
    clock.now += 18.5
    assert link.start_query(300)


def test_an_unexpected_answer_is_ignored(link: TerminalLink, clock: Clock) -> None:
    link.record_answer(link.answer_received())
    assert (link.answers, link.delay_s) == (0, None)


def test_a_long_frame_measures_no_delay(link: TerminalLink, clock: Clock) -> None:
    answer(link, clock, 3.0, size=12_000)
    assert link.delay_s is None
    assert link.latest_s == pytest.approx(3.0)


def test_a_delayed_link_is_slow(link: TerminalLink, clock: Clock) -> None:
    link_quality = LinkQuality(link, clock)
    for _ in range(2):
        answer(link, clock, FAR_S + 0.05)
        assert not link_quality.update(0.0), "not by a single answer"
    answer(link, clock, FAR_S + 0.05)
    assert link_quality.update(0.0)
    assert (link_quality.slow, link_quality.why) == (True, "300 ms delay")


def test_a_late_frame_or_a_backlog_is_slow_at_once(link: TerminalLink, clock: Clock) -> None:
    link_quality = LinkQuality(link, clock)
    answer(link, clock, 2.3, size=9_000)
    assert link_quality.update(0.0)
    assert (link_quality.slow, link_quality.why) == (True, "output delayed 2.3 s")
    silent = LinkQuality(TerminalLink(clock), clock)
    assert not silent.update(LATE_S / 2)
    assert silent.update(LATE_S)
    assert silent.slow


def test_an_answer_that_does_not_come_is_slow(link: TerminalLink, clock: Clock) -> None:
    link_quality = LinkQuality(link, clock)
    answer(link, clock, 0.01)
    clock.now += 11.0
    assert link.start_query(300)
    assert not link_quality.update(0.0)
    clock.now += LATE_S
    assert link_quality.update(0.0)


def calm_after(link_quality: LinkQuality, link: TerminalLink, clock: Clock) -> float:
    """Seconds of a fine link until it counts as fast."""
    began = clock.now
    while link_quality.slow:
        answer(link, clock, 0.02)
        link_quality.update(0.0)
        assert clock.now - began < 3_600
    return clock.now - began


def test_a_slow_link_becomes_fast_with_hysteresis(link: TerminalLink, clock: Clock) -> None:
    link_quality = LinkQuality(link, clock)
    waits = []
    for _ in range(4):
        answer(link, clock, 1.5)
        assert link_quality.update(0.0)
        assert link_quality.slow
        waits.append(calm_after(link_quality, link, clock))
        assert link_quality.why == ""
    assert waits[0] >= CALM_S
    assert all(later > sooner for sooner, later in pairwise(waits)), waits
    assert waits[-1] >= 8 * CALM_S


def test_without_an_answer_a_slow_link_remains_slow(link: TerminalLink, clock: Clock) -> None:
    link_quality = LinkQuality(link, clock)
    answer(link, clock, 1.5, size=9_000)
    link_quality.update(0.0)
    for _ in range(300):
        clock.now += 1.0
        link_quality.update(0.0)
    assert link_quality.slow, "not one answer since"


def test_between_near_and_far_nothing_changes(link: TerminalLink, clock: Clock) -> None:
    fast, slow = LinkQuality(link, clock), LinkQuality(link, clock)
    answer(link, clock, 1.5, size=9_000)
    slow.update(0.0)
    fast.update(0.0)
    fast.slow = False
    for _ in range(40):
        answer(link, clock, 0.2)
        assert not fast.update(0.0)
        slow.update(0.0)
    assert (fast.slow, slow.slow) == (False, True)


def thin(link: TerminalLink, clock: Clock, rate: float = 4_000) -> None:
    """Three short answers, and three that tell the rate."""
    for _ in range(3):
        answer(link, clock, 0.3)
    for _ in range(3):
        answer(link, clock, 0.3 + 8_000 / rate, size=8_000)


def test_on_a_thin_link_frames_wait_while_much_is_on_its_way(
    link: TerminalLink, clock: Clock
) -> None:
    thin(link, clock)
    clock.now += 0.5
    assert not link.start_query(700), "little"
    assert link.start_query(700), "much, taken together"
    assert not link.is_congested, "less than must be on its way for the link not to be idle"
    assert not link.start_query(200)
    assert link.is_congested
    clock.now += 0.7
    link.record_answer(link.answer_received())
    assert not link.is_congested


@pytest.mark.parametrize("rate", [16_000, 1_000_000])
def test_on_a_faster_link_nothing_waits(link: TerminalLink, clock: Clock, rate: float) -> None:
    thin(link, clock, rate)
    clock.now += 0.5
    assert link.start_query(60_000)
    assert not link.is_congested


def test_where_nothing_is_known_nothing_waits(link: TerminalLink) -> None:
    assert link.start_query(60_000)
    assert not link.is_congested


def test_frames_are_held_for_a_limited_time(link: TerminalLink, clock: Clock) -> None:
    thin(link, clock)
    clock.now += 0.5
    assert link.start_query(9_000)
    assert link.is_congested
    clock.now += 3.1
    assert not link.is_congested


def test_what_was_sent_long_ago_delays_nothing(link: TerminalLink, clock: Clock) -> None:
    thin(link, clock)
    for _ in range(6):
        clock.now += 1.1
        assert not link.start_query(400)
        assert not link.is_congested
