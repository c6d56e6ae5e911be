"""A link that counts what goes through it."""

from __future__ import annotations

from runqy_tui.model import Topology
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, RedisLink


class CountingLink:
    """Satisfies :class:`RedisLink`. Bytes are those of the protocol, without TLS and TCP.

    ``received`` is exact but for errors, whose text the client library changes.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self.commands = 0
        self.sent = 0
        self.received = 0

    @property
    def round_trips(self) -> int:
        """Of the link."""
        return self._link.round_trips

    @round_trips.setter
    def round_trips(self, value: int) -> None:
        self._link.round_trips = value

    @property
    def epoch(self) -> int:
        """Of the link."""
        return self._link.epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._link.epoch = value

    @property
    def target(self) -> RedisTarget:
        """Of the link."""
        return self._link.target

    @property
    def whereabouts(self) -> Topology:
        """Of the link."""
        return self._link.whereabouts

    async def trip(self, batch: Batch) -> list[Reply]:
        """One round trip, counted."""
        self.commands += batch.count
        self.sent += sum(len(part.wire) for part in batch.parts)
        replies = await self._link.trip(batch)
        self.received += sum(_size(reply) for reply in replies)
        return replies

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()


def _size(reply: Reply) -> int:
    """Bytes of a reply in RESP2, which is what is spoken."""
    if reply is None:
        return 5
    if isinstance(reply, bytes):
        return len(reply) + len(str(len(reply))) + 5
    if isinstance(reply, list):
        return len(str(len(reply))) + 3 + sum(_size(item) for item in reply)
    return len(str(reply)) + 3
