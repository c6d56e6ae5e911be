"""Every worker of the three dialects, read in one batch and remembered between polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis import codec, keys, servers, workers
from runqy_tui.redis.replies import Reply, data, integer, items, refused, strings
from runqy_tui.redis.topology import UnreachableError
from runqy_tui.redis.transport import Batch, Packed
from runqy_tui.redis.warn import Warnings
from runqy_tui.safetext import decode, encode

MOST_SERVER_BYTES = 262_144
MOST_ACTIVE = 1_000
_CLOCK_AHEAD_S = 5.0
_NO_FIELD = b"-"
"""Stands where a field is not to be read: nobody writes one of this name."""

_CUT = (
    "local v=redis.call('hmget',KEYS[1],unpack(ARGV,2)) local m=tonumber(ARGV[1]) "
    "for i=1,#v do if v[i] and #v[i]>m then v[i]=string.sub(v[i],1,m) end end return v"
)
"""HMGET with each value cut: how a worker is read as long as nobody knows how long its are."""


@dataclass(slots=True)
class _Known:
    """A runqy or documented worker. ``raw`` and ``facts`` are of the last time it had a hash.

    ``careful``: its values are cut by the server, since some are too long or nothing is known of
    them. ``left_out`` are those that were too long where the server may not cut. ``away``: the
    node that has its hash is down; ``last`` is what it was before.
    """

    packed: Packed
    careful: bool = True
    left_out: frozenset[bytes] = frozenset()
    raw: list[bytes | None] | None = None
    facts: workers.Facts | None = None
    ttl_ms: int | None = None
    here: bool = False
    unreadable: bool = False
    away: bool = False
    last: Worker | None = None


@dataclass(slots=True)
class _KnownServer:
    packed: Packed
    raw: bytes | None = None
    info: codec.ServerInfo | None = None
    cut: bool = False
    active: tuple[str, ...] = ()
    here: bool = False
    unreadable: bool = False
    away: bool = False
    last: Worker | None = None


class Fleet:
    """All known workers: those of the index, and those that were found outside it."""

    def __init__(self) -> None:
        self._workers: dict[str, _Known] = {}
        self._servers: dict[str, _KnownServer] = {}
        self._asked: list[tuple[str, int]] = []
        self._asked_servers: list[tuple[str, int]] = []
        self._again: list[str] = []
        self._may_cut = True
        self.ghosts: tuple[str, ...] = ()
        self.whole = True

    def learn(self, ids: Iterable[str], server_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Remember workers and asynq servers; gives those that are new or to be read again."""
        again, self._again = self._again, []
        new = [worker_id for worker_id in ids if worker_id not in self._workers]
        for worker_id in new:
            self._workers[worker_id] = _Known(_worker_commands(worker_id))
        new_servers = [server_id for server_id in server_ids if server_id not in self._servers]
        for server_id in new_servers:
            self._servers[server_id] = _KnownServer(_server_commands(server_id))
        return [*again, *new], new_servers

    def everyone(self) -> tuple[list[str], list[str]]:
        """Ids of all workers and all asynq servers that are known."""
        return list(self._workers), list(self._servers)

    def documented_queues(self) -> set[str]:
        """Names of the lists that workers of the documented dialect serve."""
        return {
            name
            for known in self._workers.values()
            if known.here and known.facts and known.facts.dialect is Dialect.DOCUMENTED
            for name in known.facts.queues
        }

    def ask(self, batch: Batch, ids: Iterable[str], server_ids: Iterable[str]) -> None:
        """Add the reads of these workers."""
        self._asked = [(name, batch.join(self._commands(name))) for name in ids]
        self._asked_servers = [
            (name, batch.join(self._servers[name].packed)) for name in server_ids
        ]

    def read(self, replies: list[Reply], warnings: Warnings) -> None:
        """Take in the replies to :meth:`ask`."""
        for worker_id, place in self._asked:
            known = self._workers[worker_id]
            if known.careful and self._may_cut and refused(replies[place]):
                self._may_cut = False
            if known.careful and refused(replies[place]):
                self._again.append(worker_id)  # by HMGET, which may be allowed
                known.unreadable, known.careful = True, False
                continue
            warnings.reply(replies[place], keys.worker(worker_id))
            known.ttl_ms = integer(replies[place + 1])
            self._read_worker(worker_id, known, replies[place])
        for server_id, place in self._asked_servers:
            self._read_server(server_id, replies[place], replies[place + 1], warnings)
        self._asked, self._asked_servers = [], []

    def _commands(self, worker_id: str) -> Packed:
        known = self._workers[worker_id]
        known.careful = known.careful and self._may_cut
        return _worker_commands(worker_id, cut=True) if known.careful else known.packed

    def _read_worker(self, worker_id: str, known: _Known, reply: Reply) -> None:
        known.unreadable = isinstance(reply, ResponseError)
        known.away = isinstance(reply, UnreachableError)
        if known.away:
            known.here = False
            return
        values = [_shortened(data(value)) for value in items(reply)]
        if known.left_out and known.raw is not None and any(values):
            values = [
                old if name in known.left_out else value
                for name, value, old in zip(workers.FIELDS, values, known.raw, strict=True)
            ]
        if values == known.raw:
            known.here = True
            return
        before = (known.raw, known.facts) if known.raw and known.facts else None
        facts = workers.read_facts(values, before) if values else None
        known.here = facts is not None
        if facts is not None:
            known.raw, known.facts = values, facts
        self._mind_size(worker_id, known, values)

    def _mind_size(self, worker_id: str, known: _Known, values: list[bytes | None]) -> None:
        """Read long values with care from now on, and others as cheaply as can be."""
        long = frozenset(
            name
            for name, value in zip(workers.FIELDS, values, strict=False)
            if value is not None and len(value) > workers.MOST_FIELD_BYTES
        )
        known.careful = bool(long) and self._may_cut
        left_out = frozenset() if self._may_cut else long
        if left_out != known.left_out:
            known.left_out = left_out
            known.packed = _worker_commands(worker_id, left_out)

    def _read_server(self, server_id: str, info: Reply, active: Reply, warnings: Warnings) -> None:
        warnings.reply(info, server_key(server_id))
        warnings.reply(active, workers_key(server_id))
        known = self._servers[server_id]
        raw = data(info)
        known.unreadable = isinstance(info, ResponseError)
        known.away = isinstance(info, UnreachableError)
        known.here = bool(raw)
        if raw and raw != known.raw:
            known.raw = raw
            known.cut = len(raw) > MOST_SERVER_BYTES
            known.info = codec.decode_server(codec.whole_fields(raw) if known.cut else raw)
        known.active = tuple(sorted(decode(task_id) for task_id in strings(active)))

    def judge(
        self,
        beats: Mapping[str, float | None],
        expiries: Mapping[str, float | None],
        now: float,
        warnings: Warnings,
    ) -> list[Worker]:
        """Every worker as of this poll, sorted by id; forgets those that left no trace."""
        found: list[Worker] = []
        ghosts: list[str] = []
        self.whole = True
        for worker_id, known in list(self._workers.items()):
            indexed = worker_id in beats
            facts = known.facts
            if known.here and facts is not None and not (facts.ghost and indexed):
                if facts.ghost:
                    ghosts.append(worker_id)
                else:
                    worker = workers.judge(
                        worker_id, facts, beats.get(worker_id), now, known.ttl_ms
                    )
                    _warn_of_worker(worker, known.ttl_ms, now, warnings)
                    known.last = worker
                    found.append(worker)
            elif known.away and indexed and known.last is not None:
                found.append(_last_seen(known.last, beats[worker_id], now))
            elif known.unreadable:
                self.whole &= not known.away
                continue  # refused or of a wrong type: said in a warning, and no proof of a loss
            elif indexed:
                known.last = workers.lost(worker_id, facts, beats[worker_id], now)
                found.append(known.last)
            else:
                del self._workers[worker_id]
        found.extend(self._judge_servers(expiries, now, warnings))
        _warn_of_ghosts(ghosts, warnings)
        self.ghosts = tuple(sorted(ghosts))
        found.sort(key=lambda worker: worker.id)
        return found

    def _judge_servers(
        self, expiries: Mapping[str, float | None], now: float, warnings: Warnings
    ) -> list[Worker]:
        found: list[Worker] = []
        for server_id, known in list(self._servers.items()):
            if known.here:
                expiry = expiries.get(server_id)
                judged = servers.judge(server_id, known.info, expiry, known.active, now)
                cut = replace(judged, problems=("server (over 256 KiB)",))
                found.append(cut if known.cut else judged)
                known.last = found[-1]
                _warn_of_problems(known.last, warnings)
            elif known.away and server_id in expiries and known.last is not None:
                found.append(known.last)
            elif known.unreadable:
                self.whole &= not known.away
                continue
            elif server_id in expiries:
                known.last = servers.lost(server_id, known.info)
                found.append(known.last)
            else:
                del self._servers[server_id]
        return found


