"""How large the fleets of the benchmarks are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. ``deep``: all tasks wait in the first queue, instead of everywhere.

    ``waited_s``: for how long the pending ones have.
    """

    name: str
    queues: int
    workers: int
    tasks: int
    deep: bool = False
    waited_s: int = 60

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.queues:,} queues, {self.workers:,} workers, {self.tasks:,} tasks"

    def queue(self, number: int) -> str:
        """Name of one queue."""
        return f"queue{number:04d}.default"

    @property
    def queue_names(self) -> list[str]:
        """Names of all queues."""
        return [self.queue(number) for number in range(self.queues)]

    @property
    def worker_ids(self) -> list[str]:
        """Ids of all workers."""
        return [f"gpu-{number}:{1000 + number}" for number in range(self.workers)]


SMALL = Size("S", 10, 20, 10_000)
MIDDLE = Size("M", 100, 500, 1_000_000)
LARGE = Size("L", 1_000, 5_000, 3_000_000)
