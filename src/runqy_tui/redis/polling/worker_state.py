"""Cache entry of one runqy or documented worker: its hash, and the worker it means.

The hash changes with a heartbeat and with nothing else, and each heartbeat gives it 30 s to live.
So the next heartbeat is due at a moment that follows from the remaining time to live, and there is
nothing new to read until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from math import inf
from operator import itemgetter
from typing import Any
from zlib import crc32

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis import keys
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_parsing import (
    FIELDS,
    FRESH_TTL_S,
    MAX_FIELD_BYTES,
    STALE_AFTER_S,
    HashValues,
    ParsedHash,
)
from runqy_tui.redis.wire.command_encoding import Pattern
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, items
from runqy_tui.redis.wire.transport import Packed, packed_for
from runqy_tui.text.safe import encode

BEAT_S = 5.0
TTL_EVERY_S = 60.0
"""Interval for measuring the remaining life of a punctual worker's hash: its clock may drift."""

LOST_EVERY_S = 30.0
"""Interval for reading a lost worker whose heartbeat would move its score: its clock may be off."""

METRICS_EVERY_S = 30.0
"""Interval for reading the metrics of a worker that is on no screen."""

CLOCK_AHEAD_S = 5.0
MAX_READ_BYTES = MAX_FIELD_BYTES + 1
METRICS = frozenset({b"metrics"})

_SLACK_S = 0.25
"""A heartbeat comes a little later than its time: a read on the exact second is too early."""
_ROUNDING_S = 0.005
"""Error of a moment computed from whole milliseconds, and more."""
_LATE_S, _EARLY_S = BEAT_S + 2.0, 1.5
_VALUE_TYPES = frozenset({bytes, type(None)})
_PLACES = {name: place for place, name in enumerate(FIELDS)}
_identity_of = itemgetter(*(_PLACES[name] for name in (b"started_at", b"started", b"instance_id")))
"""The values that differ between two processes under the same id."""

_NO_FIELD = b"-"
"""Stands where a field is not to be read: no writer has one of this name."""

_CUT = (
    "local v=redis.call('hmget',KEYS[1],unpack(ARGV,2)) local m=tonumber(ARGV[1]) "
    "for i=1,#v do if v[i] and #v[i]>m then v[i]=string.sub(v[i],1,m) end end return v"
)
"""HMGET with each value cut: reads a worker while the length of its values is unknown."""

_CUT_READ = Pattern("EVAL_RO", _CUT, 1, None, MAX_READ_BYTES, *FIELDS)


def hash_read(worker_id: str, left_out: Collection[bytes] = ()) -> Packed:
    """The read of a worker's hash without these fields; each keeps its place in the reply."""
    return packed_for(keys.worker(worker_id), _read_without(frozenset(left_out)))


def cut_read(worker_id: str) -> Packed:
    """The same, but the server shortens what is too long."""
    return packed_for(keys.worker(worker_id), _CUT_READ)


@lru_cache(maxsize=64)
def _read_without(left_out: frozenset[bytes]) -> Pattern:
    return Pattern("HMGET", None, *(_NO_FIELD if name in left_out else name for name in FIELDS))


class Presence(Enum):
    """What the last read of a hash found. ``AWAY``: the node that holds it is down."""

    ABSENT = auto()
    PRESENT = auto()
    UNREADABLE = auto()
    AWAY = auto()


