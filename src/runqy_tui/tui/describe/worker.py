"""A worker in words."""

from __future__ import annotations

from textual.content import Content

from runqy_tui.diagnosis.assessment import Trouble
from runqy_tui.model import Gpu, Metrics, Recovery, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.text import humanize
from runqy_tui.text.humanize import amount, moment, size, span
from runqy_tui.tui import text
from runqy_tui.tui.resources.workers import memory_percent
from runqy_tui.tui.widgets.bars import meter
from runqy_tui.tui.widgets.facts import Fact

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "bold $warning"}
_RECOVERY_STYLES = {"degraded": "$error", "recovering": "$warning"}


def sentence(worker: Worker, trouble: Trouble) -> tuple[str, str]:
    """One sentence that says how the worker is, and its style."""
    style = _STYLES.get(trouble.severity, "bold")
    if worker.state is WorkerState.DEGRADED:
        beats = "still beating" if worker.last_beat_age_s is not None else "alive"
        return f"degraded, {beats}: {trouble.reason}", style
    if trouble.reason:
        return f"{worker.state.value}: {trouble.reason}", style
    beat = worker.last_beat_age_s
    return f"{worker.state.value}" + (
        "" if beat is None else f", last beat {span(beat)} ago"
    ), style


def facts(worker: Worker, now: float) -> list[Fact]:
    """What the worker says of itself."""
    started, beat = worker.started_at, worker.last_beat_at
    rows = [
        Fact("id", worker.id, "bold", wide=True),
        Fact("state", worker.state.value),
        Fact("status", worker.status or humanize.UNKNOWN),
        Fact("healthy", _yes_no(worker.healthy)),
        Fact("dialect", worker.dialect.value),
        Fact("slots", _count(worker.concurrency)),
        Fact("active", _count(worker.active_count)),
        Fact("started", _ago(started, now), wide=True),
        Fact("last beat", _ago(beat, now), wide=True),
    ]
    if worker.instance_id is not None:
        rows.append(Fact("instance", worker.instance_id))
    if worker.protected is not None:
        rows.append(Fact("protected", _yes_no(worker.protected)))
    for name, entry in worker.recovery.items():
        style = _RECOVERY_STYLES.get(entry.state, "")
        rows.append(Fact("recovery", f"{name}: {recovery_text(entry)}", style, wide=True))
    rows += [Fact("problem", problem, "$warning", wide=True) for problem in worker.problems]
    return rows


def recovery_text(entry: Recovery) -> str:
    """``degraded, 3 fails in a row, 2 restarts``, and what to do about it."""
    words = [entry.state]
    if entry.consecutive_fails is not None:
        words.append(amount(entry.consecutive_fails, "fail") + " in a row")
    if entry.total_restarts is not None:
        words.append(amount(entry.total_restarts, "restart"))
    todo = " (breaker open: restart this worker by hand)" if entry.state == "degraded" else ""
    return ", ".join(words) + todo


def meters(worker: Worker, width: int = 30, *, fine: bool = True) -> Content:
    """CPU, memory and each GPU as bars; of whole cells, which seldom change, if not ``fine``."""
    metrics = worker.metrics
    if metrics is None:
        return Content.styled("This worker reports no metrics.", "$muted")
    lines = [
        meter("cpu", metrics.cpu_percent, "", width, fine=fine),
        meter("memory", memory_percent(worker), _memory(metrics), width, fine=fine),
        *(_gpu_meter(gpu, width, fine) for gpu in metrics.gpus),
    ]
    if not metrics.gpus:
        lines.append(Content.styled(f"{'gpu':<14}none reported", "$muted"))
    return Content("\n").join(lines)


def _memory(metrics: Metrics) -> str:
    return f"{size(metrics.memory_used_bytes)} of {size(metrics.memory_total_bytes)}"


def _gpu_meter(gpu: Gpu, width: int, fine: bool) -> Content:
    detail = []
    if gpu.memory_used_mb is not None and gpu.memory_total_mb:
        detail.append(f"{gpu.memory_used_mb:,.0f} of {gpu.memory_total_mb:,.0f} MiB")
    if gpu.temperature_c is not None:
        detail.append(f"{gpu.temperature_c:.0f} °C")
    name = "gpu" if gpu.index is None else f"gpu {gpu.index}"
    if gpu.name:
        detail.append(text.line(gpu.name)[:40])
    return meter(name, gpu.utilization_percent, "  ".join(detail), width, fine=fine)


def _yes_no(value: bool | None) -> str:
    return humanize.UNKNOWN if value is None else "yes" if value else "no"


def _count(value: int | None) -> str:
    return humanize.UNKNOWN if value is None else f"{value:,}"


def _ago(at: float | None, now: float) -> str:
    if at is None:
        return humanize.UNKNOWN
    past = now - at
    return f"{moment(at)}, " + (f"{span(past)} ago" if past >= 0 else f"{span(-past)} ahead")
