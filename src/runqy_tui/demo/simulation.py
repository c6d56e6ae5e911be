"""What all parts of the simulation share: clock, random numbers, and the batch of commands."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from random import Random
from uuid import UUID

from redis import Redis
from redis.client import Pipeline

from runqy_tui.demo.fleet_spec import HEALTHY_FLEET, STORY_FLEET, QueueSpec
from runqy_tui.demo.sample_data import HOSTILE, payload
from runqy_tui.demo.task_writer import Message


class World:
    """Time, random numbers and the pipeline of a simulation.

    Writers queue their commands in ``pipe``; :meth:`flush` sends them. All random numbers come
    from ``rng``: the same seed repeats everything but the wall clock.

    Attributes:
        t: simulated seconds since the start; they pass ``speed`` times as fast as wall time.
        wall: unix time of the current step.
        healthy: without incidents and unusual data.
        leftovers: ids of tasks that finished with storage off: only the reverse index remains.
    """

    def __init__(
        self, client: Redis, speed: float = 1.0, seed: int = 7, *, healthy: bool = False
    ) -> None:
        self.client = client
        self.speed = speed
        self.healthy = healthy
        self.fleet = HEALTHY_FLEET if healthy else STORY_FLEET
        self.rng = Random(seed)  # noqa: S311 -- simulated data, not a secret
        self.t = 0.0
        self.wall = time.time()
        self.leftovers: deque[str] = deque()
        self.pipe: Pipeline = client.pipeline(transaction=False)

    def after(self, seconds: float) -> float:
        """Unix time at which ``seconds`` of simulated time will have passed."""
        return self.wall + seconds / self.speed

    def scaled(self, seconds: float) -> float:
        """How long ``seconds`` of simulated time take, for expiries; at least 50 ms."""
        return max(0.05, seconds / self.speed)

    def flush(self) -> list[object]:
        """Send the batch and return its replies."""
        replies: list[object] = self.pipe.execute() if len(self.pipe) else []
        return replies

    def new_id(self) -> str:
        """A random UUID, as task ids are."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def new_message(self, spec: QueueSpec, *, once: bool | None = None) -> Message:
        """A new task of a queue; ``once``: without retries, as some asynq clients enqueue it."""
        if spec.kind == "hostile":
            item = self.rng.choice(HOSTILE)
            body, kind = item.payload, item.type
        else:
            body, kind = payload(self.rng, spec.kind), ""
        if once is None:
            once = self.rng.random() < spec.no_retry_share
        message = Message(id=self.new_id(), queue=spec.name, payload=body, type=kind)
        return replace(message, retry=0, timeout=60) if once else message
