"""Every worker of the three dialects, read in one batch and remembered between polls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TypeAlias

from runqy_tui.model import Worker
from runqy_tui.redis import keys
from runqy_tui.redis.polling.asynq_servers import AsynqServers
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_state import CachedWorker, Presence, serves_lists
from runqy_tui.redis.wire.fast_connection import ReplyStream
from runqy_tui.redis.wire.replies import integer, refused
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.runtime.cooperative import batches, yield_to_loop

_AskedWorker: TypeAlias = tuple[CachedWorker, int, bool]
"""A worker, the place of its reply, and whether PTTL follows there."""

_by_id = attrgetter("id")


class WorkerPoller:
    """All known workers: those of the index, and those that were found outside it.

    ``ghosts`` are ids of hashes with a status and nothing else. ``whole``: none is missing because
    its node is down. ``routes`` counts how often a worker came, went, or changed in what makes it
    a consumer.
    """

    def __init__(self) -> None:
        self.servers = AsynqServers()
        self._workers: dict[str, CachedWorker] = {}
        self._asked: list[_AskedWorker] = []
        self._again: list[str] = []
        self._may_cut = True
        self._found: list[str] = []
        self.ghosts: tuple[str, ...] = ()
        self.whole = True
        self.routes = 0

    @property
    def cost(self) -> int:
        """Commands that it takes to read everyone, but for measuring the life left of hashes."""
        return len(self._workers) + self.servers.cost

    def begin(self) -> None:
        """Start a poll: no worker has been read yet."""
        self._asked = []
        for known in self._workers.values():
            known.fresh = False

    def learn(self, ids: Iterable[str]) -> list[str]:
        """Remember workers and return those that are new or to be read again."""
        again, self._again = self._again, []
        new = [worker_id for worker_id in ids if worker_id not in self._workers]
        for worker_id in new:
            self._workers[worker_id] = CachedWorker(worker_id)
        return [*again, *new]

    def ids(self) -> list[str]:
        """Ids of all workers that are known, but for the asynq servers."""
        return list(self._workers)

    def select_due(
        self, now: float, room: int, seen: Collection[str] = ()
    ) -> tuple[list[str], int]:
        """Return the ids of those that may have news, and how many commands to read them takes.

        Those ``seen`` on a screen that were read without metrics are due as well. Where there is
        no ``room`` for all of them, the longest unread come first, and at least one is read.
        """
        for known in map(self._workers.get, seen):
            if known is not None and known.is_light:
                known.due_at = now
        due = [known for known in self._workers.values() if known.due_at <= now]
        due.sort(key=attrgetter("read_at"))
        selected: list[str] = []
        spent = 0
        for known in due:
            cost = 1 + known.needs_ttl(now)
            if selected and spent + cost > room:
                break
            selected.append(known.id)
            spent += cost
        return selected, spent

    def read_times_of_unread(self) -> dict[str, float]:
        """Maps the ids of workers that this poll left out to the moment each was read.

        Lost ones do not count: a worker that comes back moves its score in the index.
        """
        return {
            known.id: known.read_at
            for known in self._workers.values()
            if not known.fresh and known.presence is Presence.PRESENT
        }

    def unread(self, ids: Iterable[str]) -> list[str]:
        """Those that are known and that this poll has not read."""
        known = ((worker_id, self._workers.get(worker_id)) for worker_id in ids)
        return [worker_id for worker_id, worker in known if worker and not worker.fresh]

    def mark_due(self, ids: Iterable[str]) -> None:
        """Have those read next whose score has moved and that this poll has not read."""
        for known in map(self._workers.get, ids):
            if known is not None and not known.fresh:
                known.due_at = 0.0

    def documented_queues(self) -> set[str]:
        """Names of the lists that workers of the documented dialect serve."""
        return {
            name
            for known in self._workers.values()
            if known.parsed and serves_lists(known)
            for name in known.parsed.worker.queues
        }

    async def ask(
        self,
        batch: Batch,
        ids: Iterable[str],
        light_at: float | None = None,
        seen: Collection[str] | None = None,
    ) -> None:
        """Add the reads of these workers.

        With ``light_at`` (Redis's clock) the remaining life of a hash is measured only where it
        does not follow from the heartbeats; and with the ids ``seen`` on a screen, metrics of
        others are read only where the known ones are old.
        """
        self._asked = asked = []
        for some in batches([self._workers[worker_id] for worker_id in ids]):
            await yield_to_loop()
            for known in some:
                whole = light_at is None or seen is None or known.id in seen
                command = known.command(may_cut=self._may_cut, light_at=None if whole else light_at)
                place = batch.join(command).start
                measured = light_at is None or known.needs_ttl(light_at)
                if measured:
                    batch.ask("PTTL", keys.worker(known.id))
                asked.append((known, place, measured))

    async def read(
        self, incoming: ReplyStream, now: float, beats: Mapping[str, float | None]
    ) -> None:
        """Parse the replies to :meth:`ask`; ``beats`` are the last heartbeats by the index."""
        replies = incoming.replies
        for some in batches(self._asked):
            await incoming.until(some[-1][1] + 2)
            for known, place, measured in some:
                reply = replies[place]
                if not measured and known.is_unchanged(reply, now):
                    continue
                if known.is_cut and refused(reply):
                    self._may_cut = False
                    self._again.append(known.id)  # by HMGET, which may be allowed
                    known.presence, known.is_cut = Presence.UNREADABLE, False
                    continue
                before = known.parsed
                known.read(reply, may_cut=self._may_cut)
                if known.parsed is not before and serves_lists(known):
                    self.routes += 1
                ttl_ms = integer(replies[place + 1]) if measured else None
                scored = beats.get(known.id) is not None
                known.schedule(now, scored=scored, measured=measured, ttl_ms=ttl_ms)
        self._asked = []

    async def classify(
        self,
        beats: Mapping[str, float | None],
        expiries: Mapping[str, float | None],
        now: float,
        warnings: Warnings,
    ) -> list[Worker]:
        """Every worker as of this poll, sorted by id; forgets those that left no trace.

        ``beats`` maps the workers of the index to their last heartbeat there, ``expiries`` the
        asynq servers to the moment their entry expires.
        """
        found: list[Worker] = []
        ghosts: list[str] = []
        gone: list[str] = []
        self.whole = True
        for some in batches(self._workers.values()):
            await yield_to_loop()
            for known in some:
                before = known.worker
                if known.settled and before is not None:
                    found.append(before)
                    continue
                worker = self._classify_worker(known, beats, now, warnings)
                if worker is not None:
                    found.append(worker)
                    self.routes += before is None or _serves_otherwise(before, worker)
                elif known.has_hash:
                    ghosts.append(known.id)
                elif known.presence is Presence.ABSENT:
                    gone.append(known.id)
        for worker_id in gone:
            del self._workers[worker_id]
        found.extend(self._classify_servers(expiries, now, warnings))
        _warn_of_ghosts(ghosts, warnings)
        self.ghosts = tuple(sorted(ghosts))
        found.sort(key=_by_id)
        ids = [worker.id for worker in found]
        self.routes += ids != self._found
        self._found = ids
        return found

    def _classify_worker(
        self,
        known: CachedWorker,
        beats: Mapping[str, float | None],
        now: float,
        warnings: Warnings,
    ) -> Worker | None:
        """``None`` for a ghost, for one that left no trace, and for one that cannot be read.

        The last is no proof of a loss: it is refused or of a wrong type, which a warning names.
        """
        if known.error is not None:
            warnings.reply(known.error, keys.worker(known.id))
        indexed, parsed = known.id in beats, known.parsed
        if known.has_hash and parsed is not None and not (parsed.is_ghost and indexed):
            if parsed.is_ghost:
                return None
            return known.classify(parsed, beats.get(known.id), now, warnings)
        if known.presence is Presence.AWAY and indexed and known.worker is not None:
            return known.last_seen(known.worker, beats[known.id])
        if known.presence in (Presence.UNREADABLE, Presence.AWAY):
            self.whole &= known.presence is not Presence.AWAY
            return None
        return known.lost(beats[known.id]) if indexed else None

    def _classify_servers(
        self, expiries: Mapping[str, float | None], now: float, warnings: Warnings
    ) -> Iterator[Worker]:
        for before, worker in self.servers.classify(expiries, now, warnings):
            self.routes += before is None or _serves_otherwise(before, worker)
            yield worker
        self.whole &= self.servers.whole


def _serves_otherwise(before: Worker, worker: Worker) -> bool:
    """Whether it serves other queues than before, or as another kind of consumer."""
    if before is worker:
        return False
    same = before.queues is worker.queues or before.queues == worker.queues
    return not same or before.state is not worker.state or before.dialect is not worker.dialect


def _warn_of_ghosts(ghosts: list[str], warnings: Warnings) -> None:
    if ghosts:
        named = ", ".join(ghosts[:3]) + (" and others" if len(ghosts) > 3 else "")
        what = "a hash" if len(ghosts) == 1 else f"{len(ghosts)} hashes"
        warnings.add(f"{named}: {what} with only a status, left by a stopped worker: no worker")
