"""Every worker of the three dialects, read in one batch and remembered between polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis import codec, keys, servers, workers
from runqy_tui.redis.replies import Reply, data, integer, items, strings
from runqy_tui.redis.transport import Batch, Packed
from runqy_tui.redis.warn import Warnings
from runqy_tui.safetext import decode, encode

MOST_SERVER_BYTES = 65_535
MOST_ACTIVE = 1_000
_CLOCK_AHEAD_S = 5.0


@dataclass(slots=True)
class _Known:
    """A runqy or documented worker. ``raw`` and ``facts`` are of the last time it had a hash."""

    packed: Packed
    raw: list[Reply] | None = None
    facts: workers.Facts | None = None
    ttl_ms: int | None = None
    here: bool = False
    unreadable: bool = False


@dataclass(slots=True)
class _KnownServer:
    packed: Packed
    raw: bytes | None = None
    info: codec.ServerInfo | None = None
    active: tuple[str, ...] = ()
    here: bool = False
    unreadable: bool = False


class Fleet:
    """All known workers: those of the index, and those that were found outside it."""

    def __init__(self) -> None:
        self._workers: dict[str, _Known] = {}
        self._servers: dict[str, _KnownServer] = {}
        self._asked: list[tuple[str, int]] = []
        self._asked_servers: list[tuple[str, int]] = []
        self.ghosts: tuple[str, ...] = ()

    def learn(self, ids: Iterable[str], server_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Remember workers and asynq servers; gives those that are new."""
        new = [worker_id for worker_id in ids if worker_id not in self._workers]
        for worker_id in new:
            self._workers[worker_id] = _Known(_worker_commands(worker_id))
        new_servers = [server_id for server_id in server_ids if server_id not in self._servers]
        for server_id in new_servers:
            self._servers[server_id] = _KnownServer(_server_commands(server_id))
        return new, new_servers

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
        self._asked = [(name, batch.join(self._workers[name].packed)) for name in ids]
        self._asked_servers = [
            (name, batch.join(self._servers[name].packed)) for name in server_ids
        ]

    def read(self, replies: list[Reply], warnings: Warnings) -> None:
        """Take in the replies to :meth:`ask`."""
        for worker_id, place in self._asked:
            reply = replies[place]
            warnings.reply(reply, keys.worker(worker_id))
            known = self._workers[worker_id]
            known.unreadable = isinstance(reply, ResponseError)
            known.ttl_ms = integer(replies[place + 1])
            values = items(reply)
            if values == known.raw:
                known.here = True
                continue
            facts = workers.read_facts([data(value) for value in values]) if values else None
            known.here = facts is not None
            if facts is not None:
                known.raw, known.facts = values, facts
        for server_id, place in self._asked_servers:
            self._read_server(server_id, replies[place], replies[place + 1], warnings)
        self._asked, self._asked_servers = [], []

    def _read_server(self, server_id: str, info: Reply, active: Reply, warnings: Warnings) -> None:
        warnings.reply(info, server_key(server_id))
        warnings.reply(active, workers_key(server_id))
        known = self._servers[server_id]
        raw = data(info)
        known.unreadable = isinstance(info, ResponseError)
        known.here = bool(raw)
        if raw and raw != known.raw:
            known.raw, known.info = raw, codec.decode_server(raw)
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
                    found.append(worker)
            elif known.unreadable:
                continue  # refused or of a wrong type: said in a warning, and no proof of a loss
            elif indexed:
                found.append(workers.lost(worker_id, facts, beats[worker_id], now))
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
                found.append(servers.judge(server_id, known.info, expiry, known.active, now))
                _warn_of_problems(found[-1], warnings)
            elif known.unreadable:
                continue
            elif server_id in expiries:
                found.append(servers.lost(server_id, known.info))
            else:
                del self._servers[server_id]
        return found


def server_key(server_id: str) -> bytes:
    """String with an asynq server's ``ServerInfo``."""
    return keys.SERVER_PREFIX + b"{" + encode(server_id) + b"}"


def workers_key(server_id: str) -> bytes:
    """Hash with the ``WorkerInfo`` of each task an asynq server works on."""
    return keys.WORKER_PREFIX + b"{" + encode(server_id) + b"}"


def _worker_commands(worker_id: str) -> Packed:
    batch = Batch()
    batch.ask("HMGET", keys.worker(worker_id), *workers.FIELDS)
    batch.ask("PTTL", keys.worker(worker_id))
    return batch.packed()


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
