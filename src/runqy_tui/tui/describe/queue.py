"""A queue in words."""

from __future__ import annotations

from runqy_tui.diagnosis.assessment import Trouble
from runqy_tui.model import Dialect, Queue, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import Rates
from runqy_tui.observation.durations import Observed
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age, count, moment, span
from runqy_tui.tui.resources.queues import rate
from runqy_tui.tui.widgets.facts import Fact

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "bold $warning"}


def sentence(queue: Queue, trouble: Trouble) -> tuple[str, str]:
    """One sentence that says how the queue stands, and its style."""
    style = _STYLES.get(trouble.severity, "bold")
    pending, active = queue.counts.pending, queue.counts.active
    words = [f"{count(pending)} pending, {count(active)} active".replace(humanize.ZERO, "0")]
    if trouble.reason:
        words.insert(0, trouble.reason)
    elif not pending and not active:
        words = ["nothing waits and nothing runs"]
    return "; ".join(words), style


def facts(queue: Queue, rates: Rates, observed: Observed | None = None) -> list[Fact]:
    """Counts, counters and what they mean here, pace and durations."""
    rows = [
        Fact("name", queue.name if queue.key.braced else f"{queue.name} (no braces)", "bold"),
        Fact("dialect", queue.dialect.value if queue.dialect else "unknown: no consumer seen"),
        Fact("parent", queue.parent),
        Fact("sub-queue", queue.sub or humanize.UNKNOWN),
        *(Fact(state.value, count(queue.counts.of(state))) for state in TaskState),
        Fact("consumers", count(len(queue.consumers))),
        Fact("done/s", rate(rates.done_per_s)),
        Fact("failed/s", rate(rates.failed_per_s)),
        Fact("enqueued/s", rate(rates.enqueued_per_s)),
        Fact("drains", _drains(rates)),
        Fact("done today", _succeeded(queue.succeeded_today, queue)),
        Fact("failed today", count(queue.failed_today)),
        Fact("done ever", _succeeded(queue.succeeded_total, queue)),
        Fact("failed ever", count(queue.failed_total)),
        Fact(
            "counter says",
            f"processed {count(queue.processed_total)}: {_meaning(queue)}",
            wide=True,
        ),
        Fact("oldest", _oldest(queue), wide=True),
        Fact("durations", _durations(observed), wide=True),
    ]
    if queue.paused:
        since = "" if queue.paused_at is None else f" since {moment(queue.paused_at)}"
        obey = "" if queue.dialect is Dialect.ASYNQ else "; runqy workers do not look at it"
        rows.append(Fact("paused", f"yes{since}{obey}", "$warning", wide=True))
    elif queue.paused is None:
        rows.append(Fact("paused", humanize.UNKNOWN, wide=True))
    if queue.groups:
        rows.append(Fact("groups", ", ".join(queue.groups), wide=True))
    if not queue.registered:
        rows.append(Fact("note", "not in asynq:queues: found by its keys", "$warning", wide=True))
    return rows


def _drains(trend: Rates) -> str:
    if trend.drains_in_s is not None:
        return f"in about {span(trend.drains_in_s)} at this pace"
    if trend.net_per_s is not None and trend.net_per_s > 0:
        return f"no: it grows by {trend.net_per_s * 60:.1f} a minute"
    return humanize.UNKNOWN


def _durations(observed: Observed | None) -> str:
    """Observed from outside, so never shown as if exact."""
    if observed is None:
        return "none observed yet: a task has to be seen active and then finished"
    p50, p95, p99 = (_seconds(value) for value in (observed.p50_s, observed.p95_s, observed.p99_s))
    return (
        f"p50 ~{p50}, p95 ~{p95}, p99 ~{p99}; observed over {observed.count:,} tasks, "
        f"± {_seconds(observed.plus_minus_s)}"
    )


def _seconds(value: float) -> str:
    return f"{value:.1f}s" if value < 10 else span(value)


def _succeeded(value: int | None, queue: Queue) -> str:
    if value is None and queue.dialect in (None, Dialect.MIXED):
        return f"{humanize.UNKNOWN} (who counts is not known)"
    return count(value)


def _meaning(queue: Queue) -> str:
    if queue.dialect is Dialect.RUNQY:
        return "successes only, as runqy-worker counts"
    if queue.dialect is Dialect.ASYNQ:
        return "every try, failed ones too, as asynq counts"
    if queue.dialect is Dialect.MIXED:
        return "runqy and asynq both count here, and mean different things"
    return "nothing tells who counted"


def _oldest(queue: Queue) -> str:
    if queue.counts.pending == 0:
        return "nothing is pending"
    if queue.oldest_pending_since is None:
        return "unknown"
    about = "about " if queue.oldest_estimated else ""
    seconds = queue.oldest_pending_age_s
    shown = age(seconds) if seconds is None else span(seconds)
    return f"pending for {about}{shown}, since {moment(queue.oldest_pending_since)}"
