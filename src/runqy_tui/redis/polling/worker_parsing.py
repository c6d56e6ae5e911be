"""The GPUs of a worker's machine, taken apart when somebody looks at them.

A large fleet tells of twenty thousand with each beat, and a screen shows those of a few workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar, overload

from runqy_tui.model import Dialect, Gpu, Metrics, Recovery, Worker, WorkerState
from runqy_tui.redis.decoding import field_parsing

_MOST_GPUS = 64


class LazyGpus(Sequence[Gpu]):
    """What ``metrics`` says of GPUs, the first 64; equal to a tuple of the same."""

    __slots__ = ("_made", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._made: tuple[Gpu, ...] | None = None

    def _all(self) -> tuple[Gpu, ...]:
        if self._made is None:
            told = (field_parsing.json_object(self._raw) or {}).get("gpus")
            entries = told[:_MOST_GPUS] if isinstance(told, list) else []
            self._made = tuple(_gpu(entry) for entry in entries if isinstance(entry, dict))
        return self._made

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
"""A beat comes every 5 s and the hash lives 30 s (CONTRACT, section 3)."""

FRESH_TTL_S = 20.0
"""What the hash of a worker that beats on time has left at the least, with a late beat allowed."""

INDEX_LEAD_S = 1800.0
"""The score of ``asynq:workers`` is the last beat plus this."""

_NAMES = (
    "worker_id",
    "started_at",
    "last_beat",
    "concurrency",
    "queues",
    "status",
    "healthy",
    "metrics",
    "recovery",
    "instance_id",
    "protected",
    "started",
    "queue",
    "active_task",
)
FIELDS = tuple(name.encode() for name in _NAMES)
_IDENTIFYING = ("worker_id", "started_at", "last_beat", "queues", "started", "queue", "active_task")
_RUNQY = ("worker_id", "started_at", "last_beat", "queues")
_RECOVERY, _LAST_BEAT, _METRICS = map(_NAMES.index, ("recovery", "last_beat", "metrics"))
MOST_FIELD_BYTES = 262_144
"""Of a longer field no more is read; of ``queues`` its beginning is still worth something."""

_TOO_LONG = f" (over {MOST_FIELD_BYTES // 1024} KiB)"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker's hash says, without any judgement. ``ghost``: nothing but a status."""

    ghost: bool = False
    dialect: Dialect = Dialect.RUNQY
    status: str | None = None
    healthy: bool | None = None
    started_at: float | None = None
    last_beat: float | None = None
    concurrency: int | None = None
    queues: Mapping[str, int | None] = field(default_factory=dict)
    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    metrics: Metrics | None = None
    active_tasks: tuple[str, ...] = ()
    active_count: int | None = None
    instance_id: str | None = None
    protected: bool | None = None
    problems: tuple[str, ...] = ()


def read_facts(
    values: Sequence[bytes | None],
    before: tuple[Sequence[bytes | None], Facts] | None = None,
) -> Facts | None:
    """Read the values of :data:`FIELDS`; ``None`` where the hash is gone (all are absent).

    ``before`` is what the same worker said last: a map of thousands of queues, or a recovery
    state, that has not changed since is not taken apart again.
    """
    if before and (facts := beaten(values, *before)):
        return facts
    raw = dict(zip(_NAMES, values, strict=True))
    if all(value is None for value in values):
        return None
    if all(raw[name] is None for name in _IDENTIFYING):
        return Facts(ghost=True, status=field_parsing.text(raw["status"]))
    documented = all(raw[name] is None for name in _RUNQY)
    source = "queue" if documented else "queues"
    dialect = Dialect.DOCUMENTED if documented else Dialect.RUNQY
    told = raw[source]
    problems = _cut(raw)
    if before and before[1].dialect is dialect and before[0][_NAMES.index(source)] == told:
        queues = before[1].queues
        problems += ["queues"] if "queues" in before[1].problems else []
    else:
        queues = _queues(raw[source], "queues", problems)
    active = field_parsing.text(raw["active_task"])
    return Facts(
        dialect=dialect,
        status=field_parsing.text(raw["status"]),
        healthy=_checked(raw, "healthy", field_parsing.flag(raw["healthy"]), problems),
        started_at=_started(raw["started" if documented else "started_at"], problems),
        last_beat=_checked(raw, "last_beat", field_parsing.moment(raw["last_beat"]), problems),
        concurrency=_checked(raw, "concurrency", field_parsing.whole(raw["concurrency"]), problems),
        queues=queues,
        recovery=_recovery(raw["recovery"], before, problems),
        metrics=read_metrics(raw["metrics"], problems),
        active_tasks=(active,) if active else (),
        active_count=None if raw["active_task"] is None else int(active is not None),
        instance_id=field_parsing.text(raw["instance_id"]),
        protected=_checked(raw, "protected", field_parsing.flag(raw["protected"]), problems),
        problems=tuple(problems),
    )


def beaten(
    values: Sequence[bytes | None], before: Sequence[bytes | None], facts: Facts
) -> Facts | None:
    """What a beat changed of a sound worker: nearly always its stamp and its metrics alone.

    ``None`` where it is not so. ``before`` are the values that ``facts`` were read from.
    """
    if facts.ghost or facts.problems or len(values) != len(_NAMES):
        return None
    stamp, metrics = values[_LAST_BEAT], values[_METRICS]
    expected = list(before)
    expected[_LAST_BEAT], expected[_METRICS] = stamp, metrics
    if values != expected or before[_LAST_BEAT] is None:
        return None
    problems: list[str] = []
    beat = field_parsing.moment(stamp)
    same = metrics == before[_METRICS]
    told = facts.metrics if same else read_metrics(metrics, problems)
    if beat is None or problems or len(metrics or b"") > MOST_FIELD_BYTES:
        return None
    return replace(facts, last_beat=beat, metrics=told)