@dataclass(slots=True)
class CachedWorker:
    """``parsed`` is the hash when it last existed, ``worker`` what the last poll returned.

    ``is_cut``: the server cuts its values, since some are too long or nothing is known of them.
    ``left_out`` are those that were too long where the server may not cut. ``is_light``: it was
    read without its metrics, which are as of an earlier read; from ``metrics_due_at`` on they are
    read again in any case, 0 where they are not known. ``error``: the last reply, where it was one.
    ``fresh``: read by this poll; ``read_at`` is when it was read last. ``settled``: ``worker``
    stands as it is until the next read, with nothing to warn of. Until ``valid_until`` that is so
    even if it is read again, as long as the reply is the same. ``due_at``: when there may be
    something new to read. ``expires_at``: when its hash expires, where that follows from a
    heartbeat. ``offset_s``: by how much its clock is ahead, measured at ``offset_at``.
    All moments are by Redis's clock.
    """

    id: str
    is_cut: bool = True
    left_out: frozenset[bytes] = frozenset()
    is_light: bool = False
    metrics_due_at: float = 0.0
    presence: Presence = Presence.ABSENT
    parsed: ParsedHash | None = None
    error: ResponseError | None = None
    worker: Worker | None = None
    fresh: bool = False
    settled: bool = False
    read_at: float = 0.0
    valid_until: float = -inf
    due_at: float = 0.0
    expires_at: float | None = None
    offset_s: float | None = None
    offset_at: float = 0.0
    _classified: ParsedHash | None = None
    _packed: tuple[bool, Packed] | None = None

    @property
    def has_hash(self) -> bool:
        """Whether its hash existed when it was last read."""
        return self.presence is Presence.PRESENT

    def command(self, *, may_cut: bool, light_at: float | None = None) -> Packed:
        """The read of its hash; at ``light_at`` without metrics where known ones are recent."""
        self.is_cut = self.is_cut and may_cut
        self.is_light = light_at is not None and self._may_be_light(light_at)
        if self.is_cut:
            return cut_read(self.id)
        if self._packed is not None and self._packed[0] == self.is_light:
            return self._packed[1]
        packed = hash_read(self.id, self._unread_fields())
        if self.is_light or light_at is None:  # and no whole one where most are light
            self._packed = self.is_light, packed
        return packed

    def _may_be_light(self, now: float) -> bool:
        known = self.has_hash and self.parsed is not None and not self.parsed.is_ghost
        return known and not self.is_cut and now < self.metrics_due_at

    def _unread_fields(self) -> frozenset[bytes]:
        """Fields that the last read left out."""
        if not self.is_light:
            return self.left_out
        return self.left_out | METRICS if self.left_out else METRICS

    def needs_ttl(self, now: float) -> bool:
        """Whether the remaining life of its hash is to be measured with the next read."""
        return self.has_hash and (self.offset_s is None or abs(now - self.offset_at) > TTL_EVERY_S)

    def is_unchanged(self, reply: Reply, now: float) -> bool:
        """Return True, and mark it as read, if ``reply`` is the same and still means the same.

        Most of a fleet has not sent a heartbeat since the last poll. Not for a read that measured
        the remaining life of the hash.
        """
        parsed = self.parsed
        if parsed is None or not self.read_at <= now < self.valid_until or reply != parsed.values:
            return False
        self.fresh, self.read_at = True, now
        return True

    def read(self, reply: Reply, *, may_cut: bool) -> None:
        """Parse the reply to :meth:`command`."""
        self.fresh, self.settled, self.valid_until = True, False, -inf
        if self.is_light or self.left_out:
            reply = self._completed(reply)
        parsed = self.parsed
        if parsed is not None and self.has_hash and reply == parsed.values:
            return
        if (renewed := self._parse_heartbeat(reply)) is not None:
            self.parsed = renewed
            return
        self.error = reply if isinstance(reply, ResponseError) else None
        if isinstance(reply, UnreachableError):
            self.presence = Presence.AWAY
            return
        values = _values(reply)
        if parsed is None or values != parsed.values:
            parsed = self._parse(values) if values else None
        if parsed is not None:
            self.presence, self.parsed = Presence.PRESENT, parsed
        else:
            self.presence = Presence.ABSENT if self.error is None else Presence.UNREADABLE
        self._adapt_to_sizes(values, may_cut=may_cut)

    def _parse_heartbeat(self, reply: Reply) -> ParsedHash | None:
        """Parse a reply that has nothing new but a heartbeat, as nearly all of them have."""
        parsed = self.parsed
        if parsed is None or self.is_cut or self.left_out or not isinstance(reply, list):
            return None
        return worker_parsing.parse_heartbeat(reply, parsed) if self.has_hash else None

    def _parse(self, values: HashValues) -> ParsedHash | None:
        return worker_parsing.parse_hash(self.id, values, self.parsed)

    def _completed(self, reply: Reply) -> Reply:
        """A reply with the old values of what was left out, if the hash exists at all."""
        if self.parsed is None or not isinstance(reply, list) or not any(reply):
            return reply
        old, values = self.parsed.values, list(reply)
        for name in self._unread_fields():
            values[_PLACES[name]] = old[_PLACES[name]]
        if self.is_light and _identity_of(values) != _identity_of(old):
            # It is another process by now: the old one's metrics are not its own.
            values[_PLACES[b"metrics"]], self.metrics_due_at = None, 0.0
        return values

    def _adapt_to_sizes(self, values: HashValues, *, may_cut: bool) -> None:
        """Have long values cut or left out from now on, and others read as cheaply as possible."""
        if not self.is_cut and not self.left_out and _max_length(values) <= MAX_FIELD_BYTES:
            return
        too_long = frozenset(
            name
            for name, value in zip(FIELDS, values, strict=False)
            if value is not None and len(value) > MAX_FIELD_BYTES
        )
        self.is_cut = bool(too_long) and may_cut
        left_out = frozenset() if may_cut else too_long
        if left_out != self.left_out:
            self.left_out, self._packed = left_out, None

    def schedule(
        self, now: float, *, scored: bool, measured: bool = False, ttl_ms: int | None = None
    ) -> None:
        """Compute when there may be something new to read; ``now`` is when it was read.

        ``scored``: the index has its last heartbeat, and so will have the next one. ``measured``:
        the read asked for the remaining life of its hash, which is ``ttl_ms``.
        """
        self.read_at = self.due_at = now
        self.expires_at = None
        if measured and ttl_ms is not None and 0 < ttl_ms <= STALE_AFTER_S * 1000:
            self.expires_at = now + ttl_ms / 1000
        due_at = self.metrics_due_at
        if not (self.is_light or due_at - METRICS_EVERY_S <= now < due_at):
            turn = crc32(encode(self.id)) % 1_000 / 1_000 * METRICS_EVERY_S  # not all at once
            self.metrics_due_at = now + METRICS_EVERY_S - (now + turn) % METRICS_EVERY_S
        if not self.has_hash or self.parsed is None:
            if scored and self.presence is Presence.ABSENT:
                self.due_at = now + LOST_EVERY_S
            return
        worker = self.parsed.worker
        if worker.last_beat_at is None:
            return
        beat = self._beat_at(worker.last_beat_at, now, measured=measured)
        if beat is not None and worker.state is not WorkerState.STOPPED and self.metrics_due_at:
            self.due_at = max(now, min(beat, now) + BEAT_S + _SLACK_S)

    def _beat_at(self, last_beat: float, now: float, *, measured: bool) -> float | None:
        """Redis's time of its last heartbeat: by the life left of its hash, or by its own clock."""
        if measured:
            self.offset_s = None
            if self.expires_at is None:
                return None
            beat = self.expires_at - STALE_AFTER_S
            self.offset_s, self.offset_at = last_beat - beat, now
            return beat
        if self.offset_s is None:
            return None
        beat = last_beat - self.offset_s
        if now - STALE_AFTER_S < beat <= now + _EARLY_S:
            self.expires_at = beat + STALE_AFTER_S
        if not now - _LATE_S <= beat <= now + _EARLY_S:
            self.offset_s = None  # it is late, or its clock was set: measure again
            return None
        return beat

    def classify(
        self, parsed: ParsedHash, beat_in_index: float | None, now: float, warnings: Warnings
    ) -> Worker:
        """Return the worker as of this poll, where its hash exists or this poll left it out."""
        worker = self.worker
        if worker is None or self.fresh or self._classified is not parsed:
            offset_s = self._clock_offset(parsed.worker, now)
            found = worker_parsing.classify(parsed.worker, beat_in_index, offset_s, now)
            if worker is None or worker != found:
                self.worker = worker = found
            in_time = worker.state is parsed.worker.state
            if worker is not parsed.worker and in_time and parsed.worker.last_beat_at is not None:
                # The next heartbeat starts from here, so that its worker is made only once.
                parsed = self.parsed = ParsedHash(parsed.values, worker)
            self._classified = parsed
        # Where this poll left it out, it may have fallen silent since: it is as it was.
        left_s = None if self.expires_at is None else self.expires_at - self.read_at
        self.settled = not warn_of_worker(worker, left_s, now, warnings)
        beat = worker.last_beat_at
        if self.fresh and self.settled and beat is not None and self.offset_s is not None:
            beat_at = beat - self.offset_s
            if beat_at <= now:
                self.valid_until = min(beat_at + _LATE_S, beat + STALE_AFTER_S, self.metrics_due_at)
        return worker

    def _clock_offset(self, parsed: Worker, now: float) -> float | None:
        """By how much the stamp of a heartbeat is ahead of the moment Redis received it, in s.

        Whole seconds are stamped: up to one second of it is rounding. ``None`` unless the hash has
        nearly all of its 30 s left: with less the heartbeat is late, or the TTL is another one.
        """
        if parsed.last_beat_at is None or self.expires_at is None:
            return None
        if self.expires_at - now < FRESH_TTL_S - _ROUNDING_S:
            return None
        offset_s = parsed.last_beat_at - (self.expires_at - STALE_AFTER_S)
        before = None if self.worker is None else self.worker.clock_offset_s
        # Rounding alone is no reason for a new object.
        return before if before is not None and abs(before - offset_s) < _SLACK_S else offset_s

    def lost(self, beat_in_index: float | None) -> Worker:
        """An index member whose hash is gone."""
        worker, parsed = self.worker, self.parsed
        if (
            worker is None
            or self._classified is not parsed
            or ((worker.state, worker.last_beat_at) != (WorkerState.LOST, beat_in_index))
        ):
            seen = None if parsed is None else parsed.worker
            self.worker = worker = worker_parsing.lost(self.id, seen, beat_in_index)
            self._classified = parsed
        return worker

    def last_seen(self, worker: Worker, beat: float | None) -> Worker:
        """The worker as it was, its hash being out of reach, with a later beat of the index."""
        latest = max((at for at in (worker.last_beat_at, beat) if at is not None), default=None)
        return worker if latest == worker.last_beat_at else replace(worker, last_beat_at=latest)


