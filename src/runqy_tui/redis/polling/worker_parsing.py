"""Parses the hash of a runqy or documented worker (CONTRACT, section 3) into a Worker.

GPUs are parsed on first access: a large fleet reports twenty thousand with each heartbeat, and a
screen shows those of a few workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple, overload

from runqy_tui.model import (
    HEARTBEAT_FIELDS,
    Dialect,
    FieldKind,
    Gpu,
    Metrics,
    Recovery,
    Worker,
    WorkerState,
)
from runqy_tui.redis.decoding import field_parsing

_MAX_GPUS = 64


class LazyGpus(Sequence[Gpu]):
    """The first 64 GPUs of a ``metrics`` field; equal to a tuple of the same."""

    __slots__ = ("_parsed", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parsed: tuple[Gpu, ...] | None = None

    def _all(self) -> tuple[Gpu, ...]:
        if self._parsed is None:
            listed = (field_parsing.json_object(self._raw) or {}).get("gpus")
            entries = listed[:_MAX_GPUS] if isinstance(listed, list) else []
            self._parsed = tuple(_gpu(entry) for entry in entries if isinstance(entry, dict))
        return self._parsed

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Gpu]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Gpu: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Gpu, ...]: ...
    def __getitem__(self, index: int | slice) -> Gpu | tuple[Gpu, ...]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyGpus):
            return self._raw == other._raw or self._all() == other._all()
        return self._all() == other

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def _gpu(entry: dict[str, object]) -> Gpu:
    name = entry.get("name")
    return Gpu(
        index=field_parsing.count(entry.get("index")),
        name=name if isinstance(name, str) and name else None,
        utilization_percent=field_parsing.number(entry.get("utilization_percent")),
        memory_used_mb=field_parsing.number(entry.get("memory_used_mb")),
        memory_total_mb=field_parsing.number(entry.get("memory_total_mb")),
        temperature_c=field_parsing.number(entry.get("temperature_c")),
    )


STALE_AFTER_S = 30.0
"""A heartbeat comes every 5 s and the hash lives 30 s (CONTRACT, section 3)."""

FRESH_TTL_S = 20.0
"""Least that the hash of a worker that beats on time has left to live, one late beat allowed."""

INDEX_LEAD_S = 1800.0
"""The score of ``asynq:workers`` is the last beat plus this."""

_PARSERS: Mapping[FieldKind, Callable[[bytes | None], object]] = {
    "text": field_parsing.text,
    "whole": field_parsing.whole,
    "flag": field_parsing.flag,
    "moment": field_parsing.moment,
}
_DECLARED = tuple((one.attribute, one.name, _PARSERS[one.kind]) for one in HEARTBEAT_FIELDS)
_NAMES = (
    *("worker_id", "started_at", "queues", "metrics", "recovery"),
    *("started", "queue", "active_task"),
    *(name for _, name, _ in _DECLARED),
)
"""Fields that take more than a parser, then those that the model declares."""

FIELDS = tuple(name.encode() for name in _NAMES)
_IDENTIFYING = ("worker_id", "started_at", "last_beat", "queues", "started", "queue", "active_task")
_RUNQY = ("worker_id", "started_at", "last_beat", "queues")
_RECOVERY, _LAST_BEAT, _METRICS = map(_NAMES.index, ("recovery", "last_beat", "metrics"))
MAX_FIELD_BYTES = 262_144
"""No more is read of a longer field; of ``queues`` its beginning is still of use."""

_TOO_LONG = f" (over {MAX_FIELD_BYTES // 1024} KiB)"

HashValues = Sequence[bytes | None]
"""The values of :data:`FIELDS` in a worker's hash, in that order."""


class ParsedHash(NamedTuple):
    """The values of a hash and the worker parsed from them.

    ``worker.state`` is the state by the hash alone, whatever the age of the heartbeat: see
    :func:`classify`. ``is_ghost``: the hash holds a status and nothing that identifies a worker.
    """

    values: HashValues
    worker: Worker
    is_ghost: bool = False


