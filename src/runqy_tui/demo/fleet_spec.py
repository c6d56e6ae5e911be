"""The demo's queues and runqy workers, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

ODD_QUEUE = "odd name {x}\x07"
"""A queue name with a space, braces and a control character: names are untrusted text."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A runqy queue.

    Attributes:
        kind: of payloads, results and errors (see ``sample_data``).
        rate: tasks per second.
        seconds: of work per task, minimum and maximum.
        backlog: pending tasks below which producers speed up, and above which they slow down.
        failing_share: share of the tasks that fail every time; as many again fail once.
        no_retry_share: share of the tasks that are enqueued without retries.
        store: runqy's ``redis_storage``; without it a finished task leaves its reverse index only.
        keep: how many completed and archived tasks are kept.
    """

    name: str
    kind: str
    rate: float
    seconds: tuple[float, float]
    backlog: tuple[int, int] = (0, 20)
    failing_share: float = 0.01
    no_retry_share: float = 0.2
    store: bool = True
    keep: tuple[int, int] = (60, 40)

    @property
    def parent(self) -> str:
        """The name before the dot: a worker supervises one Python process for each parent."""
        return self.name.partition(".")[0]


QUEUES: tuple[QueueSpec, ...] = (
    QueueSpec("inference.high", "prompt", 0.7, (0.6, 1.8), keep=(120, 30)),
    QueueSpec("inference.default", "prompt", 1.6, (1.0, 3.0), (0, 12), 0.02, keep=(150, 60)),
    QueueSpec("inference.low", "image", 1.5, (1.5, 4.5), (12, 40), 0.02, keep=(120, 40)),
    QueueSpec("embed.default", "embedding", 1.2, (0.3, 0.9), failing_share=0.002),
    QueueSpec("vision.default", "image", 0.12, (2.0, 5.0)),
    QueueSpec("crashy.default", "cuda", 0.15, (4.0, 10.0)),
    QueueSpec("flaky.default", "webhook", 0.4, (0.5, 1.5), failing_share=0.08),
    QueueSpec(
        "nostore.default",
        "event",
        0.3,
        (0.2, 0.8),
        failing_share=0.03,
        no_retry_share=0.6,
        store=False,
    ),
    QueueSpec("batch.default", "document", 1.4, (5.0, 11.0), (200, 450), keep=(40, 20)),
    QueueSpec("reports.default", "report", 0.01, (3.0, 6.0), keep=(20, 10)),
    QueueSpec(
        ODD_QUEUE, "hostile", 0.02, (0.5, 1.0), failing_share=0.1, no_retry_share=1.0, keep=(20, 20)
    ),
)

QUEUES_BY_NAME: Mapping[str, QueueSpec] = {spec.name: spec for spec in QUEUES}

ABANDONED_QUEUE = "legacy.import"
"""A queue that no worker serves."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A runqy worker process.

    Attributes:
        queues: priority by queue name.
        present: whether it runs when the demo starts.
        age: seconds since it started.
        quiet: whether its Python processes log nothing.
    """

    id: str
    concurrency: int
    queues: Mapping[str, int]
    gpu: str | None = None
    gpus: int = 0
    memory_gib: int = 64
    gpu_memory_mb: int = 81_920
    present: bool = True
    age: float = 86_400.0
    quiet: bool = False

    @property
    def parents(self) -> tuple[str, ...]:
        """Parent queues, each with a supervised Python process: the keys of ``recovery``."""
        return tuple(sorted({name.partition(".")[0] for name in self.queues}))


_INFERENCE = {"inference.high": 10, "inference.default": 5, "inference.low": 1}
_A100 = "NVIDIA A100-SXM4-80GB"
_L40S = "NVIDIA L40S"

BUSY = "gpu-1:4312"
MIXED = "gpu-2:2871"
RECOVERING = "gpu-2:5120"
KILLED = "gpu-3:1177"
JOINING = "gpu-3:6021"
CRASHING = "gpu-4:3390"
WORKHORSE = "cpu-1:912"
STOPPING = "cpu-1:877"
IDLE = "cpu-1:955"
LONG_LOST = "gpu-1:2203"

WORKERS: tuple[WorkerSpec, ...] = (
    WorkerSpec(BUSY, 4, _INFERENCE, _A100, 2, 512, age=312_000),
    WorkerSpec(
        MIXED, 4, {"embed.default": 4, "inference.default": 5, "inference.low": 1}, _A100, 1, 256
    ),
    WorkerSpec(RECOVERING, 2, {"vision.default": 1}, _L40S, 1, 256, 46_068, age=5400),
    WorkerSpec(KILLED, 2, {"embed.default": 1, "inference.low": 3}, _L40S, 1, 128, 46_068),
    WorkerSpec(JOINING, 4, _INFERENCE, _L40S, 2, 128, 46_068, present=False),
    WorkerSpec(CRASHING, 3, {"crashy.default": 2, "flaky.default": 3}, _L40S, 1, 128, 46_068),
    WorkerSpec(
        WORKHORSE, 6, {"batch.default": 1, "flaky.default": 3, "nostore.default": 1}, age=640_000
    ),
    WorkerSpec(STOPPING, 2, {"batch.default": 1}, age=40_000),
    WorkerSpec(IDLE, 2, {ODD_QUEUE: 1, "reports.default": 1}, age=640_000, quiet=True),
)


@dataclass(frozen=True)
class FleetSpec:
    """The queues and workers of one simulation."""

    queues: tuple[QueueSpec, ...]
    workers: tuple[WorkerSpec, ...]

    @cached_property
    def by_name(self) -> Mapping[str, QueueSpec]:
        """Queues by name."""
        return {spec.name: spec for spec in self.queues}


STORY_FLEET = FleetSpec(QUEUES, WORKERS)

_HEALTHY_FAILING_SHARE = 0.01
_HEALTHY_BATCH_RATE = 0.5
"""Tasks per second, fewer than the workers can finish: there is no backlog."""


def _healthy_queue(spec: QueueSpec) -> QueueSpec:
    spec = replace(spec, failing_share=min(spec.failing_share, _HEALTHY_FAILING_SHARE))
    return (
        replace(spec, rate=_HEALTHY_BATCH_RATE, backlog=(0, 20))
        if spec.name == "batch.default"
        else spec
    )


def _healthy_worker(spec: WorkerSpec) -> WorkerSpec:
    served = {name: rank for name, rank in spec.queues.items() if name != ODD_QUEUE}
    return replace(spec, queues=served, present=True)


HEALTHY_FLEET = FleetSpec(
    tuple(_healthy_queue(spec) for spec in QUEUES if spec.name != ODD_QUEUE),
    tuple(_healthy_worker(spec) for spec in WORKERS),
)
"""All workers run and keep up, at most 1 % of the tasks fail, and no name is unusual."""
