"""The indexes: which queues are registered, which workers beat or once did."""

from __future__ import annotations

from collections.abc import Mapping

from runqy_tui.redis import keys
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_parsing import INDEX_LEAD_S
from runqy_tui.redis.wire.replies import (
    Reply,
    ReplySlot,
    UnreachableError,
    data,
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

_NEVER = -1.0
_ASYNQ_MEMBER = keys.WORKER_PREFIX + b"{"
_ASYNQ_SERVER = keys.SERVER_PREFIX + b"{"


class Indexes:
    """Reads ``asynq:queues``, ``asynq:workers`` and ``asynq:servers``: four commands at most.

    ``asynq:workers`` is a zset in current deployments and a set in older ones; both are asked
    until the type is known. ``beats`` maps a runqy worker to its last beat by the index, ``None``
    from a set; ``servers`` maps an asynq server to the moment its entry expires. ``read_once``:
    ``asynq:queues`` was read at least once. ``refused``: no index may be read at all.

    A zset of workers need not be read whole each time: who has beaten since some moment, and how
    many there are, tells of everyone who came, and ``doubtful`` that others must have gone.
    ``moved`` are the workers whose beat, by the last read, is another than before, and ``gone``
    those that are no longer in the index.
    """

    def __init__(self) -> None:
        self.queues: frozenset[str] = frozenset()
        self.beats: dict[str, float | None] = {}
        self.servers: dict[str, float | None] = {}
        self.read_once = False
        self._unread = {keys.WORKERS, keys.SERVERS}
        self.refused = False
        self._cursor = 0
        self._partial: set[str] = set()
        self._zset: bool | None = None
        self._slots: dict[str, ReplySlot[Reply]] = {}
        self._told: dict[bytes, Reply] | None = None
        self._working: dict[str, float | None] = {}
        self._knows_since = True
        self._parts = 0
        self.doubtful = False
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
        self._parts += 1
        in_part = self._zset and self._knows_since and not self.doubtful
        few = 0 < len(self._told or ()) < MOST_WORKERS
        if since is None or not (in_part and few) or self._parts > WHOLE_EVERY:
            self.ask_workers(batch)
            return
        least = int(since + INDEX_LEAD_S)
        self._slots["since"] = batch.ask(
            "ZRANGE", keys.WORKERS, least, "+inf", "BYSCORE", "LIMIT", 0, MOST_WORKERS, "WITHSCORES"
        )
        self._slots["size"] = batch.ask("ZCARD", keys.WORKERS)

    def ask_workers(self, batch: Batch) -> None:
        """Add the read of the whole index of workers."""
        self._parts = 0
        slots = self._slots
        if self._zset is None:
            slots["type"] = batch.ask("TYPE", keys.WORKERS)
        if self._zset is not False:
            slots["beats"] = batch.ask("ZREVRANGE", keys.WORKERS, 0, MOST_WORKERS - 1, "WITHSCORES")
        if self._zset is not True:
            slots["members"] = batch.ask("SSCAN", keys.WORKERS, 0, "COUNT", MOST_WORKERS)

    async def read(self, replies: list[Reply], warnings: Warnings) -> Reply:
        """Take the replies in. Gives the reply for ``asynq:queues``, which nothing replaces."""
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
        self._partial.update(decode(name) for name in names)
        full = len(self._partial) >= MOST_QUEUES
        if full and self._cursor:
            warnings.add(f"asynq:queues is long: only {len(self._partial):,} names were read")
            self._cursor = 0
        if self._cursor == 0:
            self.queues = frozenset(self._partial)
            self._partial.clear()
            return
        # Too many for one step: the rest follows with the next polls, and what is known stays.
        self.queues |= self._partial
        warnings.add(f"asynq:queues is long: {len(self.queues):,} names known, more follow")

    def _learn_type(self, reply: Reply) -> None:
        kind = data(reply)
        if kind in (b"zset", b"set"):
            self._zset = kind == b"zset"

    async def _read_since(self, reply: Reply, size: Reply) -> None:
        """Take in who has beaten; an index that cannot be read so is read whole."""
        self.moved, self.gone = set(), set()
        if isinstance(reply, UnreachableError):
            return  # what was known stays
        if isinstance(reply, Exception) or not isinstance(size, int):
            self._knows_since = wrong_type(reply)
            self.doubtful = True
            return
        told = {} if self._told is None else self._told
        await self._see(pairs(reply), told)
        self.doubtful = size != len(told)

    async def _see(self, news: Mapping[bytes, Reply], told: dict[bytes, Reply]) -> None:
        """Take in those whose score is another than what was ``told``: few, from poll to poll."""
        moved = [member for member, raw in news.items() if told.get(member) != raw]
        for part in batches(moved):
            await yield_to_loop()
            for member in part:
                told[member] = raw = news[member]
                value = score(raw)
                if not self._add_server(member, value, _ASYNQ_MEMBER):
                    worker_id = decode(member)
                    beat = None if value is None else value - INDEX_LEAD_S
                    if self.beats.get(worker_id, _NEVER) != beat:
                        self.moved.add(worker_id)
                    self.beats[worker_id] = beat
        for server_id, expiry in self._working.items():
            self.servers.setdefault(server_id, expiry)

    async def read_workers(self, replies: list[Reply], warnings: Warnings) -> None:
        """Take in the whole index of workers."""
        slots = self._slots
        self.doubtful = False
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
            self._told, self._working = None, {}
            return  # where its node is down, what was known stays
        self._unread.discard(keys.WORKERS)
        news = pairs(beats)
        if "members" not in slots and self._told is not None and news.keys() == self._told.keys():
            await self._see(news, self._told)
            return
        before, self.beats, self._told, self._working = self.beats, {}, {}, {}
        await self._see(news, self._told)
        self._read_members(members, warnings)
        self.moved = {name for name, beat in self.beats.items() if before.get(name, _NEVER) != beat}
        self.gone = before.keys() - self.beats.keys()

    def _read_members(self, reply: Reply, warnings: Warnings) -> None:
        """Take in an index that is a set."""
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
            self._working[server_id] = expiry
        return True
