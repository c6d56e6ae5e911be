"""What happens in the demo, and when: seconds from the start, at speed 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from runqy_tui.demo.cast import CRASHING, JOINING, KILLED, RECOVERING, STOPPING


class Act(StrEnum):
    """Things that happen to a queue or a worker."""

    SPIKE = "spike"  # producers flood a queue for 20 s
    FLOOD = "flood"  # a worker logs more within one beat than the list keeps
    CRASH = "crash"  # a supervised Python process dies and is being restarted
    FAIL = "fail"  # a restart attempt fails
    DEGRADE = "degrade"  # the circuit breaker opens: manual restart required
    RECOVER = "recover"  # a restart succeeds
    KILL = "kill"  # SIGKILL: no more heartbeat
    JOIN = "join"  # a worker starts: bootstrapping, then running
    STOP = "stop"  # a clean stop


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens, ``at`` seconds after the start."""

    at: float
    act: Act
    target: str


STORY: tuple[Event, ...] = (
    Event(0, Act.CRASH, RECOVERING),
    Event(15, Act.SPIKE, "inference.low"),
    Event(30, Act.CRASH, CRASHING),
    Event(35, Act.FAIL, RECOVERING),
    Event(38, Act.FAIL, CRASHING),
    Event(45, Act.DEGRADE, CRASHING),
    Event(52, Act.FLOOD, "gpu-1:4312"),
    Event(60, Act.KILL, KILLED),  # its hash expires at 90 s: lost
    Event(75, Act.JOIN, JOINING),
    Event(80, Act.FAIL, RECOVERING),
    Event(100, Act.STOP, STOPPING),
    Event(110, Act.RECOVER, RECOVERING),
)

CYCLE_START = 240.0
CYCLE_PERIOD = 480.0
CYCLE: tuple[Event, ...] = (
    Event(0, Act.JOIN, STOPPING),
    Event(60, Act.SPIKE, "inference.low"),
    Event(150, Act.CRASH, RECOVERING),
    Event(162, Act.RECOVER, RECOVERING),
    Event(300, Act.SPIKE, "embed.default"),
    Event(330, Act.FLOOD, "gpu-1:4312"),
    Event(400, Act.STOP, STOPPING),
)


def events() -> Iterator[Event]:
    """Every event in order, without end: the story, then the cycle over and over."""
    yield from STORY
    start = CYCLE_START
    while True:
        for event in CYCLE:
            yield Event(start + event.at, event.act, event.target)
        start += CYCLE_PERIOD
