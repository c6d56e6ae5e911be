"""The recording of the demo on a slow link: a cast that plays, of a program that can be used."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

from tests.support.replay import Terminal

CAST = Path(__file__).parents[3] / "screenshots" / "slow-link.cast"


def cast() -> tuple[dict[str, object], list[tuple[float, str, str]]]:
    head, *events = (json.loads(line) for line in CAST.read_text(encoding="utf-8").splitlines())
    return head, [(at, kind, text) for at, kind, text in events]


def test_it_has_the_form_of_a_cast() -> None:
    head, events = cast()
    assert (head["version"], head["width"], head["height"]) == (2, 120, 40)
    assert {kind for _, kind, _ in events} == {"o", "i", "m"}
    assert all(sooner[0] <= later[0] for sooner, later in pairwise(events))
    assert CAST.stat().st_size < 200_000


def test_it_keeps_to_its_rate() -> None:
    head, events = cast()
    rate = float(re.findall(r"([\d.]+) KB/s", str(head["title"]))[0]) * 1_000
    sent = sum(len(text.encode()) for _, kind, text in events if kind == "o")
    assert sent <= rate * events[-1][0]


def test_it_gives_the_terminal_back() -> None:
    _, events = cast()
    output = "".join(text for _, kind, text in events if kind == "o")
    last = dict(re.findall(r"\x1b\[\?(\d+)([hl])", output))
    assert {mode for mode, way in last.items() if way == "h"} == {"7", "25"}
    assert output.count("\x1b[>") == output.count("\x1b[<u")


def test_what_the_operator_saw() -> None:
    """Each screen as it stood when the next key was typed."""
    _, events = cast()
    terminal, seen = Terminal(120, 40), {}
    for _, kind, text in events:
        if kind == "o":
            terminal.feed(text)
        elif kind == "m":
            seen[text] = "\n".join(terminal.screen.display)
    first, opened, last = seen["next queue"], seen["close it"], seen["leave"]
    for screen in (first, last):
        assert all(pane in screen for pane in ("1 Workers", "2 Queues", "3 Tasks", "q quit"))
    assert "Overview" in opened
    assert "low bandwidth" in last
    assert first != last
