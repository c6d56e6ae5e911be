"""One runqy or documented worker as it is remembered between polls: its hash, and what it means.

The hash changes with a beat and with nothing else, and each beat gives it 30 s to live. So what is
left of them tells when the next beat is due: until then there is nothing new to be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from operator import itemgetter
from typing import Any
from zlib import crc32

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_reads import METRICS, MOST_READ, cut_read, hash_read
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, items
from runqy_tui.redis.wire.transport import Packed
from runqy_tui.text.safe import encode

BEAT_S = 5.0
TTL_EVERY_S = 60.0
"""How often the life left is asked of a worker that beats on time: its clock may drift."""

LOST_EVERY_S = 30.0
"""How often a lost worker is looked for whose beat would move its score: its clock may be off."""

METRICS_EVERY_S = 30.0
"""How often the metrics are read of a worker that nobody sees: with the first beat after that."""

CLOCK_AHEAD_S = 5.0
_SLACK_S = 0.25
"""A beat comes a little later than its time: who asks on time asks too early."""
_ROUNDING_S = 0.005
"""What whole milliseconds may make of a moment, and more."""
_LATE_S, _EARLY_S = BEAT_S + 2.0, 1.5
_TOLD = frozenset({bytes, type(None)})
_PLACES = {name: place for place, name in enumerate(worker_parsing.FIELDS)}
_birth = itemgetter(*(_PLACES[name] for name in (b"started_at", b"started", b"instance_id")))
"""What of its values tells one process from another under the same id."""


@dataclass(slots=True)
class CachedWorker:
    """``raw`` and ``facts`` are of the last time it had a hash; ``reply`` is the last as it came.

    ``careful``: its values are cut by the server, since some are too long or nothing is known of
    them. ``left_out`` are those that were too long where the server may not cut. ``light``: it
    was asked for without its metrics, which are as of the last time; from ``metrics_due_at``
    (Redis's clock) on they are read whoever sees them, 0 where they are not known. ``away``: the
    node that has its hash is down; ``last`` is what it was before. ``due_at`` (Redis's clock) is
    when it may have something new to tell, ``read_at`` when it was read; ``fresh``: by this poll.
    ``steady``: until it is read again it is ``last``, and there is nothing to say of it.
    Between ``_plain_from`` and ``_plain_to`` nothing but its age can differ from ``last``, and
    between ``_calm_from`` and ``_calm_to``, if it tells the same again, nothing else at all;
    ``calm``: so it was at the last read, and ``last`` is what it was then.
    ``offset`` is by how much its clock is ahead, measured at ``ttl_at``; ``measured``: its last
    read asks for what is left of its hash's life as well, and ``ttl_ms`` is no reckoning.
    """

    id: str
    careful: bool = True
    left_out: frozenset[bytes] = frozenset()
    light: bool = False
    metrics_due_at: float = 0.0
    reply: Reply = None
    raw: list[bytes | None] | None = None
    facts: worker_parsing.Facts | None = None
    ttl_ms: int | None = None
    here: bool = False
    unreadable: bool = False
    away: bool = False
    last: Worker | None = None
    fresh: bool = False
    steady: bool = False
    calm: bool = False
    read_at: float = 0.0
    due_at: float = 0.0
    offset: float | None = None
    ttl_at: float = 0.0
    measured: bool = False
    _judged: worker_parsing.Facts | None = None
    _beat_after: worker_parsing.Facts | None = None
    _lost_with: worker_parsing.Facts | None = None
    _odd: bool = False
    _ends_at: float | None = None
    _plain_from: float = inf
    _plain_to: float = -inf
    _calm_from: float = inf
    _calm_to: float = -inf
    _packed: Packed | None = None
    _packed_light: bool = False

    def command(self, *, may_cut: bool, sparing_at: float | None = None) -> Packed:
        """The read of its hash; at ``sparing_at`` without the metrics, where what is known does."""
        self.careful = self.careful and may_cut
        self.light = sparing_at is not None and self._may_spare(sparing_at)
        if self.careful:
            return cut_read(self.id)
        if self._packed is not None and self._packed_light == self.light:
            return self._packed
        packed = hash_read(self.id, self._unasked())
        if self.light or sparing_at is None:  # and no whole one where most are light
            self._packed, self._packed_light = packed, self.light
        return packed

    def _may_spare(self, now: float) -> bool:
        """Whether there are metrics of before that will do a little longer."""
        known = self.here and self.facts is not None and not self.facts.ghost
        return known and not self.careful and now < self.metrics_due_at

    def _unasked(self) -> frozenset[bytes]:
        """Fields that the last read left out."""
        if not self.light:
            return self.left_out
        return self.left_out | METRICS if self.left_out else METRICS

    def wants_ttl(self, now: float) -> bool:
        """Whether the life left of its hash is to be asked for as well."""
        return self.here and (self.offset is None or abs(now - self.ttl_at) > TTL_EVERY_S)

    def stays(self, reply: Reply, now: float) -> bool:
        """Take in its hash where that is as it was and it has only grown older; gives whether so.

        Most of a fleet has not beaten since the last poll. What is left of its life must not have
        been asked for this time. It is judged at once: the rest of the replies is on its way.
        """
        last = self.last
        if last is None or not self._calm_from <= now < self._calm_to or reply != self.reply:
            return False
        self.fresh = self.calm = True
        self.steady, self.read_at = False, now
        return True

    def read(self, reply: Reply, *, may_cut: bool) -> None:
        """Take in its hash."""
        self.fresh, self.steady, self.calm = True, False, False
        self._calm_from, self._calm_to = inf, -inf
        if self.light or self.left_out:
            reply = self._completed(reply)
        if self.here and isinstance(reply, list) and reply == self.reply:
            self.unreadable = self.away = False
            return
        if not (self.careful or self.left_out) and self._read_beat(reply):
            return
        self.reply, self._beat_after = reply, None
        self.unreadable = isinstance(reply, ResponseError)
        self.away = isinstance(reply, UnreachableError)
        if self.away:
            self.here = False
            return
        values = _values(reply)
        if values == self.raw:
            self.here = True
            return
        before = (self.raw, self.facts) if self.raw and self.facts else None
        facts = worker_parsing.read_facts(values, before) if values else None
        self.here = facts is not None
        if facts is not None:
            self.raw, self.facts = values, facts
        self._mind_size(values, may_cut=may_cut)

    def _read_beat(self, reply: Reply) -> bool:
        """Take in a hash that has changed as it does with each beat; gives whether it has."""
        raw, before = self.raw, self.facts
        if raw is None or before is None or not self.here or not isinstance(reply, list):
            return False
        if not _TOLD.issuperset(map(type, reply)):
            return False
        values: list[bytes | None] = reply  # type: ignore[assignment]
        facts = worker_parsing.beaten(values, raw, before)
        if facts is None:
            return False
        self.reply, self.raw = reply, values
        self.facts, self._beat_after = facts, before
        self.unreadable = self.away = False
        return True

    def _completed(self, reply: Reply) -> Reply:
        """A reply with the old values of what was left out, if there is a hash at all."""
        old = self.raw
        if old is None or not isinstance(reply, list) or not any(reply):
            return reply
        values = list(reply)
        for name in self._unasked():
            values[_PLACES[name]] = old[_PLACES[name]]
        if self.light and _birth(values) != _birth(old):
            # It is another process by now: that one's metrics are not its own.
            values[_PLACES[b"metrics"]], self.metrics_due_at = None, 0.0
        return values

    def _mind_size(self, values: list[bytes | None], *, may_cut: bool) -> None:
        """Read long values with care from now on, and others as cheaply as can be."""
        most = worker_parsing.MOST_FIELD_BYTES
        if not self.careful and not self.left_out and _longest(values) <= most:
            return
        long = frozenset(
            name
            for name, value in zip(worker_parsing.FIELDS, values, strict=False)
            if value is not None and len(value) > worker_parsing.MOST_FIELD_BYTES
        )
        self.careful = bool(long) and may_cut
        left_out = frozenset() if may_cut else long
        if left_out != self.left_out:
            self.left_out, self._packed = left_out, None

    def expect(self, now: float, *, scored: bool) -> None:
        """Reckon when it may have something new to tell; ``now`` is when it was read.

        ``scored``: the index tells its last beat, and so of the next one as well.
        """
        self.read_at = self.due_at = now
        facts = self.facts
        if not self.light:
            turn = crc32(encode(self.id)) % 1_000 / 1_000 * METRICS_EVERY_S  # not all at once
            self.metrics_due_at = now + METRICS_EVERY_S - (now + turn) % METRICS_EVERY_S
        if not self.here or facts is None:
            if scored and not (self.unreadable or self.away):
                self.due_at = now + LOST_EVERY_S
        elif facts.last_beat is not None:
            beat = self._beat_at(facts.last_beat, now)
            if beat is not None and facts.status != "stopped" and self.metrics_due_at:
                self.due_at = max(now, min(beat, now) + BEAT_S + _SLACK_S)

    def _beat_at(self, last_beat: float, now: float) -> float | None:
        """When it beat last, by Redis's clock: by what is left of its life, or by its own clock."""
        if self.measured:
            left_ms, self.offset = self.ttl_ms, None
            if left_ms is None or not 0 < left_ms <= worker_parsing.STALE_AFTER_S * 1000:
                return None
            beat = now - worker_parsing.STALE_AFTER_S + left_ms / 1000
            self.offset, self.ttl_at = last_beat - beat, now
            return beat
        if self.offset is None:
            return None
        beat = last_beat - self.offset
        if now - worker_parsing.STALE_AFTER_S < beat <= now + _EARLY_S:
            self.ttl_ms = int((worker_parsing.STALE_AFTER_S - max(0.0, now - beat)) * 1000)
        if not now - _LATE_S <= beat <= now + _EARLY_S:
            self.offset = None  # it is late, or its clock was set: measure again
            return None
        return beat

    def judge(self, beat_in_index: float | None, now: float, warnings: Warnings) -> Worker:
        """What it is now, where its hash is there or this poll left it out."""
        facts, last = self.facts, self.last
        if last is not None and self._judged is facts:
            if not self.fresh:
                # Nobody can say that it went silent: it stays what it was.
                self.steady = not (self._odd or isinstance(self.reply, ResponseError))
                if self._odd:
                    warn_of_worker(last, self.ttl_ms, now, warnings)
                return last
            if self._plain_from <= now <= self._plain_to and self._ends_as_told(now):
                self._calm_down(facts, last)
                return last
        if facts is None:
            facts = worker_parsing.Facts()
        if last is not None and self._only_beat(facts, last, now):
            last = worker_parsing.beating(last, facts, now, self.ttl_ms)
        else:
            last = worker_parsing.judge(self.id, facts, beat_in_index, now, self.ttl_ms)
        self._judged, self._beat_after = self.facts, None
        self._ends_at = None if self.ttl_ms is None else now + self.ttl_ms / 1000
        self._odd = warn_of_worker(last, self.ttl_ms, now, warnings)
        self._plain_from, self._plain_to = inf, -inf
        if facts.last_beat is not None and not self._odd:
            self._plain_from = facts.last_beat - CLOCK_AHEAD_S
            self._plain_to = facts.last_beat + worker_parsing.STALE_AFTER_S
        self.last = last
        if self.fresh and not self._odd:
            self._calm_down(facts, last)
        return self.last

    def _only_beat(self, facts: worker_parsing.Facts, last: Worker, now: float) -> bool:
        """Whether a beat is all that is new since ``last``: then its state is the same."""
        if self._judged is None or self._judged is not self._beat_after or self._odd:
            return False
        if facts.last_beat is None or last.state is WorkerState.STALE:
            return False
        return -CLOCK_AHEAD_S <= now - facts.last_beat <= worker_parsing.STALE_AFTER_S

    def _calm_down(self, facts: worker_parsing.Facts | None, last: Worker) -> None:
        """Say until when its age is all that can change while its hash stays the same.

        Until then it is not late, so that the life left of its hash follows from its beat and
        leaves the comparison of its clock as it is, and its metrics are not due.
        """
        if facts is None or facts.last_beat is None or self.offset is None or self._ends_at is None:
            return
        beat = facts.last_beat - self.offset
        as_told = abs(beat + worker_parsing.STALE_AFTER_S - self._ends_at) < _SLACK_S - _ROUNDING_S
        if as_told and last.clock_offset_s is not None:
            self._calm_from = max(beat, self._plain_from)
            self._calm_to = min(beat + _LATE_S, self._plain_to, self.metrics_due_at)

    def _ends_as_told(self, now: float) -> bool:
        """Whether its hash ends when it did as its clock was compared, and not too soon to tell."""
        if self.ttl_ms is None or self._ends_at is None:
            return self.ttl_ms is None and self._ends_at is None
        lively = self.ttl_ms >= worker_parsing.FRESH_TTL_S * 1000
        told = self.last is not None and self.last.clock_offset_s is not None
        return lively == told and abs(now + self.ttl_ms / 1000 - self._ends_at) < _SLACK_S

    def lost(self, beat_in_index: float | None) -> Worker:
        """An index member whose hash is gone."""
        last = self.last
        if (
            last is not None
            and last.state is WorkerState.LOST
            and last.last_beat_at == beat_in_index
            and self._lost_with is self.facts
        ):
            return last
        self.last = worker_parsing.lost(self.id, self.facts, beat_in_index)
        self._judged, self._lost_with = None, self.facts
        return self.last

    def last_seen(self, last: Worker, beat: float | None) -> Worker:
        """It as it was, since its hash is out of reach, but for a later beat by the index."""
        latest = max((at for at in (last.last_beat_at, beat) if at is not None), default=None)
        return replace(last, last_beat_at=latest)


def _values(reply: Reply) -> list[bytes | None]:
    """The values of a hash, none of them longer than what is worth reading."""
    values = items(reply)
    if _TOLD.issuperset(map(type, values)) and _longest(values) <= MOST_READ:
        return values  # type: ignore[return-value]
    return [_shortened(data(value)) for value in values]


def _longest(values: Iterable[Any]) -> int:
    return max(map(len, filter(None, values)), default=0)


def _shortened(value: bytes | None) -> bytes | None:
    """A value of which one byte too many tells that it is too long."""
    return value[:MOST_READ] if value is not None and len(value) > MOST_READ else value


def warn_of_worker(worker: Worker, ttl_ms: int | None, now: float, warnings: Warnings) -> bool:
    """Say what is odd about a worker; gives whether anything is."""
    beat = worker.last_beat_at
    ahead = beat is not None and beat - now > CLOCK_AHEAD_S
    if beat is not None and ahead:
        warnings.add(f"The clock of worker {worker.id} is {beat - now:.0f} s ahead of Redis")
    behind = worker.state is WorkerState.STALE and beat is not None and _renewed(ttl_ms)
    if beat is not None and behind:
        warnings.add(
            f"Worker {worker.id} renewed its hash within 30 s: it may be alive, "
            f"with a clock about {now - beat:.0f} s behind Redis"
        )
    return warn_of_problems(worker, warnings) or ahead or behind


def _renewed(ttl_ms: int | None) -> bool:
    """Whether a hash that each beat gives 30 s to live has seen one, whatever its clock says."""
    return ttl_ms is not None and 0 < ttl_ms <= worker_parsing.STALE_AFTER_S * 1000


def warn_of_problems(worker: Worker, warnings: Warnings) -> bool:
    """Name fields that cannot be read; gives whether there are any."""
    if worker.problems:
        fields = ", ".join(worker.problems)
        warnings.add(f"Worker {worker.id} has fields that cannot be read: {fields}")
    return bool(worker.problems)


def serves_lists(known: CachedWorker) -> bool:
    """Whether it serves lists without braces."""
    return bool(known.here and known.facts and known.facts.dialect is Dialect.DOCUMENTED)
