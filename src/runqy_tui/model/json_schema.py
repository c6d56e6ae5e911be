r"""The public JSON of ``snapshot --json`` and ``task --json``: schema version 1.

Times are unix seconds as floats, ages are seconds, what is unknown is null. Text that was no
UTF-8 keeps its bytes as lone surrogates (``\udc80``…), which :func:`json.dumps` escapes.
"""

from __future__ import annotations

import base64
import codecs
import math
from dataclasses import asdict, replace
from typing import Any

from runqy_tui.model import (
    HEARTBEAT_FIELDS,
    Blob,
    JsonObject,
    Metrics,
    Queue,
    RedisInfo,
    Snapshot,
    Task,
    Worker,
)

SCHEMA = 1
_DECLARED = tuple((one.attribute, one.kind) for one in HEARTBEAT_FIELDS if one.in_json)


def snapshot_object(snapshot: Snapshot) -> JsonObject:
    """JSON object of one overview."""
    return {
        "schema": SCHEMA,
        "taken_at": float(snapshot.taken_at),
        "redis": _redis(snapshot.redis),
        "queues": [queue_object(one, snapshot.read_at(one)) for one in snapshot.queues],
        "workers": [worker_object(one, snapshot.read_at(one)) for one in snapshot.workers],
        "warnings": list(snapshot.warnings),
    }


def _redis(info: RedisInfo) -> JsonObject:
    return {
        "address": info.address,
        "mode": info.mode,
        "version": info.version,
        "round_trips": info.round_trips,
        "elapsed_ms": round(info.elapsed_ms, 3),
        "primary": info.where.primary,
        "nodes": [asdict(node) for node in info.where.nodes],
        "tls_unverified": info.unverified,
    }


def queue_object(queue: Queue, at: float) -> JsonObject:
    """JSON object of one queue; its age is as of ``at`` (Redis's clock)."""
    return {
        "name": queue.name,
        "parent": queue.parent,
        "dialect": queue.dialect,
        "paused": queue.paused,
        "counts": asdict(queue.counts),
        "oldest_pending_age_s": _float(queue.oldest_pending_age_s(at)),
        "processed_today": queue.processed_today,
        "failed_today": queue.failed_today,
        "succeeded_today": queue.succeeded_today,
        "processed_total": queue.processed_total,
        "failed_total": queue.failed_total,
        "consumers": list(queue.consumers),
    }


def worker_object(worker: Worker, at: float) -> JsonObject:
    """JSON object of one worker; its age is as of ``at`` (Redis's clock)."""
    declared = _declared(worker)
    return {
        "id": worker.id,
        "dialect": worker.dialect,
        "state": worker.state,
        "healthy": declared.pop("healthy"),
        "started_at": _float(worker.started_at),
        "last_beat_at": declared.pop("last_beat_at"),
        "last_beat_age_s": _float(worker.last_beat_age_s(at)),
        "concurrency": declared.pop("concurrency"),
        "queues": dict(worker.queues),
        "active_tasks": list(worker.active_tasks),
        "recovery": {name: asdict(entry) for name, entry in worker.recovery.items()},
        "metrics": None if worker.metrics is None else _metrics(worker.metrics),
        **declared,
    }


def _declared(worker: Worker) -> JsonObject:
    """Values of the heartbeat fields that are declared to be in JSON, by key."""
    return {
        name: _float(getattr(worker, name)) if kind == "moment" else getattr(worker, name)
        for name, kind in _DECLARED
    }


def _metrics(metrics: Metrics) -> dict[str, Any]:
    return asdict(replace(metrics, gpus=tuple(metrics.gpus)))


def task_object(task: Task) -> JsonObject:
    """JSON object of one task."""
    return {
        "schema": SCHEMA,
        "id": task.id,
        "queue": task.queue.name or None,
        "dialect": task.dialect,
        "state": task.state,
        "type": task.type,
        "payload": blob_object(task.payload),
        "result": blob_object(task.result),
        "error": None if task.error is None else decoded(task.error),
        "headers": dict(task.headers),
        "retried": task.retried,
        "max_retry": task.max_retry,
        "timeout_s": task.timeout_s,
        "deadline": _float(task.deadline),
        "pending_since": _float(task.pending_since),
        "next_run_at": _float(task.next_run_at),
        "last_failed_at": _float(task.last_failed_at),
        "completed_at": _float(task.completed_at),
        "expires_at": _float(task.expires_at),
        "lease_expires_at": _float(task.lease_expires_at),
        "orphaned": task.orphaned,
        "group": task.group,
        "decodable": task.decodable,
        "raw_fields": {name: blob_object(value) for name, value in task.raw_fields.items()},
    }


def blob_object(blob: Blob | None) -> JsonObject | None:
    """``{bytes, truncated, text | base64}``: text where the data is UTF-8."""
    if blob is None:
        return None
    value: JsonObject = {"bytes": blob.size, "truncated": blob.truncated}
    text = as_text(blob)
    if text is None:
        value["base64"] = base64.b64encode(blob.data).decode("ascii")
    else:
        value["text"] = text
    return value


def as_text(blob: Blob) -> str | None:
    """The data as text, ``None`` where it is no UTF-8. A cut character at the end is left out."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(blob.data, final=not blob.truncated)
    except UnicodeDecodeError:
        return None


def decoded(blob: Blob) -> str:
    """The data as text whatever it is: bytes that are no UTF-8 become lone surrogates."""
    text = as_text(blob)
    return blob.data.decode("utf-8", "surrogateescape") if text is None else text


def _float(value: float | None) -> float | None:
    """A finite float: JSON has no NaN and no infinity."""
    return None if value is None or not math.isfinite(value) else float(value)
