"""Gives prometheus-client the last poll, at most so many series of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from runqy_tui.exporter.metric_families import FAMILIES, MetricFamily, Point, own_values
from runqy_tui.exporter.scrape_state import ScrapeFrame, ScrapeHistogram, ScrapeState

MAX_SERIES = 10_000
_OWN = 6
"""Series about the exporter itself, which are never left out."""

_Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily
_MAKERS: dict[str, type[_Family]] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
    "histogram": HistogramMetricFamily,
}


class RunqyCollector(Collector):
    """Makes metrics of a :class:`ScrapeState` when it is asked for them.

    Args:
        status: gives the present one; called once per scrape, in the scrape's own thread.
        max_series: beyond it the least important metrics lose their last objects by name, whole
            histograms at a time. ``runqy_exporter_dropped_series`` says how many.
        warn: takes one line when series are left out for the first time.
    """

    def __init__(
        self,
        status: Callable[[], ScrapeState],
        max_series: int = MAX_SERIES,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._status = status
        self._max_series = max_series
        self._warn = warn
        self._warned = False

    def collect(self) -> Iterator[Metric]:
        """All metric families of the last poll."""
        status = self._status()
        for name, kind, told, value in own_values(status, monotonic()):
            own = _MAKERS[kind](name, told)
            own.add_metric((), value)  # type: ignore[arg-type, call-arg]
            yield own
        dropped = 0
        if status.frame is not None:
            metrics, dropped = build(status.frame, self._max_series - _OWN)
            yield from metrics
        if dropped and not self._warned:
            self._warned = True
            self._warn(
                f"{dropped} series are left out: there are more than {self._max_series}. "
                "Raise --max-series to have them."
            )
        yield GaugeMetricFamily(
            "runqy_exporter_dropped_series",
            "Series left out because there are more than --max-series.",
            value=dropped,
        )


def build(frame: ScrapeFrame, budget: int) -> tuple[list[Metric], int]:
    """Metrics of one poll within a number of series, and how many series were left out."""
    metrics: list[Metric] = []
    dropped = 0
    for family in FAMILIES:
        made = _MAKERS[family.kind](family.name, family.help, labels=family.labels)
        seen: set[tuple[str, ...]] = set()
        for point in family.points(frame):
            cost = _series(point)
            if point[0] in seen:
                continue  # the same labels twice would make Prometheus refuse the whole scrape
            if cost > budget:
                dropped += cost
                continue
            seen.add(point[0])
            budget -= cost
            _add(made, family, point)
        if seen:
            metrics.append(made)
    return metrics, dropped


def _series(point: Point) -> int:
    value = point[1]
    return len(value.buckets) + 3 if isinstance(value, ScrapeHistogram) else 1


def _add(made: _Family, family: MetricFamily, point: Point) -> None:
    labels, value = point
    if isinstance(made, HistogramMetricFamily):
        assert isinstance(value, ScrapeHistogram), family.name  # noqa: S101
        bounds = [(f"{bound:g}", float(count)) for bound, count in value.buckets]
        made.add_metric(labels, [*bounds, ("+Inf", float(value.count))], value.total_s)
    elif not isinstance(value, ScrapeHistogram):
        made.add_metric(labels, value)
