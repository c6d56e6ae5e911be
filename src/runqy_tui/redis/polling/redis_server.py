"""The Redis server: its clock, its version, and its health by INFO."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runqy_tui.model import ServerHealth
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.error_translation import ACL_HINT
from runqy_tui.redis.wire.replies import Reply, ReplySlot, clock, info_fields, refused
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.humanize import span

TOLERANCE_S = 5.0
"""What a clock may be off from one poll to the next; NTP slews by less."""

NOTICE_S = 60.0
"""For how long the warning of a jump lasts: as long as rates reach back."""


def uptime() -> float:
    """Seconds on a clock that is never set; it counts while the machine sleeps, where possible.

    Otherwise a laptop that wakes up would take Redis's clock for one that has jumped.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class ClockWatch:
    """Compares Redis's clock with the time that passed here, poll by poll.

    A reply of TIME was made at some moment between its question and its arrival: only what lies
    outside of all such moments is a jump, so that a slow network is none.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float, float] | None = None
        self._jump = 0.0
        self._jump_s = 0.0
        self._jump_at: float | None = None

    def observe(self, redis_s: float | None, asked_at: float, read_at: float) -> None:
        """Compare Redis's clock with that of the poll before.

        ``asked_at`` and ``read_at`` are when (by :func:`uptime`) TIME was sent and its reply read.
        ``None``: Redis's clock is unknown; there is nothing to compare then.
        """
        last, self._last = self._last, None if redis_s is None else (redis_s, asked_at, read_at)
        if last is None or redis_s is None:
            return
        before, before_asked, before_read = last
        passed = redis_s - before
        least, most = asked_at - before_read, read_at - before_asked
        if not least - TOLERANCE_S <= passed <= most + TOLERANCE_S:
            self._jump += passed - (least + most) / 2
            self._jump_s, self._jump_at = passed - (least + most) / 2, read_at

    def pop_jump(self) -> float:
        """Seconds by which the clock jumped since the last call; 0.0 if it did not."""
        jump, self._jump = self._jump, 0.0
        return jump

    def notice(self, now: float) -> str | None:
        """Warning of a recent jump, ``None`` without one; ``now`` by :func:`uptime`."""
        if self._jump_at is None or now - self._jump_at > NOTICE_S:
            return None
        way = "forward" if self._jump_s > 0 else "back"
        far = span(round(abs(self._jump_s)))
        return (
            f"Redis's clock went {way} by {far} between two polls: it was set, or another server "
            "answers. Ages may be wrong until workers beat again; check NTP there"
        )


class RedisServer:
    """Asks TIME at every poll and INFO once.

    An ACL of ``+@read +@connection +info`` lacks TIME: INFO has the time then. Where neither is
    allowed this machine's clock is used, with a warning. ``has_time``: whether the last reading
    is Redis's own clock.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self.mode: str | None = None
        self._epoch: int | None = None
        self.has_time = True
        self._time_denied = False
        self._time: ReplySlot[Reply] | None = None
        self._info: ReplySlot[Reply] | None = None

    def ask(self, batch: Batch, epoch: int) -> None:
        """Add TIME, and INFO where the connection is new."""
        self._time = batch.ask("TIME")
        fresh = epoch != self._epoch
        self._info = batch.ask("INFO", "server") if fresh or self._time_denied else None
        self._epoch = epoch

    def read(self, replies: list[Reply], warnings: Warnings) -> float:
        """Redis's clock in unix seconds; this machine's where ``has_time`` is false then."""
        info = None if self._info is None else _first(replies[self._info])
        if info is not None:
            self.version = _version(info)
            self.mode = info.get("redis_mode") or info.get("server_mode")
        reply = None if self._time is None else replies[self._time]
        now = clock(reply)
        self._time_denied = refused(reply)
        if now is None and info is not None and info.get("server_time_usec", "").isdigit():
            now = int(info["server_time_usec"]) / 1e6
        self.has_time = now is not None
        if now is None:
            warnings.add(
                f"Redis does not tell its time (TIME): ages are by this machine's clock; {ACL_HINT}"
            )
        return time.time() if now is None else now


def _first(reply: Reply) -> dict[str, str] | None:
    """The fields of INFO; of a cluster's nodes those of the first that replied."""
    parsed = (info_fields(part) for part in (reply if isinstance(reply, list) else [reply]))
    return next((info for info in parsed if info), None)


def _version(info: dict[str, str]) -> str | None:
    """``7.2.4``, or ``valkey 9.1.2``: Valkey's own number, not the one it pretends to be."""
    if info.get("server_name") == "valkey" and "valkey_version" in info:
        return f"valkey {info['valkey_version']}"
    return info.get("redis_version")


EVERY_POLLS = 5
"""INFO costs the server more than a count and changes slowly: it is asked at each fifth poll."""

# One command each: several sections in one INFO need Redis 7.
_SECTIONS = ("memory", "stats", "replication", "persistence")

SAVE_FAILED = "the last background save failed"
AOF_FAILED = "the append-only file cannot be written"
OUT_OF_MEMORY = "out of memory (maxmemory reached, noeviction)"


class HealthPoller:
    """Asks INFO at the first poll, then at each fifth and on a new connection.

    ``latest`` is ``None`` where INFO may not be asked: that is no failure and no warning.
    """

    def __init__(self) -> None:
        self.latest: ServerHealth | None = None
        self._polls = 0
        self._epoch: int | None = None
        self._slots: list[ReplySlot[Reply]] = []

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
        """Parse the replies; what was not asked keeps its value."""
        if not self._slots:
            return
        each: dict[int, dict[str, str]] = {}
        for slot in self._slots:
            reply = replies[slot]
            for place, part in enumerate(reply if isinstance(reply, list) else [reply]):
                each.setdefault(place, {}).update(info_fields(part) or {})
        nodes = [health_of(info) for info in each.values() if info]
        self.latest = worst_of(nodes) if nodes else None


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
    return field_parsing.whole(info[name].encode()) if name in info else None


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