def _values(reply: Reply) -> HashValues:
    """The values of a hash, none of them longer than :data:`MAX_READ_BYTES`."""
    values = items(reply)
    if _VALUE_TYPES.issuperset(map(type, values)) and _max_length(values) <= MAX_READ_BYTES:
        return values  # type: ignore[return-value]
    return [_shortened(data(value)) for value in values]


def _max_length(values: Iterable[Any]) -> int:
    return max(map(len, filter(None, values)), default=0)


def _shortened(value: bytes | None) -> bytes | None:
    """The value, cut to one byte more than allowed if it is too long."""
    return value[:MAX_READ_BYTES] if value is not None else None


def warn_of_worker(worker: Worker, left_s: float | None, now: float, warnings: Warnings) -> bool:
    """Warn of what is odd about a worker and return whether anything is.

    ``left_s``: the remaining life of its hash, where a heartbeat sets it.
    """
    beat = worker.last_beat_at
    ahead = beat is not None and beat - now > CLOCK_AHEAD_S
    if beat is not None and ahead:
        warnings.add(f"The clock of worker {worker.id} is {beat - now:.0f} s ahead of Redis")
    renewed = left_s is not None and left_s > 0
    behind = worker.state is WorkerState.STALE and beat is not None and renewed
    if beat is not None and behind:
        warnings.add(
            f"Worker {worker.id} renewed its hash within 30 s: it may be alive, "
            f"with a clock about {now - beat:.0f} s behind Redis"
        )
    return warn_of_problems(worker, warnings) or ahead or behind


def warn_of_problems(worker: Worker, warnings: Warnings) -> bool:
    """Warn of fields that cannot be read and return whether there are any."""
    if worker.problems:
        fields = ", ".join(worker.problems)
        warnings.add(f"Worker {worker.id} has fields that cannot be read: {fields}")
    return bool(worker.problems)


def serves_lists(known: CachedWorker) -> bool:
    """Whether a worker serves lists without braces."""
    return bool(
        known.has_hash and known.parsed and known.parsed.worker.dialect is Dialect.DOCUMENTED
    )