def parse_hash(
    worker_id: str, values: HashValues, before: ParsedHash | None = None
) -> ParsedHash | None:
    """Parse the values of :data:`FIELDS`; ``None`` where the hash is gone (all are absent).

    ``before`` is what the same worker's hash held last: a map of thousands of queues, or a
    recovery state, that has not changed since is not parsed again.
    """
    if before and (parsed := parse_heartbeat(values, before)):
        return parsed
    raw = dict(zip(_NAMES, values, strict=True))
    if all(value is None for value in values):
        return None
    if all(raw[name] is None for name in _IDENTIFYING):
        ghost = Worker(worker_id, Dialect.RUNQY, WorkerState.STOPPED)
        return ParsedHash(values, ghost, is_ghost=True)
    documented = all(raw[name] is None for name in _RUNQY)
    source = "queue" if documented else "queues"
    dialect = Dialect.DOCUMENTED if documented else Dialect.RUNQY
    raw_queues = raw[source]
    problems = _cut_long_fields(raw)
    if (
        before
        and before.worker.dialect is dialect
        and before.values[_NAMES.index(source)] == raw_queues
    ):
        queues = before.worker.queues
        problems += ["queues"] if "queues" in before.worker.problems else []
    else:
        queues = _queues(raw[source], "queues", problems)
    active = field_parsing.text(raw["active_task"])
    declared = _declared(raw, problems)
    started_at = _started(raw["started" if documented else "started_at"], problems)
    recovery = _recovery(raw["recovery"], before, problems)
    metrics = parse_metrics(raw["metrics"], problems)
    if problems:
        problems.sort(key=lambda problem: _PLACES.get(problem, -1))
    worker = Worker(
        id=worker_id,
        dialect=dialect,
        state=_state_by_hash(declared["status"], declared["healthy"], recovery),
        started_at=started_at,
        queues=queues,
        active_tasks=(active,) if active else (),
        active_count=None if raw["active_task"] is None else int(active is not None),
        recovery=recovery,
        metrics=metrics,
        problems=tuple(problems),
        **declared,
    )
    return ParsedHash(values, worker)


def parse_heartbeat(values: Sequence[Any], before: ParsedHash) -> ParsedHash | None:
    """Parse a hash that differs from ``before`` in its heartbeat and metrics alone.

    Nearly every change is of this kind. ``None`` where it is another one, or where something in
    either hash cannot be read.
    """
    old, worker = before.values, before.worker
    if before.is_ghost or worker.problems or len(values) != len(_NAMES):
        return None
    stamp, raw_metrics = values[_LAST_BEAT], values[_METRICS]
    expected = list(old)
    expected[_LAST_BEAT], expected[_METRICS] = stamp, raw_metrics
    if values != expected or old[_LAST_BEAT] is None:
        return None
    sound = isinstance(stamp, bytes) and (raw_metrics is None or isinstance(raw_metrics, bytes))
    if not sound:
        return None
    problems: list[str] = []
    beat, metrics = field_parsing.moment(stamp), worker.metrics
    if raw_metrics != old[_METRICS]:
        metrics = parse_metrics(raw_metrics, problems)
    if beat is None or problems or len(raw_metrics or b"") > MAX_FIELD_BYTES:
        return None
    return ParsedHash(values, _with_heartbeat(worker, beat, metrics))


_ATTRIBUTES = [one.name for one in fields(Worker)]
_worker_values = attrgetter(*_ATTRIBUTES)
_BEAT_FIELD, _METRICS_FIELD = map(_ATTRIBUTES.index, ("last_beat_at", "metrics"))
_PLACES = {name: _ATTRIBUTES.index(attribute) for attribute, name, _ in _DECLARED} | {
    "started": _ATTRIBUTES.index("started_at"),
    "recovery": _ATTRIBUTES.index("recovery"),
    "metrics": _METRICS_FIELD,
}
"""Order of problems: that of the worker's fields, after those of length and of ``queues``."""


def _with_heartbeat(worker: Worker, beat: float, metrics: Metrics | None) -> Worker:
    """The worker with a newer heartbeat; in half the time of :func:`dataclasses.replace`."""
    values = list(_worker_values(worker))
    values[_BEAT_FIELD], values[_METRICS_FIELD] = beat, metrics
    return Worker(*values)


def classify(
    parsed: Worker, beat_in_index: float | None, clock_offset_s: float | None, now: float
) -> Worker:
    """The worker of a hash that exists, as of ``now`` (Redis's clock); often ``parsed`` itself.

    ``beat_in_index`` is the heartbeat by the score of ``asynq:workers``; it counts where the hash
    has none. ``clock_offset_s``: by how much the worker's clock is ahead of Redis's.
    """
    beat = parsed.last_beat_at if parsed.last_beat_at is not None else beat_in_index
    state = parsed.state
    if state is not WorkerState.STOPPED and beat is not None and now - beat > STALE_AFTER_S:
        state = WorkerState.STALE
    if (
        state is parsed.state
        and beat == parsed.last_beat_at
        and clock_offset_s == parsed.clock_offset_s
    ):
        return parsed
    return replace(parsed, state=state, last_beat_at=beat, clock_offset_s=clock_offset_s)


