"""The simulated fleet: ``python -m runqy_tui.demo.simulated_fleet URL [--speed N] [--healthy]``.

It runs until its standard input is closed: the process that started it holds the other end of that
pipe, so the simulation never outlives it. It prints ``ready`` when the history is written.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from redis import Redis
from redis.exceptions import RedisError

from runqy_tui.demo import asynq_app, initial_data
from runqy_tui.demo.asynq_app import AsynqApp
from runqy_tui.demo.documented_dialect import DocumentedProducer
from runqy_tui.demo.fleet_spec import CRASHING, JOINING, KILLED, RECOVERING, STOPPING
from runqy_tui.demo.queue_services import Maintenance, Producers, dispatch
from runqy_tui.demo.simulated_worker import SimulatedWorker
from runqy_tui.demo.simulation import World


class StoryAct(StrEnum):
    """What can happen to a queue or a worker."""

    SPIKE = "spike"  # producers enqueue far more than usual for 20 s
    FLOOD = "flood"  # a worker logs more between two heartbeats than the list keeps
    CRASH = "crash"  # a supervised Python process dies and is being restarted
    FAIL = "fail"  # a restart attempt fails
    DEGRADE = "degrade"  # the circuit breaker opens: manual restart required
    RECOVER = "recover"  # a restart succeeds
    KILL = "kill"  # SIGKILL: no more heartbeat
    JOIN = "join"  # a worker starts: bootstrapping, then running
    STOP = "stop"  # a clean stop


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An act on a queue or worker, ``at`` seconds from the start at speed 1."""

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
    """Yield every event in order, without end: the story, then the cycle repeatedly."""
    yield from STORY
    start = CYCLE_START
    while True:
        for event in CYCLE:
            yield StoryEvent(start + event.at, event.act, event.target)
        start += CYCLE_PERIOD


STEP = 0.1
FAST_STEP = 0.05
FAST = 4.0


class SimulatedFleet:
    """Everything that writes in the demo, advanced step by step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workers = {spec.id: SimulatedWorker(world, spec) for spec in world.fleet.workers}
        self._workers = list(self.workers.values())
        self._asynq = AsynqApp(world)
        self._documented = DocumentedProducer(world)
        self._producers = Producers(world)
        self._maintenance = Maintenance(world, self._workers)
        self._events: Iterator[StoryEvent] = iter(()) if world.healthy else events()
        self._next = next(self._events, None)

    def write_initial_state(self) -> None:
        """Write the history, then a first heartbeat and tasks of every worker."""
        initial_data.write_history(self.world)
        if not self.world.healthy:
            initial_data.write_incidents(self.world)
        asynq_app.write_initial_data(self.world, self._asynq)
        self.world.flush()
        dispatch(self.world, self._workers)
        self.step()

    def step(self) -> None:
        """Advance everything to the world's time."""
        world = self.world
        while self._next is not None and self._next.at <= world.t:
            self._apply(self._next)
            self._next = next(self._events, None)
        self._producers.step()
        for worker in self._workers:
            worker.step()
        self._maintenance.step()
        self._asynq.step()
        self._documented.step()
        dispatch(world, self._workers)
        world.flush()

    def _apply(self, event: StoryEvent) -> None:
        if event.act is StoryAct.SPIKE:
            self._producers.spike(event.target)
            return
        worker = self.workers[event.target]
        {
            StoryAct.FLOOD: worker.flood_log,
            StoryAct.CRASH: worker.crash,
            StoryAct.FAIL: worker.fail,
            StoryAct.DEGRADE: worker.degrade,
            StoryAct.RECOVER: worker.recover,
            StoryAct.KILL: worker.kill,
            StoryAct.JOIN: worker.join,
            StoryAct.STOP: worker.stop,
        }[event.act]()


def run_until_closed(world: World) -> None:
    """Run until standard input is closed."""
    fleet = SimulatedFleet(world)
    fleet.write_initial_state()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    pause = STEP if world.speed <= FAST else FAST_STEP
    due = time.monotonic() + pause
    while not _ended(due - time.monotonic()):
        # After a suspend it continues where it stopped, instead of catching up.
        due = max(due, time.monotonic()) + pause
        world.t += pause * world.speed
        world.wall = time.time()
        fleet.step()


def _ended(timeout: float) -> bool:
    """Wait for the next step; return whether the other end of standard input was closed."""
    readable, _, _ = select.select([sys.stdin], [], [], max(0.0, timeout))
    return bool(readable) and not os.read(sys.stdin.fileno(), 64)


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments and run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m runqy_tui.demo.simulated_fleet", description=__doc__
    )
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N")
    parser.add_argument("--seed", type=int, default=7, metavar="N")
    parser.add_argument("--healthy", action="store_true", help="without incidents and unusual data")
    options = parser.parse_args(arguments)
    with Redis.from_url(options.url) as client:
        try:
            run_until_closed(World(client, options.speed, options.seed, healthy=options.healthy))
        except (RedisError, OSError) as error:
            sys.stderr.write(f"the simulated fleet lost its server: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