def _last_seen(worker: Worker, beat: float | None, now: float) -> Worker:
    """A worker whose hash is out of reach: as it was, but for a later beat that the index tells."""
    latest = max((at for at in (worker.last_beat_at, beat) if at is not None), default=None)
    age = None if latest is None else max(0.0, now - latest)
    return replace(worker, last_beat_at=latest, last_beat_age_s=age)


def server_key(server_id: str) -> bytes:
    """String with an asynq server's ``ServerInfo``."""
    return keys.SERVER_PREFIX + b"{" + encode(server_id) + b"}"


def workers_key(server_id: str) -> bytes:
    """Hash with the ``WorkerInfo`` of each task an asynq server works on."""
    return keys.WORKER_PREFIX + b"{" + encode(server_id) + b"}"


def _worker_commands(
    worker_id: str, left_out: frozenset[bytes] = frozenset(), *, cut: bool = False
) -> Packed:
    batch, key = Batch(), keys.worker(worker_id)
    if cut:
        most = workers.MOST_FIELD_BYTES + 1
        batch.ask("EVAL_RO", _CUT, 1, key, most, *workers.FIELDS)
    else:
        names = (_NO_FIELD if name in left_out else name for name in workers.FIELDS)
        batch.ask("HMGET", key, *names)
    batch.ask("PTTL", key)
    return batch.packed()