def lost(worker_id: str, seen: Worker | None, beat_in_index: float | None) -> Worker:
    """A member of the index without a hash; ``seen`` is what its hash held while it existed."""
    if seen is None:
        seen = Worker(worker_id, Dialect.RUNQY, WorkerState.LOST)
    return replace(
        seen,
        id=worker_id,
        state=WorkerState.LOST,
        healthy=None,
        status=None,
        last_beat_at=beat_in_index,
        clock_offset_s=None,
        active_tasks=(),
        active_count=None,
        recovery={},
        metrics=None,
        problems=(),
    )


def _state_by_hash(
    status: str | None, healthy: bool | None, recovery: Mapping[str, Recovery]
) -> WorkerState:
    """The state of a worker whose heartbeat is recent."""
    if status == "stopped":
        return WorkerState.STOPPED
    states = {entry.state for entry in recovery.values()}
    if "degraded" in states:
        return WorkerState.DEGRADED
    if "recovering" in states:
        return WorkerState.RECOVERING
    if status == "bootstrapping":
        return WorkerState.BOOTSTRAPPING
    return WorkerState.DEGRADED if healthy is False else WorkerState.RUNNING


def _declared(raw: Mapping[str, bytes | None], problems: list[str]) -> dict[str, Any]:
    """Values of the declared fields by attribute.

    A field that is present and cannot be parsed is ``None`` and added to ``problems``.
    """
    found = {}
    for attribute, name, parse in _DECLARED:
        value = raw[name]
        found[attribute] = parsed = parse(value)
        if parsed is None and value:
            problems.append(name)
    return found


def _recovery(
    raw: bytes | None, before: ParsedHash | None, problems: list[str]
) -> Mapping[str, Recovery]:
    same = before is not None and not before.is_ghost and before.values[_RECOVERY] == raw
    if before and same and "recovery" not in before.worker.problems:
        return before.worker.recovery
    return parse_recovery(raw, problems)


def parse_recovery(raw: bytes | None, problems: list[str]) -> dict[str, Recovery]:
    """Recovery state per supervised parent queue; an unreadable field is added to ``problems``."""
    if not raw:
        return {}
    entries = field_parsing.json_object(raw)
    found: dict[str, Recovery] = {}
    for name, entry in (entries or {}).items():
        if isinstance(entry, dict) and isinstance(entry.get("state"), str):
            found[name] = Recovery(
                entry["state"],
                field_parsing.count(entry.get("consecutive_fails")),
                field_parsing.count(entry.get("total_restarts")),
            )
    if entries is None or len(found) < len(entries):
        problems.append("recovery")
    return found


def parse_metrics(raw: bytes | None, problems: list[str]) -> Metrics | None:
    """CPU, memory and GPUs; a number of the wrong kind is ``None``.

    JSON that is no object adds ``metrics`` to ``problems``.
    """
    if not raw:
        return None
    values = field_parsing.json_object(raw)
    if values is None:
        problems.append("metrics")
        return None
    return Metrics(
        cpu_percent=field_parsing.number(values.get("cpu_percent")),
        memory_used_bytes=field_parsing.count(values.get("memory_used_bytes")),
        memory_total_bytes=field_parsing.count(values.get("memory_total_bytes")),
        gpus=LazyGpus(raw) if values.get("gpus") else (),
        collected_at=field_parsing.number(values.get("collected_at")),
    )


def _cut_long_fields(raw: dict[str, bytes | None]) -> list[str]:
    """Remove fields that are too long, keeping the beginning of ``queues``; name each of them."""
    too_long = [name for name, value in raw.items() if value and len(value) > MAX_FIELD_BYTES]
    for name in too_long:
        value = raw[name]
        kept = None
        if value and name in ("queues", "queue"):
            space = b" " if value.startswith(b"map[") else b","
            kept, _, _ = value[:MAX_FIELD_BYTES].rpartition(space)
            kept += b"]" if space == b" " else b""
        raw[name] = kept
    return [name + _TOO_LONG for name in too_long]


def _queues(raw: bytes | None, name: str, problems: list[str]) -> Mapping[str, int | None]:
    if not raw:
        return {}
    found, clean = field_parsing.queues(raw)
    if not clean:
        problems.append(name)
    return found


def _started(raw: bytes | None, problems: list[str]) -> float | None:
    """Unix seconds, or the ISO form that a hand-written worker may use."""
    found = field_parsing.moment(raw)
    if found is None and raw:
        try:
            stamp = datetime.fromisoformat(raw.decode("ascii"))
        except ValueError:
            problems.append("started")
            return None
        zoned = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        found = zoned.timestamp()
        if found <= 0:
            problems.append("started")
            return None
    return found
