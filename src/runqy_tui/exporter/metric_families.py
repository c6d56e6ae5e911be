"""The exported metrics, as declarations: name, help, labels and values.

Label values are safe text, bounded in length, and never equal for two objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from operator import attrgetter
from typing import Literal, NamedTuple

from runqy_tui.alerts.rule_values import is_present, worker_health
from runqy_tui.exporter.scrape_state import ScrapeFrame, ScrapeHistogram, ScrapeState
from runqy_tui.model import Queue, QueueKey, Snapshot, TaskState, Worker
from runqy_tui.text.safe import encode, safe_line

LONGEST = 128
"""Longest label value in characters; a longer one is cut."""


def label(text: str) -> str:
    """Return ``text`` where it is printable and short enough.

    Otherwise control characters become visible pictures, a long text is cut, and a digest of the
    raw bytes follows: two names of equal appearance remain two series, the same at every poll.
    """
    safe = safe_line(text)
    if safe == text and len(text) <= LONGEST:
        return text
    digest = sha256(encode(text)).hexdigest()[:8]
    return f"{safe[:LONGEST]}~{digest}"


def queue_label(queue: QueueKey) -> str:
    """Return the label of a queue; a list without braces is marked, as it is a different queue."""
    return label(queue.name) if queue.braced else f"{label(queue.name)} (no braces)"


MetricPoint = tuple[tuple[str, ...], "float | ScrapeHistogram"]


class MetricFamily(NamedTuple):
    """One metric. ``points`` yields the label values and the value of each series."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...]
    points: Callable[[ScrapeFrame], Iterator[MetricPoint]]


def exporter_values(status: ScrapeState, now: float) -> Iterator[tuple[str, str, str, float]]:
    """Yield name, kind, help and value of each metric about the exporter itself."""
    up = status.error is None and status.frame is not None
    yield "runqy_up", "gauge", "Whether the last poll of Redis succeeded.", float(up)
    yield "runqy_exporter_polls", "counter", "Completed polls of Redis.", float(status.polls)
    yield "runqy_exporter_errors", "counter", "Polls that failed.", float(status.errors)
    if status.poll_s is not None:
        help_text = "Duration of the last poll of Redis, without checks of single tasks."
        yield "runqy_exporter_poll_seconds", "gauge", help_text, status.poll_s
    if status.frame is not None:
        help_text = "Seconds since the poll these values are from; scrapes never wait for Redis."
        age = max(0.0, now - status.frame.received_at)
        yield "runqy_exporter_snapshot_age_seconds", "gauge", help_text, age


def _of_queues(
    value: Callable[[Queue, Snapshot], float | None],
) -> Callable[[ScrapeFrame], Iterator[MetricPoint]]:
    def points(frame: ScrapeFrame) -> Iterator[MetricPoint]:
        for queue in sorted(frame.snapshot.queues, key=_queue_order):
            number = value(queue, frame.snapshot)
            if number is not None:
                yield (queue_label(queue.key),), float(number)

    return points


def _of_workers(
    value: Callable[[Worker, Snapshot], float | None],
) -> Callable[[ScrapeFrame], Iterator[MetricPoint]]:
    def points(frame: ScrapeFrame) -> Iterator[MetricPoint]:
        for worker in sorted(frame.snapshot.workers, key=attrgetter("id")):
            if not is_present(worker, frame.snapshot):
                continue
            number = value(worker, frame.snapshot)
            if number is not None:
                yield (label(worker.id),), float(number)

    return points


def _total(name: str) -> Callable[[ScrapeFrame], Iterator[MetricPoint]]:
    def points(frame: ScrapeFrame) -> Iterator[MetricPoint]:
        for queue in sorted(frame.totals, key=lambda key: (key.name, key.braced)):
            found = getattr(frame.totals[queue], name)
            if found is not None:
                yield (queue_label(queue),), found

    return points


def _states(frame: ScrapeFrame) -> Iterator[MetricPoint]:
    for queue in sorted(frame.snapshot.queues, key=_queue_order):
        for state in TaskState:
            found = queue.counts.of(state)
            if found is not None and state is not TaskState.PENDING:
                yield (queue_label(queue.key), state.value), float(found)


def _durations(frame: ScrapeFrame) -> Iterator[MetricPoint]:
    for queue in sorted(frame.histograms, key=lambda key: (key.name, key.braced)):
        yield (queue_label(queue),), frame.histograms[queue]


def _findings(frame: ScrapeFrame) -> Iterator[MetricPoint]:
    for (detector, severity), number in sorted(frame.findings.items()):
        yield (label(detector), severity), float(number)


def _queue_order(queue: Queue) -> tuple[str, bool]:
    return queue.key.name, queue.key.braced


FAMILIES = (
    MetricFamily(
        "runqy_findings",
        "gauge",
        "Findings, by detector and severity.",
        ("detector", "severity"),
        _findings,
    ),
    MetricFamily(
        "runqy_worker_healthy",
        "gauge",
        "1 = healthy, 0 = unhealthy: degraded, recovering, stale, or lost less than 30 min ago. "
        "Absent for workers that do not report their health (asynq servers) and for stopped ones.",
        ("worker",),
        _of_workers(lambda worker, _: worker_health(worker)),
    ),
    MetricFamily(
        "runqy_queue_pending_tasks", "gauge", "Pending tasks.", ("queue",),
        _of_queues(lambda queue, _: queue.counts.pending),
    ),
    MetricFamily(
        "runqy_tasks_processed",
        "counter",
        "Tasks processed successfully, as runqy counts them; for queues of asynq servers all "
        "attempts minus the failed ones. Absent where the counter semantics are unknown.",
        ("queue",),
        _total("processed"),
    ),
    MetricFamily(
        "runqy_tasks_failed",
        "counter",
        "Failed tasks as the queue's worker counts them: runqy only those that failed "
        "permanently, asynq every failed attempt.",
        ("queue",),
        _total("failed"),
    ),
    MetricFamily(
        "runqy_queue_consumers", "gauge",
        "Workers with a current heartbeat that list the queue, including degraded ones.",
        ("queue",),
        _of_queues(lambda queue, _: len(queue.consumers)),
    ),
    MetricFamily(
        "runqy_queue_oldest_pending_age_seconds",
        "gauge",
        "Age of the oldest pending task. Absent where none is pending or its age is unknown.",
        ("queue",),
        _of_queues(lambda queue, snapshot: snapshot.oldest_pending_age_s(queue)),
    ),
    MetricFamily(
        "runqy_worker_last_beat_age_seconds",
        "gauge",
        "Seconds between the worker's last heartbeat and the poll, by Redis's clock.",
        ("worker",),
        _of_workers(lambda worker, snapshot: snapshot.last_beat_age_s(worker)),
    ),
    MetricFamily(
        "runqy_queue_tasks",
        "gauge",
        "Tasks in the states other than pending.",
        ("queue", "state"),
        _states,
    ),
    MetricFamily(
        "runqy_task_duration_seconds",
        "histogram",
        "Durations of tasks observed active and then finished by polling: accurate to the poll "
        "interval; shorter tasks are missed.",
        ("queue",),
        _durations,
    ),
)  # fmt: skip
"""All metrics of queues and workers, the most important first: the last are dropped first."""
