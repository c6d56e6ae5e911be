"""What ``doctor`` says of the cost of polls."""

from __future__ import annotations

import pytest

from runqy_tui.redis.checkup.deployment_facts import Cost, describe
from tests.support.builders import snapshot

FIRST = Cost(3, 3_000, 1, 1)
WARM = Cost(1, 1_000, 1, 1, ms=5.0)


@pytest.mark.parametrize(
    ("interval", "budget", "in_turns"),
    [(0.25, 2_000, True), (0.5, 2_000, False), (2.0, 400, True), (2.0, 500, False)],
)
def test_a_poll_that_costs_more_than_the_budget_reads_in_turns(
    interval: float, budget: int, in_turns: bool
) -> None:
    *_, line = describe(snapshot(), cold=FIRST, warm=WARM, interval=interval, budget=budget)
    assert line.topic == "poll"
    assert ("queues take turns" in line.text) is in_turns
