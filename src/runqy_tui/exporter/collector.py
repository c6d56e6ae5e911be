"""Collector for prometheus-client: metrics of the last poll, within a bound on series."""

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

from runqy_tui.exporter.metric_families import FAMILIES, MetricFamily, MetricPoint, exporter_values
from runqy_tui.exporter.scrape_state import ScrapeFrame, ScrapeHistogram, ScrapeState

MAX_SERIES = 10_000
_OWN = 6
"""Series about the exporter itself, which are never dropped."""

_Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily
_FAMILY_TYPES: dict[str, type[_Family]] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
    "histogram": HistogramMetricFamily,
}


class RunqyCollector(Collector):
    """Builds metrics from the current :class:`ScrapeState` at each scrape.

    Args:
        status: returns the current state; called once per scrape, in the scrape's thread.
        max_series: beyond it, objects of the least important metrics are dropped, the last names
            first and whole histograms at a time. ``runqy_exporter_dropped_series`` counts them.
        warn: receives one line when series are dropped for the first time.
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
        """Yield all metric families of the last poll."""
        status = self._status()
        for name, kind, help_text, value in exporter_values(status, monotonic()):
            own = _FAMILY_TYPES[kind](name, help_text)
            own.add_metric((), value)  # type: ignore[arg-type, call-arg]
            yield own
        dropped = 0
        if status.frame is not None:
            metrics, dropped = build(status.frame, self._max_series - _OWN)
            yield from metrics
        if dropped and not self._warned:
            self._warned = True
            self._warn(
                f"{dropped} series dropped: there are more than {self._max_series}. "
                "Raise --max-series to export them."
            )
        yield GaugeMetricFamily(
            "runqy_exporter_dropped_series",
            "Series dropped because there are more than --max-series.",
            value=dropped,
        )


def build(frame: ScrapeFrame, budget: int) -> tuple[list[Metric], int]:
    """Build the metrics of one poll. Returns at most ``budget`` series and the number dropped."""
    metrics: list[Metric] = []
    dropped = 0
    for family in FAMILIES:
        metric = _FAMILY_TYPES[family.kind](family.name, family.help, labels=family.labels)
        seen: set[tuple[str, ...]] = set()
        for point in family.points(frame):
            cost = _series_count(point)
            if point[0] in seen:
                continue  # Prometheus rejects the whole scrape if labels repeat
            if cost > budget:
                dropped += cost
                continue
            seen.add(point[0])
            budget -= cost
            _add_point(metric, family, point)
        if seen:
            metrics.append(metric)
    return metrics, dropped


def _series_count(point: MetricPoint) -> int:
    value = point[1]
    return len(value.buckets) + 3 if isinstance(value, ScrapeHistogram) else 1


def _add_point(metric: _Family, family: MetricFamily, point: MetricPoint) -> None:
    labels, value = point
    if isinstance(metric, HistogramMetricFamily):
        assert isinstance(value, ScrapeHistogram), family.name  # noqa: S101
        bounds = [(f"{bound:g}", float(count)) for bound, count in value.buckets]
        metric.add_metric(labels, [*bounds, ("+Inf", float(value.count))], value.total_s)
    elif not isinstance(value, ScrapeHistogram):
        metric.add_metric(labels, value)
