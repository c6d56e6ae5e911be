"""Every worker of the three dialects, read in one batch and remembered between polls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from redis.exceptions import ResponseError

from runqy_tui.model import Worker
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import codec
from runqy_tui.redis.polling import asynq_servers
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_state import CachedWorker, serves_lists, warn_of_problems
from runqy_tui.redis.wire.fast_connection import Taking
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, integer, refused, strings
from runqy_tui.redis.wire.transport import Batch, Packed
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode, encode

MOST_SERVER_BYTES = 262_144
MOST_ACTIVE = 1_000
_SERVER_COST = 2
_by_id = attrgetter("id")


@dataclass(slots=True)
class _KnownServer:
    packed: Packed
    replies: tuple[Reply, Reply] = (None, None)
    raw: bytes | None = None
    info: codec.ServerInfo | None = None
    cut: bool = False
    active: tuple[str, ...] = ()
    here: bool = False
    unreadable: bool = False
    away: bool = False
    last: Worker | None = None


class WorkerPoller:
    """All known workers: those of the index, and those that were found outside it.

    ``routes`` counts how often a worker came, went, or changed in what makes it a consumer.
    """

    def __init__(self) -> None:
        self._workers: dict[str, CachedWorker] = {}
        self._servers: dict[str, _KnownServer] = {}
        self._asked: list[CachedWorker] = []
        self._places: list[int] = []
        self._asked_servers: list[tuple[str, int]] = []
        self._again: list[str] = []
        self._may_cut = True
        self._found: list[str] = []
        self.ghosts: tuple[str, ...] = ()
        self.whole = True
        self.routes = 0

    @property
    def cost(self) -> int:
        """Commands that it takes to read everyone, but for what is left of a few hashes' lives."""
        return len(self._workers) + _SERVER_COST * len(self._servers)

    def begin(self) -> None:
        """Start a poll: nobody has been read yet."""
        self._asked, self._places, self._asked_servers = [], [], []
        for known in self._workers.values():
            known.fresh = False

    def learn(self, ids: Iterable[str], server_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Remember workers and asynq servers; gives those that are new or to be read again."""
        again, self._again = self._again, []
        new = [worker_id for worker_id in ids if worker_id not in self._workers]
        for worker_id in new:
            self._workers[worker_id] = CachedWorker(worker_id)
        new_servers = [server_id for server_id in server_ids if server_id not in self._servers]
        for server_id in new_servers:
            self._servers[server_id] = _KnownServer(_server_commands(server_id))
        return [*again, *new], new_servers

    def everyone(self) -> list[str]:
        """Ids of all workers that are known, but for the asynq servers."""
        return list(self._workers)

    def due(self, now: float, room: int, seen: Collection[str] = ()) -> tuple[list[str], int]:
        """Who may have news, and how many commands that takes.

        So does who is ``seen`` from now on, and was read without metrics. Where there is no
        ``room`` for all of them, those come first whom nobody read for longest, and at least one
        is read.
        """
        for known in map(self._workers.get, seen):
            if known is not None and known.light:
                known.due_at = now
        due = [known for known in self._workers.values() if known.due_at <= now]
        due.sort(key=attrgetter("read_at"))
        taken: list[str] = []
        spent = 0
        for known in due:
            cost = 1 + known.wants_ttl(now)
            if taken and spent + cost > room:
                break
            taken.append(known.id)
            spent += cost
        return taken, spent

    def asynq_servers(self) -> tuple[list[str], int]:
        """All asynq servers, which are always due, and how many commands that takes."""
        return list(self._servers), _SERVER_COST * len(self._servers)

    def oldest_read_at(self) -> float | None:
        """When the worker was read that nobody read for longest; ``None`` if this poll read all.

        The lost do not count: who comes back from there moves its score.
        """
        unread = (
            known.read_at for known in self._workers.values() if known.here and not known.fresh
        )
        return min(unread, default=None)

    def read_times_of_unread(self) -> dict[str, float]:
        """Maps the ids of workers that this poll left out to the moment each was read."""
        return {
            known.id: known.read_at
            for known in self._workers.values()
            if known.here and not known.fresh
        }

    def unread(self, ids: Iterable[str]) -> list[str]:
        """Those that are known and that this poll has not read."""
        known = ((worker_id, self._workers.get(worker_id)) for worker_id in ids)
        return [worker_id for worker_id, worker in known if worker and not worker.fresh]

    def beaten(self, ids: Iterable[str]) -> None:
        """Take up whose score has moved: who was not read meanwhile is due, lost ones too."""
        for worker_id in ids:
            known = self._workers.get(worker_id)
            if known is not None and not known.fresh:
                known.due_at = 0.0

    def documented_queues(self) -> set[str]:
        """Names of the lists that workers of the documented dialect serve."""
        return {
            name
            for known in self._workers.values()
            if serves_lists(known) and known.facts
            for name in known.facts.queues
        }

    async def ask(
        self,
        batch: Batch,
        ids: Iterable[str],
        server_ids: Iterable[str],
        sparing_at: float | None = None,
        seen: Collection[str] | None = None,
    ) -> None:
        """Add the reads of these workers.

        With ``sparing_at`` (Redis's clock) what is left of a hash's life is asked only where it
        does not follow from the beats; and where somebody says who is ``seen``, metrics of others
        only where they were not read lately.
        """
        self._asked = [self._workers[worker_id] for worker_id in ids]
        self._places = places = []
        for part in batches(self._asked):
            await yield_to_loop()
            for known in part:
                whole = sparing_at is None or seen is None or known.id in seen
                command = known.command(
                    may_cut=self._may_cut, sparing_at=None if whole else sparing_at
                )
                places.append(batch.join(command).start)
                known.measured = sparing_at is None or known.wants_ttl(sparing_at)
                if known.measured:
                    batch.ask("PTTL", keys.worker(known.id))
        self._asked_servers = [
            (name, batch.join(self._servers[name].packed).start) for name in server_ids
        ]

    def read(
        self, replies: list[Reply], now: float, beats: Mapping[str, float | None]
    ) -> Taking[None]:
        """Take in the replies to :meth:`ask`; ``beats`` is what the index says."""
        for part in batches(zip(self._asked, self._places, strict=True)):
            yield part[-1][1] + 2
            for known, place in part:
                reply = replies[place]
                if not known.measured and known.stays(reply, now):
                    replies[place] = None
                    continue
                if known.careful and refused(reply):
                    self._may_cut = False
                    self._again.append(known.id)  # by HMGET, which may be allowed
                    known.unreadable, known.careful = True, False
                    continue
                before = known.facts
                known.read(reply, may_cut=self._may_cut)
                if known.facts is not before and serves_lists(known):
                    self.routes += 1
                known.ttl_ms = integer(replies[place + 1]) if known.measured else None
                known.expect(now, scored=beats.get(known.id) is not None)
        for server_id, place in self._asked_servers:
            yield place + 2
            self._read_server(server_id, replies[place], replies[place + 1])
        self._asked, self._places, self._asked_servers = [], [], []

    def _read_server(self, server_id: str, info: Reply, active: Reply) -> None:
        known = self._servers[server_id]
        known.replies = (info, active)
        raw = data(info)
        known.unreadable = isinstance(info, ResponseError)
        known.away = isinstance(info, UnreachableError)
        known.here = bool(raw)
        if raw and raw != known.raw:
            known.raw = raw
            known.cut = len(raw) > MOST_SERVER_BYTES
            known.info = codec.decode_server(codec.whole_fields(raw) if known.cut else raw)
        known.active = tuple(sorted(decode(task_id) for task_id in strings(active)))

    async def judge(
        self,
        beats: Mapping[str, float | None],
        expiries: Mapping[str, float | None],
        now: float,
        warnings: Warnings,
    ) -> list[Worker]:
        """Every worker as of this poll, sorted by id; forgets those that left no trace."""
        found: list[Worker] = []
        ghosts: list[str] = []
        gone: list[str] = []
        self.whole = True
        for part in batches(self._workers.values()):
            await yield_to_loop()
            for known in part:
                before = known.last
                if before is not None and (known.steady or (known.fresh and known.calm)):
                    found.append(before)
                    continue
                worker = self._judge_worker(known, beats, now, warnings)
                if worker is not None:
                    found.append(worker)
                    self.routes += before is None or _serves_otherwise(before, worker)
                elif known.here:
                    ghosts.append(known.id)
                elif not known.unreadable:
                    gone.append(known.id)
        for worker_id in gone:
            del self._workers[worker_id]
        found.extend(self._judge_servers(expiries, now, warnings))
        _warn_of_ghosts(ghosts, warnings)
        self.ghosts = tuple(sorted(ghosts))
        found.sort(key=_by_id)
        ids = [worker.id for worker in found]
        self.routes += ids != self._found
        self._found = ids
        return found

    def _judge_worker(
        self,
        known: CachedWorker,
        beats: Mapping[str, float | None],
        now: float,
        warnings: Warnings,
    ) -> Worker | None:
        """``None`` for a ghost, for one that left no trace, and for one that cannot be read.

        The last is no proof of a loss: it is refused or of a wrong type, as a warning says.
        """
        if isinstance(known.reply, ResponseError):
            warnings.reply(known.reply, keys.worker(known.id))
        indexed = known.id in beats
        facts = known.facts
        if known.here and facts is not None and not (facts.ghost and indexed):
            return None if facts.ghost else known.judge(beats.get(known.id), now, warnings)
        if known.away and indexed and known.last is not None:
            return known.last_seen(known.last, beats[known.id])
        if known.unreadable:
            self.whole &= not known.away
            return None
        return known.lost(beats[known.id]) if indexed else None

    def _judge_servers(
        self, expiries: Mapping[str, float | None], now: float, warnings: Warnings
    ) -> list[Worker]:
        found: list[Worker] = []
        for server_id, known in list(self._servers.items()):
            before = known.last
            warnings.reply(known.replies[0], server_key(server_id))
            warnings.reply(known.replies[1], workers_key(server_id))
            if known.here:
                expiry = expiries.get(server_id)
                judged = asynq_servers.judge(server_id, known.info, expiry, known.active, now)
                cut = replace(judged, problems=("server (over 256 KiB)",))
                found.append(cut if known.cut else judged)
                known.last = found[-1]
                warn_of_problems(known.last, warnings)
            elif known.away and server_id in expiries and known.last is not None:
                found.append(known.last)
            elif known.unreadable:
                self.whole &= not known.away
                continue
            elif server_id in expiries:
                known.last = asynq_servers.lost(server_id, known.info)
                found.append(known.last)
            else:
                del self._servers[server_id]
                continue
            self.routes += before is None or _serves_otherwise(before, found[-1])
        return found


def _serves_otherwise(before: Worker, worker: Worker) -> bool:
    """Whether it serves other queues than before, or as another kind of consumer."""
    if before is worker:
        return False
    same = before.queues is worker.queues or before.queues == worker.queues
    return not same or before.state is not worker.state or before.dialect is not worker.dialect


def server_key(server_id: str) -> bytes:
    """String with an asynq server's ``ServerInfo``."""
    return keys.SERVER_PREFIX + b"{" + encode(server_id) + b"}"


def workers_key(server_id: str) -> bytes:
    """Hash with the ``WorkerInfo`` of each task an asynq server works on."""
    return keys.WORKER_PREFIX + b"{" + encode(server_id) + b"}"


def _server_commands(server_id: str) -> Packed:
    batch = Batch()
    batch.ask("GETRANGE", server_key(server_id), 0, MOST_SERVER_BYTES)
    # The fields are task ids, the values hold payloads: a bounded read of the names alone.
    batch.ask("HRANDFIELD", workers_key(server_id), MOST_ACTIVE)
    return batch.packed()


def _warn_of_ghosts(ghosts: list[str], warnings: Warnings) -> None:
    if ghosts:
        named = ", ".join(ghosts[:3]) + (" and others" if len(ghosts) > 3 else "")
        what = "a hash" if len(ghosts) == 1 else f"{len(ghosts)} hashes"
        warnings.add(f"{named}: {what} with only a status, left by a stopped worker: no worker")
