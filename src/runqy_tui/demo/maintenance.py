"""What living workers do beside working: forward due retries, take back tasks of the dead, tidy.

``runqy-worker`` forwards ``retry`` only: what is scheduled stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from runqy_tui.demo import task_writer
from runqy_tui.demo.simulated_worker import SimulatedWorker
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import decode

FORWARD_EVERY = 5.0
RECOVER_EVERY = 30.0
TIDY_EVERY = 10.0
_AT_ONCE = 40
_GRACE = 30.0
_LEFTOVERS = 40
_SLACK = 1.3
_KEPT = (TaskState.COMPLETED, TaskState.ARCHIVED)

Limit = tuple[str, TaskState, int]
"""A queue, ``completed`` or ``archived``, and how many tasks stay."""


class Maintenance:
    """The forwarder, the recoverer and the janitor of every living worker."""

    def __init__(self, world: World, workers: Sequence[SimulatedWorker]) -> None:
        self._world = world
        self._workers = workers
        self._forward = self._recover = self._tidy = 0.0
        self._limits: tuple[Limit, ...] = tuple(
            (spec.name, state, keep)
            for spec in world.cast.queues
            for state, keep in zip(_KEPT, spec.keep, strict=True)
        )

    def step(self) -> None:
        """Do what is due."""
        world = self._world
        if world.t >= self._forward:
            self._forward = world.t + FORWARD_EVERY
            for queue, task_id in self._due("retry", world.wall):
                task_writer.forward(world.pipe, queue, task_id, world.wall)
        if world.t >= self._recover:
            self._recover = world.t + RECOVER_EVERY
            self._take_back()
        if world.t >= self._tidy:
            self._tidy = world.t + TIDY_EVERY
            self._janitor()

    def _served(self) -> list[str]:
        return sorted(
            {name for worker in self._workers if worker.alive for name in worker.spec.queues}
        )

    def _due(self, suffix: str, until: float) -> list[tuple[str, str]]:
        world, queues = self._world, self._served()
        world.flush()
        for queue in queues:
            key = _lease_or_retry(queue, suffix)
            world.pipe.zrangebyscore(key, "-inf", until, start=0, num=_AT_ONCE)
        replies = cast("list[list[bytes]]", world.flush())
        return [
            (queue, decode(task_id))
            for queue, ids in zip(queues, replies, strict=True)
            for task_id in ids
        ]

    def _take_back(self) -> None:
        world = self._world
        ended = self._due("lease", world.wall - world.scaled(_GRACE))
        for queue, task_id in ended:
            world.pipe.hmget(task_writer.task_key(queue, task_id), "msg", "retried")
        replies = cast("list[list[bytes | None]]", world.flush())
        for (queue, task_id), (msg, retried) in zip(ended, replies, strict=True):
            if msg is None:
                task_writer.leave_active(world.pipe, queue, task_id)
                continue
            message = Message.decode(msg, queue, task_id)
            tries = max(message.retried, int(retried or 0)) + 1
            if tries > message.retry:
                store = world.cast.by_name[queue].store
                task_writer.archive(world.pipe, message, "lease expired", world.wall, store=store)
            else:
                at = world.after(task_writer.retry_delay(tries))
                task_writer.recover(world.pipe, queue, task_id, tries, world.wall, at)

    def _janitor(self) -> None:
        world = self._world
        for queue, state, _ in self._limits:
            world.pipe.zremrangebyscore(task_writer.state_key(queue, state), "-inf", world.wall)
        trim(world, self._limits)
        while len(world.leftovers) > _LEFTOVERS:
            world.pipe.delete(keys.reverse_index(world.leftovers.popleft()))


def trim(world: World, limits: Sequence[Limit]) -> None:
    """Delete the oldest entries beyond what the demo keeps, with their tasks."""
    world.flush()
    for queue, state, _ in limits:
        world.pipe.zcard(task_writer.state_key(queue, state))
    sizes = cast("list[int]", world.flush())
    full = [
        (queue, state, size - keep)
        for (queue, state, keep), size in zip(limits, sizes, strict=True)
        if size > keep * _SLACK
    ]
    for queue, state, excess in full:
        world.pipe.zpopmin(task_writer.state_key(queue, state), excess)
    popped = cast("list[list[tuple[bytes, float]]]", world.flush())
    for (queue, _, _), entries in zip(full, popped, strict=True):
        for task_id in (decode(entry[0]) for entry in entries):
            world.pipe.delete(task_writer.task_key(queue, task_id), keys.reverse_index(task_id))


def _lease_or_retry(queue: str, suffix: str) -> bytes:
    return (
        task_writer.lease_key(queue)
        if suffix == "lease"
        else task_writer.state_key(queue, TaskState.RETRY)
    )
