"""What a worker reports about its machine, and what its Python process logs."""

from __future__ import annotations

from random import Random

from runqy_tui.demo.cast import WorkerSpec

_GIB = 1 << 30


def machine(rng: Random, spec: WorkerSpec, load: float, now: float) -> dict[str, object]:
    """The ``metrics`` field for a load of 0-1, with its keys in the worker's order."""
    total = spec.memory_gib * _GIB
    metrics: dict[str, object] = {
        "cpu_percent": _near(rng, 6 + 70 * load, 6),
        "memory_used_bytes": int(total * min(0.97, 0.22 + 0.4 * load + rng.uniform(0, 0.02))),
        "memory_total_bytes": total,
    }
    if spec.gpu is not None:  # without a GPU the key is left out
        metrics["gpus"] = [_gpu(rng, spec, index, load) for index in range(spec.gpus)]
    metrics["collected_at"] = int(now)
    return metrics


def _gpu(rng: Random, spec: WorkerSpec, index: int, load: float) -> dict[str, object]:
    busy = min(1.0, load * (1.0 - 0.08 * index))
    used = spec.gpu_memory_mb * (0.31 + 0.58 * busy)  # the model stays loaded
    return {
        "index": index,
        "name": spec.gpu,
        "utilization_percent": _near(rng, 98 * busy, 3 if busy else 0),
        "memory_used_mb": int(used + rng.uniform(0, 300)),
        "memory_total_mb": spec.gpu_memory_mb,
        "temperature_c": int(36 + 40 * busy + rng.uniform(0, 3)),
    }


def _near(rng: Random, value: float, spread: float) -> float:
    """A percentage with some noise."""
    return round(min(100.0, max(0.0, value + rng.uniform(-spread, spread))), 2)


def started_line(rng: Random, queue: str, task_id: str) -> str:
    """A line at the start of a task; some hold ANSI colour and tabs, as real ones do."""
    if rng.random() < 0.3:
        return (
            f"\x1b[32mDEBUG\x1b[0m {queue} step {rng.randint(1, 900)} "
            f"loss={rng.uniform(0.005, 2):.4f} é中🚀\ttab"
        )
    return f"INFO {queue} start task={task_id[:8]} batch={rng.randint(1, 16)}"


def finished_line(queue: str, task_id: str, seconds: float, error: str | None) -> str:
    """A line at the end of a task."""
    if error is None:
        return f"INFO {queue} done task={task_id[:8]} in {seconds * 1000:.0f} ms"
    return f"\x1b[31mERROR\x1b[0m {queue} task={task_id[:8]}: {error}"


def flood_lines(rng: Random, count: int) -> list[str]:
    """Progress lines of a chatty model download."""
    return [
        f"\rmodel-{rng.randint(1, 9):05d}.safetensors: {index * 100 // count:3d}%|"
        f"{'█' * (index * 20 // count):<20}| {rng.uniform(80, 400):.1f}MB/s"
        for index in range(count)
    ]