def _shortened(value: bytes | None) -> bytes | None:
    """A value of which one byte too many tells that it is too long."""
    most = workers.MOST_FIELD_BYTES + 1
    return value[:most] if value is not None and len(value) > most else value


def _server_commands(server_id: str) -> Packed:
    batch = Batch()
    batch.ask("GETRANGE", server_key(server_id), 0, MOST_SERVER_BYTES)
    # The fields are task ids, the values hold payloads: a bounded read of the names alone.
    batch.ask("HRANDFIELD", workers_key(server_id), MOST_ACTIVE)
    return batch.packed()


def _warn_of_worker(worker: Worker, ttl_ms: int | None, now: float, warnings: Warnings) -> None:
    beat = worker.last_beat_at
    if beat is not None and beat - now > _CLOCK_AHEAD_S:
        warnings.add(f"The clock of worker {worker.id} is {beat - now:.0f} s ahead of Redis")
    if worker.state is WorkerState.STALE and beat is not None and _renewed(ttl_ms):
        warnings.add(
            f"Worker {worker.id} renewed its hash within 30 s: it may be alive, "
            f"with a clock about {now - beat:.0f} s behind Redis"
        )
    _warn_of_problems(worker, warnings)


def _renewed(ttl_ms: int | None) -> bool:
    """Whether a hash that each beat gives 30 s to live has seen one, whatever its clock says."""
    return ttl_ms is not None and 0 < ttl_ms <= workers.STALE_AFTER_S * 1000


def _warn_of_problems(worker: Worker, warnings: Warnings) -> None:
    if worker.problems:
        fields = ", ".join(worker.problems)
        warnings.add(f"Worker {worker.id} has fields that cannot be read: {fields}")


def _warn_of_ghosts(ghosts: list[str], warnings: Warnings) -> None:
    if ghosts:
        named = ", ".join(ghosts[:3]) + (" and others" if len(ghosts) > 3 else "")
        what = "a hash" if len(ghosts) == 1 else f"{len(ghosts)} hashes"
        warnings.add(f"{named}: {what} with only a status, left by a stopped worker: no worker")