def judge(
    worker_id: str,
    facts: Facts,
    beat_in_index: float | None,
    now: float,
    ttl_ms: int | None = None,
) -> Worker:
    """A worker whose hash is there. ``beat_in_index``: the beat that a zset's score tells."""
    beat = facts.last_beat if facts.last_beat is not None else beat_in_index
    offset = _clock_offset(facts, now, ttl_ms)
    return _worker(worker_id, facts, _state(facts, beat, now), beat, offset)


def beating(last: Worker, facts: Facts, now: float, ttl_ms: int | None) -> Worker:
    """The same as :func:`judge` says, where a beat is all that is new since ``last``."""
    offset = _clock_offset(facts, now, ttl_ms)
    return replace(last, last_beat_at=facts.last_beat, clock_offset_s=offset, metrics=facts.metrics)


def _clock_offset(facts: Facts, now: float, ttl_ms: int | None) -> float | None:
    """By how much a beat's stamp is ahead of when Redis took it: each gives the hash 30 s to live.

    Whole seconds are stamped: up to one second of it is rounding. Only a hash with nearly all of
    its 30 s left tells: with less the beat is late, or this worker gives it another time to live.
    """
    if facts.last_beat is None or ttl_ms is None:
        return None
    if not FRESH_TTL_S * 1000 <= ttl_ms <= STALE_AFTER_S * 1000:
        return None
    return facts.last_beat - (now - (STALE_AFTER_S - ttl_ms / 1000))


def lost(worker_id: str, seen: Facts | None, beat_in_index: float | None) -> Worker:
    """An index member without a hash; ``seen`` is what its hash said while it was there."""
    kept = Facts() if seen is None else seen
    facts = Facts(
        dialect=kept.dialect,
        started_at=kept.started_at,
        concurrency=kept.concurrency,
        queues=kept.queues,
        instance_id=kept.instance_id,
        protected=kept.protected,
    )
    return _worker(worker_id, facts, WorkerState.LOST, beat_in_index)


def _state(facts: Facts, beat: float | None, now: float) -> WorkerState:
    recovery = {entry.state for entry in facts.recovery.values()}
    if facts.status == "stopped":
        return WorkerState.STOPPED
    if beat is not None and now - beat > STALE_AFTER_S:
        return WorkerState.STALE
    if "degraded" in recovery:
        return WorkerState.DEGRADED
    if "recovering" in recovery:
        return WorkerState.RECOVERING
    if facts.status == "bootstrapping":
        return WorkerState.BOOTSTRAPPING
    return WorkerState.DEGRADED if facts.healthy is False else WorkerState.RUNNING


def _worker(
    worker_id: str,
    facts: Facts,
    state: WorkerState,
    beat: float | None,
    clock_offset_s: float | None = None,
) -> Worker:
    return Worker(
        id=worker_id,
        dialect=facts.dialect,
        state=state,
        healthy=facts.healthy,
        status=facts.status,
        started_at=facts.started_at,
        last_beat_at=beat,
        clock_offset_s=clock_offset_s,
        concurrency=facts.concurrency,
        queues=facts.queues,
        active_tasks=facts.active_tasks,
        active_count=facts.active_count,
        recovery=facts.recovery,
        metrics=facts.metrics,
        instance_id=facts.instance_id,
        protected=facts.protected,
        problems=facts.problems,
    )


def _recovery(
    raw: bytes | None,
    before: tuple[Sequence[bytes | None], Facts] | None,
    problems: list[str],
) -> Mapping[str, Recovery]:
    known = before is not None and before[0][_RECOVERY] == raw and not before[1].ghost
    if before and known and "recovery" not in before[1].problems:
        return before[1].recovery
    return read_recovery(raw, problems)


def read_recovery(raw: bytes | None, problems: list[str]) -> dict[str, Recovery]:
    """Recovery state per supervised parent queue. What cannot be read is named in ``problems``."""
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


def read_metrics(raw: bytes | None, problems: list[str]) -> Metrics | None:
    """CPU, memory and GPUs. A number of the wrong kind is ``None``, the others stay."""
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


def _cut(raw: dict[str, bytes | None]) -> list[str]:
    """Take out what is too long, but the beginning of the queues; gives a problem for each."""
    long = [name for name, value in raw.items() if value and len(value) > MOST_FIELD_BYTES]
    for name in long:
        value = raw[name]
        kept = None
        if value and name in ("queues", "queue"):
            space = b" " if value.startswith(b"map[") else b","
            kept, _, _ = value[:MOST_FIELD_BYTES].rpartition(space)
            kept += b"]" if space == b" " else b""
        raw[name] = kept
    return [name + _TOO_LONG for name in long]


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


def _checked(
    raw: Mapping[str, bytes | None], name: str, value: _T | None, problems: list[str]
) -> _T | None:
    """Name a field that is there and yet says nothing."""
    if value is None and raw[name]:
        problems.append(name)
    return value
