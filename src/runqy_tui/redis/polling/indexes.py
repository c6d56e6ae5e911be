"""Which queues and workers exist: by the indexes, and by a SCAN for what is in none.

Lists without braces (the documented dialect), queues missing in ``asynq:queues``, and worker
hashes outside ``asynq:workers`` (cleanly stopped ones, old ones, ghosts) leave no other trace: a
bounded SCAN finds them, one step further with each poll.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from runqy_tui.model import QueueKey
from runqy_tui.redis import keys
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_parsing import INDEX_LEAD_S
from runqy_tui.redis.wire.replies import (
    Reply,
    ReplySlot,
    UnreachableError,
    data,
    integer,
    pairs,
    refused,
    scan_page,
    score,
    scored,
    wrong_type,
)
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode

QUEUES_PER_STEP = 20_000
MOST_QUEUES = 50_000
MOST_WORKERS = 10_000
WHOLE_EVERY = 5
"""Polls after which the index of workers is read whole again."""

STEP_COLD = 4_000
STEP_WARM = 1_000
REST_S = 60.0
"""Pause between two walks through the key space."""

_WORKERS = b"asynq:workers:*"
_LISTS = b"asynq:*:[pa][ec]*"
_NOT_QUEUES = (keys.WORKER_PREFIX, b"asynq:schedulers:", keys.SERVER_PREFIX, b"asynq:t:")

_NEVER = -1.0
_ASYNQ_MEMBER = keys.WORKER_PREFIX + b"{"
_ASYNQ_SERVER = keys.SERVER_PREFIX + b"{"


class Indexes:
    """Reads ``asynq:queues``, ``asynq:workers`` and ``asynq:servers``: four commands at most.

    ``asynq:workers`` is a zset in current deployments and a set in older ones; both are asked
    until the type is known. ``beats`` maps a runqy worker to its last beat by the index, ``None``
    from a set; ``servers`` maps an asynq server to the moment its entry expires. ``read_once``:
    ``asynq:queues`` was read at least once. ``refused``: no index may be read at all.

    A zset of workers need not be read whole each time: the members with a heartbeat since some
    moment, and the number of all members, show everyone who came; ``is_incomplete``: the number
    differs, so that others must have gone. ``moved`` are the workers whose last heartbeat changed
    with the last read, and ``gone`` those that are no longer in the index.
    """

    def __init__(self) -> None:
        self.queues: frozenset[str] = frozenset()
        self.beats: dict[str, float | None] = {}
        self.servers: dict[str, float | None] = {}
        self.read_once = False
        self._unread = {keys.WORKERS, keys.SERVERS}
        self.refused = False
        self._cursor = 0
        self._partial_names: set[str] = set()
        self._zset: bool | None = None
        self._slots: dict[str, ReplySlot[Reply]] = {}
        self._scores: dict[bytes, Reply] | None = None
        self._server_members: dict[str, float | None] = {}
        self._may_read_part = True
        self._partial_reads = 0
        self.is_incomplete = False
        self.moved: set[str] = set()
        self.gone: set[str] = set()

    @property
    def whole(self) -> bool:
        """Whether both indexes of workers were read at least once."""
        return not self._unread

    def ask(self, batch: Batch, since: float | None = None) -> None:
        """Add this poll's index reads; with ``since`` (unix seconds) no more than is needed.

        The workers are read whole all the same where that is due, or nothing less would do.
        """
        self._slots = {
            "queues": batch.ask("SSCAN", keys.QUEUES, self._cursor, "COUNT", QUEUES_PER_STEP),
            "servers": batch.ask("ZREVRANGE", keys.SERVERS, 0, MOST_WORKERS - 1, "WITHSCORES"),
        }
        self._partial_reads += 1
        in_part = self._zset and self._may_read_part and not self.is_incomplete
        few = 0 < len(self._scores or ()) < MOST_WORKERS
        if since is None or not (in_part and few) or self._partial_reads > WHOLE_EVERY:
            self.ask_workers(batch)
            return
        least = int(since + INDEX_LEAD_S)
        self._slots["since"] = batch.ask(
            "ZRANGE", keys.WORKERS, least, "+inf", "BYSCORE", "LIMIT", 0, MOST_WORKERS, "WITHSCORES"
        )
        self._slots["size"] = batch.ask("ZCARD", keys.WORKERS)

    def ask_workers(self, batch: Batch) -> None:
        """Add the read of the whole index of workers."""
        self._partial_reads = 0
        slots = self._slots
        if self._zset is None:
            slots["type"] = batch.ask("TYPE", keys.WORKERS)
        if self._zset is not False:
            slots["beats"] = batch.ask("ZREVRANGE", keys.WORKERS, 0, MOST_WORKERS - 1, "WITHSCORES")
        if self._zset is not True:
            slots["members"] = batch.ask("SSCAN", keys.WORKERS, 0, "COUNT", MOST_WORKERS)

    async def read(self, replies: list[Reply], warnings: Warnings) -> Reply:
        """Parse the replies and return the one for ``asynq:queues``, which nothing replaces."""
        slots = self._slots
        queues = replies[slots["queues"]]
        self._read_queues(queues, warnings)
        servers = replies[slots["servers"]]
        self.refused = refused(queues) and refused(servers)
        warnings.reply(servers, keys.SERVERS)
        if not isinstance(servers, UnreachableError):
            self.servers = {}
            self._unread.discard(keys.SERVERS)
        for member, expiry in scored(servers):
            self._add_server(member, expiry, _ASYNQ_SERVER)
        if "since" in slots:
            await self._read_since(replies[slots["since"]], replies[slots["size"]])
        else:
            await self.read_workers(replies, warnings)
        if max(len(self.beats), len(self.servers)) >= MOST_WORKERS:
            warnings.add(f"The index of workers is long: only {MOST_WORKERS:,} members were read")
        return queues

    def _read_queues(self, reply: Reply, warnings: Warnings) -> None:
        warnings.reply(reply, keys.QUEUES)
        page = scan_page(reply)
        if page is None:
            return
        self._cursor, names = page
        self.read_once = True
        self._partial_names.update(decode(name) for name in names)
        full = len(self._partial_names) >= MOST_QUEUES
        if full and self._cursor:
            warnings.add(f"asynq:queues is long: only {len(self._partial_names):,} names were read")
            self._cursor = 0
        if self._cursor == 0:
            self.queues = frozenset(self._partial_names)
            self._partial_names.clear()
            return
        # Too many for one step: the rest follows with the next polls, and known names are kept.
        self.queues |= self._partial_names
        warnings.add(f"asynq:queues is long: {len(self.queues):,} names known, more follow")

    def _learn_type(self, reply: Reply) -> None:
        kind = data(reply)
        if kind in (b"zset", b"set"):
            self._zset = kind == b"zset"

    async def _read_since(self, reply: Reply, size: Reply) -> None:
        """Parse the recent heartbeats; an index that cannot be read in part is read whole."""
        self.moved, self.gone = set(), set()
        if isinstance(reply, UnreachableError):
            return  # keep what was known
        if isinstance(reply, Exception) or not isinstance(size, int):
            self._may_read_part = wrong_type(reply)
            self.is_incomplete = True
            return
        known = {} if self._scores is None else self._scores
        await self._update(pairs(reply), known)
        self.is_incomplete = size != len(known)

    async def _update(self, scores: Mapping[bytes, Reply], known: dict[bytes, Reply]) -> None:
        """Update the members whose score differs from the known one: few, from poll to poll."""
        moved = [member for member, raw in scores.items() if known.get(member) != raw]
        for some in batches(moved):
            await yield_to_loop()
            for member in some:
                known[member] = raw = scores[member]
                value = score(raw)
                if not self._add_server(member, value, _ASYNQ_MEMBER):
                    worker_id = decode(member)
                    beat = None if value is None else value - INDEX_LEAD_S
                    if self.beats.get(worker_id, _NEVER) != beat:
                        self.moved.add(worker_id)
                    self.beats[worker_id] = beat
        for server_id, expiry in self._server_members.items():
            self.servers.setdefault(server_id, expiry)

    async def read_workers(self, replies: list[Reply], warnings: Warnings) -> None:
        """Parse the whole index of workers."""
        slots = self._slots
        self.is_incomplete = False
        if "type" in slots:
            self._learn_type(replies[slots["type"]])
        beats = replies[slots["beats"]] if "beats" in slots else None
        members = replies[slots["members"]] if "members" in slots else None
        if wrong_type(beats) and wrong_type(members):
            warnings.reply(beats, keys.WORKERS)
        elif not (wrong_type(beats) or wrong_type(members)):
            warnings.reply(beats, keys.WORKERS)
            warnings.reply(members, keys.WORKERS)
        elif "type" not in slots:
            self._zset = None  # the key changed its type: ask both again
        self.moved, self.gone = set(), set()
        if any(isinstance(reply, UnreachableError) for reply in (beats, members)):
            self._scores, self._server_members = None, {}
            return  # its node is down: keep what was known
        self._unread.discard(keys.WORKERS)
        scores = pairs(beats)
        if (
            "members" not in slots
            and self._scores is not None
            and scores.keys() == self._scores.keys()
        ):
            await self._update(scores, self._scores)
            return
        before, self.beats, self._scores, self._server_members = self.beats, {}, {}, {}
        await self._update(scores, self._scores)
        self._read_members(members, warnings)
        self.moved = {name for name, beat in self.beats.items() if before.get(name, _NEVER) != beat}
        self.gone = before.keys() - self.beats.keys()

    def _read_members(self, reply: Reply, warnings: Warnings) -> None:
        """Parse an index that is a set."""
        page = scan_page(reply)
        for member in page[1] if page else ():
            if not self._add_server(member, None, _ASYNQ_MEMBER):
                self.beats.setdefault(decode(member), None)
        if page and page[0]:
            warnings.add(f"asynq:workers is long: only {len(page[1]):,} members were read")

    def _add_server(self, member: bytes, expiry: float | None, prefix: bytes) -> bool:
        if not (member.startswith(prefix) and member.endswith(b"}")):
            return False
        server_id = decode(member[len(prefix) : -1])
        self.servers.setdefault(server_id, expiry)
        if prefix is _ASYNQ_MEMBER:
            self._server_members[server_id] = expiry
        return True


@dataclass(slots=True)
class _Walk:
    """One SCAN through the key space, in steps."""

    match: bytes
    kind: bytes
    cursor: int = 0
    scanned: int = 0
    finished_at: float | None = None
    slot: ReplySlot[Reply] | None = None
    found: list[bytes] = field(default_factory=list)
    refusal: Reply = None

    def ask(self, batch: Batch, step: int) -> None:
        self.slot = None
        self.found = []
        if self.finished_at is not None and monotonic() - self.finished_at < REST_S:
            return
        self.slot = batch.ask(
            "SCAN", self.cursor, "MATCH", self.match, "COUNT", step, "TYPE", self.kind
        )
        self.scanned = step + (self.scanned if self.cursor else 0)

    def read(self, replies: list[Reply]) -> None:
        if self.slot is None:
            return
        reply = replies[self.slot]
        page = scan_page(reply)
        self.refusal = reply if page is None else None
        if page is None:
            self.finished_at = monotonic()
            return
        self.cursor, self.found = page
        self.finished_at = monotonic() if self.cursor == 0 else None


class KeyspaceScan:
    """Two walks with a cursor each. ``queues`` and ``workers`` were found by their last step."""

    def __init__(self) -> None:
        self._workers = _Walk(_WORKERS, b"hash")
        self._lists = _Walk(_LISTS, b"list")
        self._whole_once = False
        self._size: ReplySlot[int | None] | None = None
        self.size: int | None = None
        self.queues: set[QueueKey] = set()
        self.workers: set[str] = set()

    def ask(self, batch: Batch, step: int) -> None:
        """Add the next step of each walk that is not at rest, and the number of keys."""
        self._workers.ask(batch, step)
        self._lists.ask(batch, step)
        self._size = batch.ask("DBSIZE", parse=integer)

    def read(self, replies: list[Reply]) -> None:
        """Parse the replies."""
        for walk in (self._workers, self._lists):
            walk.read(replies)
        self.size = None if self._size is None else self._size.value(replies)
        self.workers = {
            decode(key[len(keys.WORKER_PREFIX) :])
            for key in self._workers.found
            if not key.endswith(keys.LOGS_SUFFIX) and key[len(keys.WORKER_PREFIX) :][:1] != b"{"
        }
        self.queues = {
            queue
            for key in self._lists.found
            if not key.startswith(_NOT_QUEUES) and (queue := keys.queue_of_list(key))
        }
        walks = (self._workers, self._lists)
        self._whole_once |= all(walk.finished_at is not None for walk in walks)

    @property
    def is_allowed(self) -> bool:
        """Whether the ACL allows SCAN."""
        return not any(refused(walk.refusal) for walk in (self._workers, self._lists))

    def warn(self, warnings: Warnings) -> None:
        """Warn of what was refused, and of how much the first walk has scanned so far."""
        for walk in (self._workers, self._lists):
            warnings.reply(walk.refusal, b"The key space")
        if self._whole_once or not self.size:
            return
        scanned = min(self._workers.scanned, self._lists.scanned, self.size)
        warnings.add(
            f"Scanned {scanned:,} of {self.size:,} keys so far for lists without braces "
            "and for workers outside the index"
        )
