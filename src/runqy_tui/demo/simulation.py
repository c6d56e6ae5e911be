"""What every part of the simulation shares: the clock, the dice, and the batch of commands."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from random import Random
from uuid import UUID

from redis import Redis
from redis.client import Pipeline

from runqy_tui.demo.cast import EVERYBODY, HEALTHY, QueueSpec
from runqy_tui.demo.hostile import HOSTILE
from runqy_tui.demo.sample_data import payload
from runqy_tui.demo.task_writer import Message


class World:
    """Simulated time ``t`` runs ``speed`` times as fast as ``wall``, the unix time of this step.

    Writers queue their commands in ``pipe``; :meth:`flush` sends them. All chance comes from
    ``rng``, so that a seed gives the same play but for the wall clock. ``healthy``: nothing
    ever goes wrong, and nothing is odd.
    """

    def __init__(
        self, client: Redis, speed: float = 1.0, seed: int = 7, *, healthy: bool = False
    ) -> None:
        self.client = client
        self.speed = speed
        self.healthy = healthy
        self.cast = HEALTHY if healthy else EVERYBODY
        self.rng = Random(seed)  # noqa: S311 -- a play, not a secret
        self.t = 0.0
        self.wall = time.time()
        self.leftovers: deque[str] = deque()
        """Ids whose reverse index is all that is left: finished with storage off."""
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
        """A new task; ``once``: no retry, as an asynq client that enqueues directly asks for."""
        if spec.kind == "hostile":
            item = self.rng.choice(HOSTILE)
            body, kind = item.payload, item.type
        else:
            body, kind = payload(self.rng, spec.kind), ""
        if once is None:
            once = self.rng.random() < spec.once
        message = Message(id=self.new_id(), queue=spec.name, payload=body, type=kind)
        return replace(message, retry=0, timeout=60) if once else message
