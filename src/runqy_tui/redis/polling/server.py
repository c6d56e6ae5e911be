"""The server itself: its clock at every poll, its version and mode once per connection."""

from __future__ import annotations

from time import time

from runqy_tui.redis.polling.warn import Warnings
from runqy_tui.redis.wire.faults import ACL_HINT
from runqy_tui.redis.wire.replies import Reply, clock, info_fields, refused
from runqy_tui.redis.wire.transport import Batch


class Server:
    """Asks TIME at every poll and INFO once.

    An ACL of ``+@read +@connection +info`` lacks TIME: INFO then tells the time. Where neither is
    allowed the clock of this machine has to do, and a warning says so.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self.mode: str | None = None
        self._epoch: int | None = None
        self.tells_time = True
        self._time_denied = False
        self._time_slot = -1
        self._info_slot = -1

    def ask(self, batch: Batch, epoch: int) -> None:
        """Add TIME, and INFO where the connection is new."""
        self._time_slot = batch.ask("TIME")
        fresh = epoch != self._epoch
        self._info_slot = batch.ask("INFO", "server") if fresh or self._time_denied else -1
        self._epoch = epoch

    def read(self, replies: list[Reply], warnings: Warnings) -> float:
        """Redis's clock in unix seconds; this machine's where ``tells_time`` is false then."""
        info = _first(replies[self._info_slot]) if self._info_slot >= 0 else None
        if info is not None:
            self.version = _version(info)
            self.mode = info.get("redis_mode") or info.get("server_mode")
        reply = replies[self._time_slot]
        now = clock(reply)
        self._time_denied = refused(reply)
        if now is None and info is not None and info.get("server_time_usec", "").isdigit():
            now = int(info["server_time_usec"]) / 1e6
        self.tells_time = now is not None
        if now is None:
            warnings.add(
                f"Redis does not tell its time (TIME): ages are by this machine's clock; {ACL_HINT}"
            )
        return time() if now is None else now


def _first(reply: Reply) -> dict[str, str] | None:
    """The fields of INFO; of a cluster's nodes those of the first that tells them."""
    told = (info_fields(part) for part in (reply if isinstance(reply, list) else [reply]))
    return next((info for info in told if info), None)


def _version(info: dict[str, str]) -> str | None:
    """``7.2.4``, or ``valkey 9.1.2``: Valkey's own number, not the one it pretends to be."""
    if info.get("server_name") == "valkey" and "valkey_version" in info:
        return f"valkey {info['valkey_version']}"
    return info.get("redis_version")
