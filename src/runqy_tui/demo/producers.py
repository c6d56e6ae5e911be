"""Tasks that arrive, and tasks that workers take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from runqy_tui.demo import task_writer
from runqy_tui.demo.cast import QueueSpec
from runqy_tui.demo.simulated_worker import SimulatedWorker
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import TaskState

SPIKE_SECONDS = 20.0
SPIKE_RATE = 18.0
SPIKE_BELOW = 120
_LOOK_EVERY = 1.0


class Producers:
    """Everybody who enqueues. They watch the backlog, so that no queue grows for ever."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = {spec.name: world.t + self._gap(spec.rate) for spec in world.cast.queues}
        self._pending: dict[str, int] = {}
        self._resting: set[str] = set()
        self._spikes: dict[str, float] = {}
        self._look = 0.0

    def spike(self, queue: str) -> None:
        """Flood a queue for 20 seconds, unless it still drains the last flood."""
        if self._pending.get(queue, 0) > SPIKE_BELOW:
            return
        self._spikes[queue] = self._world.t + SPIKE_SECONDS
        self._next[queue] = self._world.t

    def step(self) -> None:
        """Enqueue what has arrived since the last step."""
        world = self._world
        if world.t >= self._look:
            self._look = world.t + _LOOK_EVERY
            self._pending = _lengths(world, [spec.name for spec in world.cast.queues])
        for spec in world.cast.queues:
            rate = self._rate(spec)
            while self._next[spec.name] <= world.t:
                self._next[spec.name] += self._gap(rate)
                task_writer.enqueue(world.pipe, world.new_message(spec), world.wall)

    def _rate(self, spec: QueueSpec) -> float:
        low, high = spec.backlog
        pending = self._pending.get(spec.name, 0)
        if self._spikes.get(spec.name, 0.0) > self._world.t:
            return SPIKE_RATE
        if pending > high:
            self._resting.add(spec.name)
        elif pending <= low:
            self._resting.discard(spec.name)
        if spec.name in self._resting:
            return spec.rate * 0.3
        return spec.rate * (1.8 if pending < low else 1.0)

    def _gap(self, rate: float) -> float:
        return self._world.rng.expovariate(rate)


def dispatch(world: World, workers: Sequence[SimulatedWorker]) -> None:
    """Let every worker with a free slot take tasks, the higher priority more often."""
    ready = [worker for worker in workers if worker.free]
    if not ready:
        return
    names = sorted({name for worker in ready for name in worker.takes_from()})
    plan = _plan(world, ready, _lengths(world, names))
    if not plan:
        return
    for _, queue in plan:
        task_writer.pop(world.pipe, queue)
    popped = [
        (worker, queue, reply.decode("utf-8", "surrogateescape"))
        for (worker, queue), reply in zip(plan, world.flush(), strict=True)
        if isinstance(reply, bytes)
    ]
    for _, queue, task_id in popped:
        world.pipe.hmget(task_writer.task_key(queue, task_id), "msg", "retried")
    for (worker, queue, task_id), reply in zip(popped, world.flush(), strict=True):
        msg, retried = cast("list[bytes | None]", reply)
        if msg is None:  # its hash is gone: nothing to work on
            task_writer.leave_active(world.pipe, queue, task_id)
            continue
        message = Message.decode(msg, queue, task_id)
        worker.accept(message, msg, max(message.retried, int(retried or 0)))
    world.flush()


def _plan(
    world: World, workers: Iterable[SimulatedWorker], lengths: dict[str, int]
) -> list[tuple[SimulatedWorker, str]]:
    plan = []
    for worker in workers:
        for _ in range(worker.free):
            names = [name for name in worker.takes_from() if lengths[name] > 0]
            if not names:
                break
            weights = [worker.spec.queues[name] for name in names]
            queue = world.rng.choices(names, weights)[0]
            lengths[queue] -= 1
            plan.append((worker, queue))
    return plan


def _lengths(world: World, queues: Sequence[str]) -> dict[str, int]:
    """Pending tasks per queue; sends what is in the batch first."""
    world.flush()
    for queue in queues:
        world.pipe.llen(task_writer.state_key(queue, TaskState.PENDING))
    return dict(zip(queues, cast("list[int]", world.flush()), strict=True))
