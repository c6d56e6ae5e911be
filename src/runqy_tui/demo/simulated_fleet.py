"""The simulated fleet: ``python -m runqy_tui.demo.simulated_fleet URL [--speed N] [--healthy]``.

It plays until its standard input ends: whoever started it holds the other end of that pipe, so
that it never outlives them. It says ``ready`` on standard output when the past is written.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from collections.abc import Iterator

from redis import Redis
from redis.exceptions import RedisError

from runqy_tui.demo import asynq_app, initial_data
from runqy_tui.demo.asynq_app import AsynqApp
from runqy_tui.demo.documented_dialect import DocumentedProducer
from runqy_tui.demo.maintenance import Maintenance
from runqy_tui.demo.producers import Producers, dispatch
from runqy_tui.demo.simulated_worker import SimulatedWorker
from runqy_tui.demo.simulation import World
from runqy_tui.demo.storyline import StoryAct, StoryEvent, events

STEP = 0.1
FAST_STEP = 0.05
FAST = 4.0


class SimulatedFleet:
    """Everything that writes in the demo, advanced step by step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workers = {spec.id: SimulatedWorker(world, spec) for spec in world.cast.workers}
        self._present = list(self.workers.values())
        self._asynq = AsynqApp(world)
        self._corner = DocumentedProducer(world)
        self._producers = Producers(world)
        self._upkeep = Maintenance(world, self._present)
        self._events: Iterator[StoryEvent] = iter(()) if world.healthy else events()
        self._next = next(self._events, None)

    def begin(self) -> None:
        """Write the past and the first moment: every worker beats and has its tasks."""
        initial_data.write_history(self.world)
        if not self.world.healthy:
            initial_data.write_incidents(self.world)
        asynq_app.write(self.world, self._asynq)
        self.world.flush()
        dispatch(self.world, self._present)
        self.step()

    def step(self) -> None:
        """Play one moment, at the world's time."""
        world = self.world
        while self._next is not None and self._next.at <= world.t:
            self._act(self._next)
            self._next = next(self._events, None)
        self._producers.step()
        for worker in self._present:
            worker.step()
        self._upkeep.step()
        self._asynq.step()
        self._corner.step()
        dispatch(world, self._present)
        world.flush()

    def _act(self, event: StoryEvent) -> None:
        if event.act is StoryAct.SPIKE:
            self._producers.spike(event.target)
            return
        worker = self.workers[event.target]
        {
            StoryAct.FLOOD: worker.flood,
            StoryAct.CRASH: worker.crash,
            StoryAct.FAIL: worker.fail,
            StoryAct.DEGRADE: worker.degrade,
            StoryAct.RECOVER: worker.recover,
            StoryAct.KILL: worker.kill,
            StoryAct.JOIN: worker.join,
            StoryAct.STOP: worker.stop,
        }[event.act]()


def play(world: World) -> None:
    """Play until standard input ends."""
    fleet = SimulatedFleet(world)
    fleet.begin()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    pause = STEP if world.speed <= FAST else FAST_STEP
    due = time.monotonic() + pause
    while not _ended(due - time.monotonic()):
        # After a suspend the play goes on from where it was, instead of rushing to catch up.
        due = max(due, time.monotonic()) + pause
        world.t += pause * world.speed
        world.wall = time.time()
        fleet.step()


def _ended(timeout: float) -> bool:
    """Wait for the next step; true when the other end of standard input is gone."""
    readable, _, _ = select.select([sys.stdin], [], [], max(0.0, timeout))
    return bool(readable) and not os.read(sys.stdin.fileno(), 64)


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments and play."""
    parser = argparse.ArgumentParser(
        prog="python -m runqy_tui.demo.simulated_fleet", description=__doc__
    )
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N")
    parser.add_argument("--seed", type=int, default=7, metavar="N")
    parser.add_argument("--healthy", action="store_true", help="without anything that goes wrong")
    options = parser.parse_args(arguments)
    with Redis.from_url(options.url) as client:
        try:
            play(World(client, options.speed, options.seed, healthy=options.healthy))
        except (RedisError, OSError) as error:
            sys.stderr.write(f"the simulated fleet lost its server: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
