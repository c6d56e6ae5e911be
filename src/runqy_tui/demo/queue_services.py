"""What happens to queues beside the work itself: producers, assignment, forwarding, cleaning up.

As ``runqy-worker`` does, only ``retry`` is forwarded: scheduled tasks stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from runqy_tui.demo import task_writer
from runqy_tui.demo.fleet_spec import QueueSpec
from runqy_tui.demo.simulated_worker import SimulatedWorker
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import decode

FORWARD_EVERY = 5.0
RECOVER_EVERY = 30.0
CLEAN_UP_EVERY = 10.0
_AT_ONCE = 40
_GRACE = 30.0
_LEFTOVERS = 40
_SLACK = 1.3
_KEPT = (TaskState.COMPLETED, TaskState.ARCHIVED)

Limit = tuple[str, TaskState, int]
"""A queue, ``completed`` or ``archived``, and how many tasks are kept."""


class Maintenance:
    """Forwards retries, recovers tasks with expired leases, and deletes what is old."""

    def __init__(self, world: World, workers: Sequence[SimulatedWorker]) -> None:
        self._world = world
        self._workers = workers
        self._forward = self._recover = self._cleaned_up_at = 0.0
        self._limits: tuple[Limit, ...] = tuple(
            (spec.name, state, keep)
            for spec in world.fleet.queues
            for state, keep in zip(_KEPT, spec.keep, strict=True)
        )

    def step(self) -> None:
        """Do each of it as due."""
        world = self._world
        if world.t >= self._forward:
            self._forward = world.t + FORWARD_EVERY
            for queue, task_id in self._due_ids("retry", world.wall):
                task_writer.forward(world.pipe, queue, task_id, world.wall)
        if world.t >= self._recover:
            self._recover = world.t + RECOVER_EVERY
            self._recover_expired_leases()
        if world.t >= self._cleaned_up_at:
            self._cleaned_up_at = world.t + CLEAN_UP_EVERY
            self._clean_up()

    def _served_queues(self) -> list[str]:
        return sorted(
            {name for worker in self._workers if worker.alive for name in worker.spec.queues}
        )

    def _due_ids(self, suffix: str, until: float) -> list[tuple[str, str]]:
        world, queues = self._world, self._served_queues()
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

    def _recover_expired_leases(self) -> None:
        world = self._world
        ended = self._due_ids("lease", world.wall - world.scaled(_GRACE))
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
                store = world.fleet.by_name[queue].store
                task_writer.archive(world.pipe, message, "lease expired", world.wall, store=store)
            else:
                at = world.after(task_writer.retry_delay(tries))
                task_writer.recover(world.pipe, queue, task_id, tries, world.wall, at)

    def _clean_up(self) -> None:
        world = self._world
        for queue, state, _ in self._limits:
            world.pipe.zremrangebyscore(task_writer.state_key(queue, state), "-inf", world.wall)
        trim(world, self._limits)
        while len(world.leftovers) > _LEFTOVERS:
            world.pipe.delete(keys.reverse_index(world.leftovers.popleft()))


def trim(world: World, limits: Sequence[Limit]) -> None:
    """Delete the oldest entries beyond the limits, with their tasks."""
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


SPIKE_SECONDS = 20.0
SPIKE_RATE = 18.0
SPIKE_BELOW = 120
_COUNT_EVERY = 1.0


class Producers:
    """All programs that enqueue. Their rates follow the backlog: no queue grows without end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = {spec.name: world.t + self._gap(spec.rate) for spec in world.fleet.queues}
        self._pending: dict[str, int] = {}
        self._throttled: set[str] = set()
        self._spikes: dict[str, float] = {}
        self._counted_at = 0.0

    def spike(self, queue: str) -> None:
        """Enqueue far more than usual for 20 s, unless the backlog of the last spike remains."""
        if self._pending.get(queue, 0) > SPIKE_BELOW:
            return
        self._spikes[queue] = self._world.t + SPIKE_SECONDS
        self._next[queue] = self._world.t

    def step(self) -> None:
        """Enqueue the tasks that are due since the last step."""
        world = self._world
        if world.t >= self._counted_at:
            self._counted_at = world.t + _COUNT_EVERY
            self._pending = _lengths(world, [spec.name for spec in world.fleet.queues])
        for spec in world.fleet.queues:
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
            self._throttled.add(spec.name)
        elif pending <= low:
            self._throttled.discard(spec.name)
        if spec.name in self._throttled:
            return spec.rate * 0.3
        return spec.rate * (1.8 if pending < low else 1.0)

    def _gap(self, rate: float) -> float:
        return self._world.rng.expovariate(rate)


def dispatch(world: World, workers: Sequence[SimulatedWorker]) -> None:
    """Assign tasks to free slots; queues of higher priority are chosen more often."""
    ready = [worker for worker in workers if worker.free]
    if not ready:
        return
    names = sorted({name for worker in ready for name in worker.consumed_queues()})
    plan = _plan_assignments(world, ready, _lengths(world, names))
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
        if msg is None:  # its hash was deleted
            task_writer.leave_active(world.pipe, queue, task_id)
            continue
        message = Message.decode(msg, queue, task_id)
        worker.start_task(message, msg, max(message.retried, int(retried or 0)))
    world.flush()


def _plan_assignments(
    world: World, workers: Iterable[SimulatedWorker], lengths: dict[str, int]
) -> list[tuple[SimulatedWorker, str]]:
    plan = []
    for worker in workers:
        for _ in range(worker.free):
            names = [name for name in worker.consumed_queues() if lengths[name] > 0]
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
