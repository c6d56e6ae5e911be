"""What happens in the demo, and when: seconds from the start, at speed 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from runqy_tui.demo.cast import CRASHING, JOINING, KILLED, RECOVERING, STOPPING


class StoryAct(StrEnum):
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
class StoryEvent:
    """One thing that happens, ``at`` seconds after the start."""

    at: float
    act: StoryAct
    target: str


STORY: tuple[StoryEvent, ...] = (
    StoryEvent(0, StoryAct.CRASH, RECOVERING),
    StoryEvent(15, StoryAct.SPIKE, "inference.low"),
    StoryEvent(30, StoryAct.CRASH, CRASHING),
    StoryEvent(35, StoryAct.FAIL, RECOVERING),
    StoryEvent(38, StoryAct.FAIL, CRASHING),
    StoryEvent(45, StoryAct.DEGRADE, CRASHING),
    StoryEvent(52, StoryAct.FLOOD, "gpu-1:4312"),
    StoryEvent(60, StoryAct.KILL, KILLED),  # its hash expires at 90 s: lost
    StoryEvent(75, StoryAct.JOIN, JOINING),
    StoryEvent(80, StoryAct.FAIL, RECOVERING),
    StoryEvent(100, StoryAct.STOP, STOPPING),
    StoryEvent(110, StoryAct.RECOVER, RECOVERING),
)

CYCLE_START = 240.0
CYCLE_PERIOD = 480.0
CYCLE: tuple[StoryEvent, ...] = (
    StoryEvent(0, StoryAct.JOIN, STOPPING),
    StoryEvent(60, StoryAct.SPIKE, "inference.low"),
    StoryEvent(150, StoryAct.CRASH, RECOVERING),
    StoryEvent(162, StoryAct.RECOVER, RECOVERING),
    StoryEvent(300, StoryAct.SPIKE, "embed.default"),
    StoryEvent(330, StoryAct.FLOOD, "gpu-1:4312"),
    StoryEvent(400, StoryAct.STOP, STOPPING),
)


def events() -> Iterator[StoryEvent]:
    """Every event in order, without end: the story, then the cycle over and over."""
    yield from STORY
    start = CYCLE_START
    while True:
        for event in CYCLE:
            yield StoryEvent(start + event.at, event.act, event.target)
        start += CYCLE_PERIOD
