"""A Grafana dashboard over the metrics of ``runqy-tui metrics``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_Q = '{queue=~"$queue"}'
_WIDE, _HALF, _HIGH = 24, 12, 8

_QUANTILE = (
    "histogram_quantile(%s, sum by (queue, le) "
    f"(rate(runqy_task_duration_seconds_bucket{_Q}[$__rate_interval])))"
)

# Title, unit, and the queries with their legends.
_PANELS: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = (
    ("Findings", "short", (("runqy_findings", "{{detector}} ({{severity}})"),)),
    ("Worker health (1 = healthy)", "short", (("runqy_worker_healthy", "{{worker}}"),)),
    ("Last heartbeat", "s", (("runqy_worker_last_beat_age_seconds", "{{worker}}"),)),
    ("Pending tasks", "short", ((f"runqy_queue_pending_tasks{_Q}", "{{queue}}"),)),
    (
        "Oldest pending task",
        "s",
        ((f"runqy_queue_oldest_pending_age_seconds{_Q}", "{{queue}}"),),
    ),
    (
        "Tasks processed",
        "ops",
        ((f"rate(runqy_tasks_processed_total{_Q}[$__rate_interval])", "{{queue}}"),),
    ),
    (
        "Tasks failed",
        "ops",
        ((f"rate(runqy_tasks_failed_total{_Q}[$__rate_interval])", "{{queue}}"),),
    ),
    (
        "Task duration, observed",
        "s",
        (
            (_QUANTILE % 0.5, "{{queue}} p50"),
            (_QUANTILE % 0.95, "{{queue}} p95"),
        ),
    ),
    ("Tasks by state", "short", ((f"runqy_queue_tasks{_Q}", "{{queue}} {{state}}"),)),
    ("Consumers", "short", ((f"runqy_queue_consumers{_Q}", "{{queue}}"),)),
    (
        "Exporter",
        "short",
        (
            ("runqy_up", "up"),
            ("rate(runqy_exporter_errors_total[$__rate_interval])", "errors/s"),
            ("runqy_exporter_poll_seconds", "seconds per poll"),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it (schema 39, Grafana 11 and newer)."""
    return {
        "title": "runqy",
        "uid": "runqy-tui",
        "tags": ["runqy"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source_variable(), _queue_variable()]},
        "panels": [_panel(index) for index in range(len(_PANELS))],
    }


def _source_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }


def _queue_variable() -> dict[str, Any]:
    query = "label_values(runqy_queue_pending_tasks, queue)"
    return {
        "name": "queue",
        "label": "Queue",
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "queues"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(index: int) -> dict[str, Any]:
    title, unit, queries = _PANELS[index]
    return {
        "id": index + 1,
        "title": title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": _place(index),
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for number, (expression, legend) in enumerate(queries)
        ],
    }


def _place(index: int) -> dict[str, int]:
    """The first panel over the full width, the others in two columns."""
    if index == 0:
        return {"x": 0, "y": 0, "w": _WIDE, "h": _HIGH}
    row, column = divmod(index - 1, 2)
    return {"x": column * _HALF, "y": (row + 1) * _HIGH, "w": _HALF, "h": _HIGH}
