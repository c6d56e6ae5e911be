"""How the server itself fares, from INFO: memory, evictions, role, and why it refuses writes."""

from __future__ import annotations

from runqy_tui.model import ServerHealth
from runqy_tui.redis import parse
from runqy_tui.redis.replies import Reply, info_fields
from runqy_tui.redis.transport import Batch

EVERY_POLLS = 5
"""INFO costs the server more than a count and changes slowly: it is asked at each fifth poll."""

# One command each: several sections in one INFO need Redis 7.
_SECTIONS = ("memory", "stats", "replication", "persistence")

SAVE_FAILED = "the last background save failed"
AOF_FAILED = "the append-only file cannot be written"
OUT_OF_MEMORY = "out of memory (maxmemory reached, noeviction)"


class Health:
    """Asks INFO at the first poll, then at each fifth and on a new connection.

    ``latest`` is ``None`` where INFO may not be asked: that is no failure and no warning.
    """

    def __init__(self) -> None:
        self.latest: ServerHealth | None = None
        self._polls = 0
        self._epoch: int | None = None
        self._slots: list[int] = []

    def ask(self, batch: Batch, epoch: int) -> None:
        """Add INFO where it is due."""
        fresh = epoch != self._epoch
        self._slots = []
        if fresh or self._polls >= EVERY_POLLS:
            self._slots = [batch.ask("INFO", section) for section in _SECTIONS]
            self._polls = 0
        self._polls += 1
        self._epoch = epoch

    def read(self, replies: list[Reply]) -> None:
        """Take in the replies; what was not asked stays as it was."""
        if not self._slots:
            return
        told: dict[str, str] = {}
        for slot in self._slots:
            told |= info_fields(replies[slot]) or {}
        self.latest = health_of(told) if told else None


def health_of(info: dict[str, str]) -> ServerHealth:
    """The state of a server by the fields of its INFO sections."""
    link = info.get("master_link_status")
    return ServerHealth(
        role=info.get("role"),
        master_link_up=None if link is None else link == "up",
        used_memory_bytes=_whole(info, "used_memory"),
        maxmemory_bytes=_whole(info, "maxmemory"),
        maxmemory_policy=info.get("maxmemory_policy"),
        evicted_keys=_whole(info, "evicted_keys"),
        writes_blocked=_blocked(info),
    )


def _whole(info: dict[str, str], name: str) -> int | None:
    return parse.whole(info[name].encode()) if name in info else None


def _blocked(info: dict[str, str]) -> str | None:
    """Why a master refuses writes; a replica refuses them by its role, whatever else is wrong."""
    if info.get("role") == "slave":
        return None
    if info.get("rdb_last_bgsave_status") == "err":
        return SAVE_FAILED
    if info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "err":
        return AOF_FAILED
    return OUT_OF_MEMORY if _full(info) else None


def _full(info: dict[str, str]) -> bool:
    used, most = _whole(info, "used_memory"), _whole(info, "maxmemory")
    if not most or used is None or info.get("maxmemory_policy") != "noeviction":
        return False
    # Buffers of replicas and of the append-only file do not count against the limit.
    return used - (_whole(info, "mem_not_counted_for_evict") or 0) >= most
