"""From a poll to the exposition: values, what is absent, and the bound on series."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from runqy_tui.exporter.collector import RunqyCollector
from runqy_tui.exporter.scrape_state import (
    QueueTotals,
    ScrapeFrame,
    ScrapeHistogram,
    ScrapeState,
    count_findings,
)
from runqy_tui.model import Counts, Dialect, Queue, QueueKey, Worker, WorkerState
from runqy_tui.model.severity import Severity
from tests.support.builders import queue, snapshot, worker
from tests.unit.alerts.alert_polls import finding

A, B = QueueKey("a"), QueueKey("b")


def frame(
    queues: tuple[Queue, ...] = (),
    workers: tuple[Worker, ...] = (),
    totals: dict[QueueKey, QueueTotals] | None = None,
    histograms: dict[QueueKey, ScrapeHistogram] | None = None,
    findings: dict[tuple[str, str], int] | None = None,
) -> ScrapeFrame:
    seen = snapshot(queues=queues, workers=workers)
    return ScrapeFrame(seen, monotonic(), totals or {}, histograms or {}, findings or {})


def scrape(status: ScrapeState, max_series: int = 10_000) -> dict[str, float]:
    """Every sample of a scrape, by its name and labels as they are written."""
    registry = CollectorRegistry()
    registry.register(RunqyCollector(lambda: status, max_series))
    text = generate_latest(registry).decode()
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            key = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert key not in samples, key
            samples[key] = sample.value
    return samples


def of(seen: ScrapeFrame) -> dict[str, float]:
    """Samples about queues, workers and findings."""
    samples = scrape(ScrapeState(frame=seen, polls=1))
    own = ("runqy_up", "runqy_exporter")
    return {name: value for name, value in samples.items() if not name.startswith(own)}


def test_before_the_first_poll() -> None:
    assert scrape(ScrapeState()) == {
        "runqy_up": 0,
        "runqy_exporter_polls_total": 0,
        "runqy_exporter_errors_total": 0,
        "runqy_exporter_dropped_series": 0,
    }


def test_about_itself() -> None:
    old = replace(frame(), received_at=monotonic() - 30)
    samples = scrape(ScrapeState(old, polls=9, errors=2, poll_s=0.25, error="gone"))
    assert 30 <= samples.pop("runqy_exporter_snapshot_age_seconds") < 40
    assert samples == {
        "runqy_up": 0,
        "runqy_exporter_polls_total": 9,
        "runqy_exporter_errors_total": 2,
        "runqy_exporter_poll_seconds": 0.25,
        "runqy_exporter_dropped_series": 0,
    }
    assert scrape(ScrapeState(old, polls=9))["runqy_up"] == 1


def test_a_queue() -> None:
    counts = Counts(12, 3, 0, 1, None, 40, 0)
    one = queue("a", counts=counts, oldest_pending_age_s=7.5, consumers=("w:1", "w:2"))
    assert of(frame((one,), totals={A: QueueTotals(100.0, 5.0)})) == {
        "runqy_queue_pending_tasks{queue=a}": 12,
        "runqy_queue_tasks{queue=a,state=active}": 3,
        "runqy_queue_tasks{queue=a,state=scheduled}": 0,
        "runqy_queue_tasks{queue=a,state=retry}": 1,
        "runqy_queue_tasks{queue=a,state=completed}": 40,
        "runqy_queue_tasks{queue=a,state=aggregating}": 0,
        "runqy_queue_oldest_pending_age_seconds{queue=a}": 7.5,
        "runqy_queue_consumers{queue=a}": 2,
        "runqy_tasks_processed_total{queue=a}": 100,
        "runqy_tasks_failed_total{queue=a}": 5,
    }


def test_unknown_is_absent_and_never_zero() -> None:
    samples = of(frame((queue("a", counts=Counts()),), totals={A: QueueTotals()}))
    assert samples == {"runqy_queue_consumers{queue=a}": 0}


def test_workers() -> None:
    fleet = (
        worker("fine", healthy=True),
        worker("sick", WorkerState.DEGRADED, healthy=False),
        worker("lost", WorkerState.LOST, last_beat_age_s=60.0),
        worker("old", WorkerState.LOST, last_beat_age_s=1_801.0),
        worker("mute", dialect=Dialect.ASYNQ, last_beat_age_s=None),
        worker("stopped", WorkerState.STOPPED, healthy=True),
    )
    assert of(frame(workers=fleet)) == {
        "runqy_worker_healthy{worker=fine}": 1,
        "runqy_worker_healthy{worker=lost}": 0,
        "runqy_worker_healthy{worker=sick}": 0,
        "runqy_worker_last_beat_age_seconds{worker=fine}": 2,
        "runqy_worker_last_beat_age_seconds{worker=lost}": 60,
        "runqy_worker_last_beat_age_seconds{worker=sick}": 2,
    }


def test_findings_are_counted_by_detector_and_severity() -> None:
    found = (finding("x"), finding("x", queue="q"), finding("y", Severity.WARNING))
    assert of(frame(findings=count_findings(found))) == {
        "runqy_findings{detector=x,severity=critical}": 2,
        "runqy_findings{detector=y,severity=warning}": 1,
    }


def test_a_histogram() -> None:
    seen = ScrapeHistogram(((0.5, 1), (60.0, 4)), 99.5, 5)
    assert of(frame(histograms={A: seen})) == {
        "runqy_task_duration_seconds_bucket{le=0.5,queue=a}": 1,
        "runqy_task_duration_seconds_bucket{le=60,queue=a}": 4,
        "runqy_task_duration_seconds_bucket{le=+Inf,queue=a}": 5,
        "runqy_task_duration_seconds_sum{queue=a}": 99.5,
        "runqy_task_duration_seconds_count{queue=a}": 5,
    }


def test_hostile_names_and_twins_make_a_valid_exposition() -> None:
    names = ['q"\\\n{x="1"} 7\n# HELP', "\udcff", "a", "a\x00", "a␀"]
    queues = [queue(name) for name in names] + [queue("a", braced=False)]
    pending = [name for name in of(frame(tuple(queues))) if "pending_tasks" in name]
    assert len(pending) == len(queues)


def test_the_same_labels_twice_are_written_once() -> None:
    twins = (queue("a (no braces)"), queue("a", braced=False))
    samples = of(frame(twins))
    assert samples["runqy_queue_pending_tasks{queue=a (no braces)}"] == 0


@pytest.mark.parametrize("bound", [10, 100, 1_000])
def test_the_number_of_series_is_bounded_and_the_important_ones_stay(bound: int) -> None:
    queues = tuple(queue(f"q{number:03}") for number in range(100))
    histogram = {one.key: ScrapeHistogram(((1.0, 1), (2.0, 2)), 3.0, 2) for one in queues}
    seen = frame(queues, (worker("w", healthy=False),), histograms=histogram)
    everything, some = scrape(ScrapeState(seen)), scrape(ScrapeState(seen), bound)
    about_itself = {name for name in everything if "exporter" in name or name == "runqy_up"}
    dropped = some["runqy_exporter_dropped_series"]
    assert len(some) <= bound
    assert len(everything) - len(some) == dropped > 0
    assert about_itself <= set(some)
    assert some["runqy_worker_healthy{worker=w}"] == 0
    assert everything["runqy_exporter_dropped_series"] == 0


def test_what_is_left_out_is_told_once() -> None:
    status = ScrapeState(frame(tuple(queue(f"q{number}") for number in range(20))))
    problems: list[str] = []
    registry = CollectorRegistry()
    registry.register(RunqyCollector(lambda: status, 100, problems.append))
    for _ in range(3):
        generate_latest(registry)
    assert problems == [
        "66 series dropped: there are more than 100. Raise --max-series to export them."
    ]


def test_health_of_the_exporter() -> None:
    good = ScrapeState(frame=replace(frame(), received_at=100.0))
    assert good.health_problem(110.0, 15.0) is None
    assert good.health_problem(116.0, 15.0) == "The last poll completed 16 s ago."
    assert replace(good, error="refused").health_problem(101.0, 15.0) == "refused"
    assert ScrapeState().health_problem(0.0, 15.0) == "No poll has completed yet."
