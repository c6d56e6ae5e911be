"""The asynq servers: their heartbeats as workers, read in full at every poll."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import codec
from runqy_tui.redis.decoding.codec import ServerInfo
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_state import Presence, warn_of_problems
from runqy_tui.redis.wire.fast_connection import ReplyStream
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, strings
from runqy_tui.redis.wire.transport import Batch, Packed
from runqy_tui.text.safe import decode, encode

GRACE_S = 5.0
"""A server renews its entry every few seconds: one late renewal is no silence."""

MAX_SERVER_BYTES = 262_144
MAX_ACTIVE = 1_000
COMMANDS_PER_SERVER = 2

_STATES = {
    "active": WorkerState.RUNNING,
    "new": WorkerState.BOOTSTRAPPING,
    "stopped": WorkerState.STOPPED,
    "closed": WorkerState.STOPPED,
}


@dataclass(slots=True)
class _CachedServer:
    """``info`` was decoded from ``raw``; ``worker`` is what the last poll returned."""

    packed: Packed
    replies: tuple[Reply, Reply] = (None, None)
    raw: bytes | None = None
    info: ServerInfo | None = None
    is_cut: bool = False
    active: tuple[str, ...] = ()
    presence: Presence = Presence.ABSENT
    worker: Worker | None = None


class AsynqServers:
    """Reads every known asynq server. ``whole``: none is missing because its node is down."""

    def __init__(self) -> None:
        self._known: dict[str, _CachedServer] = {}
        self._asked: list[tuple[str, slice]] = []
        self.whole = True

    @property
    def cost(self) -> int:
        """Commands that a read of all of them takes."""
        return COMMANDS_PER_SERVER * len(self._known)

    @property
    def ids(self) -> list[str]:
        """Ids of all servers that are known."""
        return list(self._known)

    def learn(self, ids: Iterable[str]) -> list[str]:
        """Remember servers and return those that are new."""
        new = [server_id for server_id in ids if server_id not in self._known]
        for server_id in new:
            self._known[server_id] = _CachedServer(_commands(server_id))
        return new

    def ask(self, batch: Batch, ids: Iterable[str]) -> None:
        """Add the reads of these servers."""
        self._asked = [(name, batch.join(self._known[name].packed)) for name in ids]

    async def read(self, incoming: ReplyStream) -> None:
        """Parse the replies to :meth:`ask`."""
        for server_id, places in self._asked:
            await incoming.until(places.stop)
            info, active = incoming.replies[places]
            self._read_one(self._known[server_id], info, active)
        self._asked = []

    @staticmethod
    def _read_one(known: _CachedServer, info: Reply, active: Reply) -> None:
        known.replies = info, active
        raw = data(info)
        if raw:
            known.presence = Presence.PRESENT
        elif isinstance(info, UnreachableError):
            known.presence = Presence.AWAY
        else:
            refused = isinstance(info, ResponseError)
            known.presence = Presence.UNREADABLE if refused else Presence.ABSENT
        if raw and raw != known.raw:
            known.raw = raw
            known.is_cut = len(raw) > MAX_SERVER_BYTES
            known.info = codec.decode_server(codec.whole_fields(raw) if known.is_cut else raw)
        known.active = tuple(sorted(decode(task_id) for task_id in strings(active)))

    def classify(
        self, expiries: Mapping[str, float | None], now: float, warnings: Warnings
    ) -> list[tuple[Worker | None, Worker]]:
        """Every server as of this poll, after what it was before; forgets those without a trace.

        ``expiries`` maps the ids of the index to the moment each entry expires.
        """
        found: list[tuple[Worker | None, Worker]] = []
        self.whole = True
        for server_id, known in list(self._known.items()):
            warnings.reply(known.replies[0], server_key(server_id))
            warnings.reply(known.replies[1], workers_key(server_id))
            before = known.worker
            if known.presence is Presence.PRESENT:
                worker = classify(server_id, known.info, expiries.get(server_id), known.active, now)
                if known.is_cut:
                    worker = replace(worker, problems=("server (over 256 KiB)",))
                warn_of_problems(worker, warnings)
            elif known.presence is Presence.AWAY and server_id in expiries and before is not None:
                worker = before
            elif known.presence is not Presence.ABSENT:
                self.whole &= known.presence is not Presence.AWAY
                continue
            elif server_id in expiries:
                worker = lost(server_id, known.info)
            else:
                del self._known[server_id]
                continue
            known.worker = worker = before if before is not None and before == worker else worker
            found.append((before, worker))
        return found


def classify(
    worker_id: str,
    info: ServerInfo | None,
    expires_at: float | None,
    active_tasks: tuple[str, ...],
    now: float,
) -> Worker:
    """A server whose key exists. ``info`` is ``None`` where its bytes cannot be decoded.

    ``expires_at`` is the score in ``asynq:servers``. When it last sent a heartbeat is not known:
    the score is only the moment until which the entry holds.
    """
    state = _STATES.get(info.status if info else "", WorkerState.RUNNING)
    if state is not WorkerState.STOPPED and expires_at is not None and expires_at + GRACE_S < now:
        state = WorkerState.STALE
    if info is None:
        return Worker(worker_id, Dialect.ASYNQ, state, problems=("server",))
    return Worker(
        id=worker_id,
        dialect=Dialect.ASYNQ,
        state=state,
        status=info.status or None,
        started_at=info.started_at,
        concurrency=info.concurrency,
        queues=dict(info.queues),
        active_tasks=active_tasks,
        active_count=info.active_count,
    )


def lost(worker_id: str, seen: ServerInfo | None) -> Worker:
    """An index member whose key is gone; ``seen`` is what the key held while it existed."""
    return Worker(
        id=worker_id,
        dialect=Dialect.ASYNQ,
        state=WorkerState.LOST,
        started_at=seen.started_at if seen else None,
        concurrency=seen.concurrency if seen else None,
        queues=dict(seen.queues) if seen else {},
    )


def server_key(server_id: str) -> bytes:
    """String with an asynq server's ``ServerInfo``."""
    return keys.SERVER_PREFIX + b"{" + encode(server_id) + b"}"


def workers_key(server_id: str) -> bytes:
    """Hash with the ``WorkerInfo`` of each task an asynq server works on."""
    return keys.WORKER_PREFIX + b"{" + encode(server_id) + b"}"


def _commands(server_id: str) -> Packed:
    batch = Batch()
    batch.ask("GETRANGE", server_key(server_id), 0, MAX_SERVER_BYTES)
    # The fields are task ids, the values hold payloads: a bounded read of the names alone.
    batch.ask("HRANDFIELD", workers_key(server_id), MAX_ACTIVE)
    return batch.packed()
