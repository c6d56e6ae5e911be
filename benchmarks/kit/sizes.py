"""Sizes of the benchmarks' fleets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Number of queues, workers and tasks.

    Attributes:
        deep: all tasks are in the first queue, instead of spread over all queues.
        waited_s: age of the pending tasks in seconds.
    """

    name: str
    queues: int
    workers: int
    tasks: int
    deep: bool = False
    waited_s: int = 60

    @property
    def description(self) -> str:
        """The size as text."""
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
