"""How the server itself fares, from INFO: memory, evictions, role, and why it refuses writes."""

from __future__ import annotations

from collections.abc import Sequence

from runqy_tui.model import ServerHealth
from runqy_tui.redis.decoding import parse
from runqy_tui.redis.wire.replies import Reply, info_fields
from runqy_tui.redis.wire.transport import Batch

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
        each: dict[int, dict[str, str]] = {}
        for slot in self._slots:
            reply = replies[slot]
            for place, part in enumerate(reply if isinstance(reply, list) else [reply]):
                each.setdefault(place, {}).update(info_fields(part) or {})
        told = [health_of(info) for info in each.values() if info]
        self.latest = worst_of(told) if told else None


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


def worst_of(nodes: Sequence[ServerHealth]) -> ServerHealth:
    """One state for all primaries of a cluster: each figure is of the node that is worst off.

    Memory is the fullest node's, limit and policy with it; evictions are summed up. A reason why
    writes are refused is named wherever one node has it, with how many have.
    """
    if len(nodes) == 1:
        return nodes[0]
    fullest = max(nodes, key=_fullness)
    evicted = [node.evicted_keys for node in nodes if node.evicted_keys is not None]
    blocked = [node.writes_blocked for node in nodes if node.writes_blocked]
    links = [node.master_link_up for node in nodes if node.master_link_up is not None]
    return ServerHealth(
        role=next((node.role for node in nodes if node.role != "master"), "master"),
        master_link_up=all(links) if links else None,
        used_memory_bytes=fullest.used_memory_bytes,
        maxmemory_bytes=fullest.maxmemory_bytes,
        maxmemory_policy=fullest.maxmemory_policy,
        evicted_keys=sum(evicted) if evicted else None,
        writes_blocked=(
            f"{blocked[0]} on {len(blocked)} of {len(nodes)} nodes" if blocked else None
        ),
    )


def _fullness(node: ServerHealth) -> tuple[float, int]:
    used, most = node.used_memory_bytes or 0, node.maxmemory_bytes
    return (used / most if most else 0.0), used


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
