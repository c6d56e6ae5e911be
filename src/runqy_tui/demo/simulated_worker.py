"""One simulated ``runqy-worker``: starts tasks, finishes them, crashes, recovers and stops."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from zlib import crc32

from runqy_tui.demo import heartbeats, task_writer
from runqy_tui.demo.fleet_spec import QueueSpec, WorkerSpec
from runqy_tui.demo.heartbeats import (
    Heartbeat,
    LogText,
    RecoveryEntry,
    finished_line,
    flood_lines,
    machine_metrics,
    started_line,
)
from runqy_tui.demo.sample_data import error_text, result
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message

BEAT_EVERY = 5.0
RENEW_EVERY = 60.0
BOOTSTRAP = 12.0
CRASHED_TASK = 0.5
NEVER = float("inf")


class Phase(Enum):
    """What the process is doing."""

    ABSENT = auto()
    BOOTSTRAPPING = auto()
    RUNNING = auto()


@dataclass(slots=True)
class Job:
    """A task in a slot. ``error``: of this attempt; ``None`` if it will succeed."""

    message: Message
    msg: bytes
    retried: int
    started: float
    ends: float
    error: str | None
    renew: float


class SimulatedWorker:
    """A worker process; every method queues its writes in the world's batch."""

    def __init__(self, world: World, spec: WorkerSpec) -> None:
        self.world = world
        self.spec = spec
        self.phase = Phase.RUNNING if spec.present else Phase.ABSENT
        self.started_at = world.wall - spec.age
        self.jobs: dict[str, Job] = {}
        self.recovery = {parent: RecoveryEntry() for parent in spec.parents}
        self.lines: list[str] = []
        self.seq = 0
        # All write a heartbeat in the first step, and then each at its own times.
        self._beat = world.t - world.rng.uniform(0.0, BEAT_EVERY)
        self._ready = 0.0
        self._ran = spec.present

    @property
    def alive(self) -> bool:
        """Whether it runs tasks, forwards retries and renews leases."""
        return self.phase is Phase.RUNNING

    @property
    def free(self) -> int:
        """Slots without a task."""
        return self.spec.concurrency - len(self.jobs) if self.alive else 0

    def consumed_queues(self) -> list[str]:
        """Queues that it reads now: not those whose process is being restarted."""
        return [
            name
            for name in self.spec.queues
            if self.recovery[self.world.fleet.by_name[name].parent].state != "recovering"
        ]

    def start_task(self, message: Message, msg: bytes, retried: int) -> None:
        """Start a task that was popped from pending."""
        world, spec = self.world, self.world.fleet.by_name[message.queue]
        broken = self.recovery[spec.parent].state == "degraded"
        error = _crash_error() if broken else _planned_error(world, spec, message.id, retried)
        if not broken:
            seconds = world.rng.uniform(*spec.seconds)
        else:
            # In a degraded process one task never ends, the others fail at once.
            seconds = CRASHED_TASK if self._jobs_of_first_parent() else NEVER
        task_writer.start(
            world.pipe, message.queue, message.id, world.wall, world.scaled(task_writer.LEASE)
        )
        ends, renew = world.t + seconds, world.t + RENEW_EVERY
        self.jobs[message.id] = Job(message, msg, retried, world.t, ends, error, renew)
        self.log_line(started_line(world.rng, message.queue, message.id))

    def step(self) -> None:
        """Finish tasks, renew leases and write the heartbeat, as due."""
        if self.phase is Phase.ABSENT:
            return
        world = self.world
        if self.phase is Phase.BOOTSTRAPPING and world.t >= self._ready:
            self.phase = Phase.RUNNING
            self.started_at = world.wall  # rewritten when bootstrap ends
        for job in [job for job in self.jobs.values() if job.ends <= world.t]:
            self._finish(job)
        for job in self.jobs.values():
            if job.renew <= world.t:
                job.renew = world.t + RENEW_EVERY
                message, lease = job.message, world.scaled(task_writer.LEASE)
                task_writer.renew(world.pipe, message.queue, [message.id], world.wall, lease)
        if self._beat <= world.t:
            self._beat += BEAT_EVERY
            self.write_heartbeat()

    def _finish(self, job: Job) -> None:
        world, message = self.world, job.message
        del self.jobs[message.id]
        self.log_line(finished_line(message.queue, message.id, world.t - job.started, job.error))
        spec = world.fleet.by_name[message.queue]
        if not spec.store:
            world.leftovers.append(message.id)
        if job.error is None:
            done = result(world.rng, spec.kind)
            task_writer.complete(
                world.pipe, message, world.wall, done, msg=job.msg, store=spec.store
            )
        elif job.retried < message.retry:
            retried = job.retried + 1
            at = world.after(task_writer.retry_delay(retried))
            task_writer.retry(world.pipe, message, retried, world.wall, at)
        else:
            task_writer.archive(world.pipe, message, job.error, world.wall, store=spec.store)

    def log_line(self, line: str) -> None:
        """Log a line of the Python process; it is written with the next heartbeat."""
        if not self.spec.quiet:
            self.lines.append(line.partition("\n")[0])

    def flood_log(self) -> None:
        """Log more lines between two heartbeats than the list keeps."""
        self.lines += flood_lines(self.world.rng, 640)

    def write_heartbeat(self) -> None:
        """Write the heartbeat and the log lines since the last one."""
        world, spec = self.world, self.spec
        booting = self.phase is Phase.BOOTSTRAPPING
        load = len(self.jobs) / spec.concurrency
        beat = Heartbeat(
            worker_id=spec.id,
            started_at=self.started_at,
            concurrency=spec.concurrency,
            queues=dict.fromkeys(spec.parents, 0) if booting else spec.queues,
            status="bootstrapping" if booting else "running",
            healthy=all(entry.state == "idle" for entry in self.recovery.values()),
            metrics=machine_metrics(world.rng, spec, load, world.wall),
            recovery={} if booting else self.recovery,
        )
        ttl = world.scaled(heartbeats.BEAT_TTL)
        heartbeats.write_heartbeat(world.pipe, beat, world.wall, ttl)
        if self.lines:
            self.seq += len(self.lines)
            kept = self.lines[-heartbeats.LOG_LINES :]
            first = self.seq - len(kept) + 1
            texts = [LogText(world.wall, first + offset, line) for offset, line in enumerate(kept)]
            heartbeats.append_log(world.pipe, spec.id, texts, ttl)
            self.lines.clear()

    def join(self) -> None:
        """Start the process: bootstrapping, then running."""
        if self.phase is not Phase.ABSENT:
            return
        if self._ran:
            host = self.spec.id.partition(":")[0]
            self.spec = replace(self.spec, id=f"{host}:{self.world.rng.randint(1000, 9999)}")
        self._ran = True
        self.phase = Phase.BOOTSTRAPPING
        self.started_at = self.world.wall
        self._ready = self.world.t + BOOTSTRAP
        self._beat = self.world.t
        self.seq = 0
        self.log_line(f"INFO installing {len(self.spec.parents)} deployments")

    def kill(self) -> None:
        """SIGKILL: nothing more is written; its tasks remain until their leases expire."""
        self.phase = Phase.ABSENT
        self.jobs.clear()
        self.lines.clear()

    def stop(self) -> None:
        """Stop cleanly: requeue the tasks and leave the index."""
        if self.phase is Phase.ABSENT:
            return
        for job in self.jobs.values():
            task_writer.requeue(self.world.pipe, job.message.queue, job.message.id)
        self.kill()
        heartbeats.write_stop(self.world.pipe, self.spec.id)

    def crash(self) -> None:
        """The Python process of the first parent crashes; its tasks keep their slots."""
        for job in self._jobs_of_first_parent():
            job.ends, job.error = NEVER, _crash_error()
        self._set_recovery("recovering", fails=1, restarts=0)
        self.log_line("CUDA error: an illegal memory access was encountered")

    def fail(self) -> None:
        """One more restart fails."""
        self._set_recovery("recovering", fails=1, restarts=1)
        self.log_line("RuntimeError: CUDA driver initialization failed, restarting in 8s")

    def degrade(self) -> None:
        """The circuit breaker opens. One task keeps its slot for ever, the others fail."""
        self._set_recovery("degraded", fails=1, restarts=1)
        for job in self._jobs_of_first_parent()[1:]:
            job.ends = self.world.t

    def recover(self) -> None:
        """A restart succeeds; the tasks in its slots fail and are retried."""
        entry = self.recovery[self._parent]
        self.recovery[self._parent] = RecoveryEntry("idle", 0, entry.total_restarts + 1)
        for job in self._jobs_of_first_parent():
            job.ends = self.world.t
        self.log_line("INFO model loaded, ready")

    @property
    def _parent(self) -> str:
        return self.spec.parents[0]

    def _jobs_of_first_parent(self) -> list[Job]:
        return [
            job
            for job in self.jobs.values()
            if self.world.fleet.by_name[job.message.queue].parent == self._parent
        ]

    def _set_recovery(self, state: str, *, fails: int, restarts: int) -> None:
        entry = self.recovery[self._parent]
        self.recovery[self._parent] = RecoveryEntry(
            state, entry.consecutive_fails + fails, entry.total_restarts + restarts
        )


def _crash_error() -> str:
    return "process crashed: CUDA error: an illegal memory access was encountered"


def _planned_error(world: World, spec: QueueSpec, task_id: str, retried: int) -> str | None:
    """The error of an attempt, ``None`` if it succeeds.

    Whether it fails depends on the id alone, so that a task can fail at every attempt.
    """
    draw = crc32(task_id.encode()) % 1000 / 1000
    if draw < spec.failing_share or (draw < 2 * spec.failing_share and retried == 0):
        return error_text(world.rng, spec.kind, spec.parent)
    return None
