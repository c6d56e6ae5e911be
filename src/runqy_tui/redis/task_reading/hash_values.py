"""Reads hash fields that may be large: each up to a limit and never beyond."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from redis.exceptions import ResponseError

from runqy_tui.model import Blob
from runqy_tui.redis.wire.replies import Reply, ReplySlot, data, items
from runqy_tui.redis.wire.transport import Batch, RedisLink

WHOLE_LIMIT = 16 * 1024 * 1024
"""Without partial reads a value up to this size is read whole and cut by the client."""

_SUB = "return string.sub(redis.call('hget',KEYS[1],ARGV[1]),ARGV[2],ARGV[3])"
"""GETRANGE reads a part of a string; for a hash field that takes a read-only script."""

REFUSED_NOTE = "Redis allows no partial read (EVAL_RO): values over 16 MiB are left out"


def ask_part(
    batch: Batch, key: bytes, name: bytes, start: int, length: int
) -> ReplySlot[bytes | None]:
    """Add the read of bytes ``start`` to ``start + length`` of a hash field."""
    return batch.ask("EVAL_RO", _SUB, 1, key, name, start + 1, start + length, parse=data)


@dataclass(slots=True)
class Values:
    """Fields of a hash: ``data`` what was read of them, ``sizes`` their full sizes."""

    sizes: dict[bytes, int] = field(default_factory=dict)
    data: dict[bytes, bytes] = field(default_factory=dict)
    refused: bool = False

    def blob(self, name: bytes, limit: int) -> Blob | None:
        """A field, cut to the limit; ``None`` if the hash lacks it."""
        if name not in self.sizes:
            return None
        found = self.data.get(name, b"")
        return Blob(found[:limit], max(self.sizes[name], len(found)))

    def small(self, name: bytes) -> bytes | None:
        """A field that was read whole; ``None`` otherwise."""
        found = self.data.get(name)
        return found if found is not None and len(found) >= self.sizes[name] else None

    def blobs(self, limit: int) -> dict[bytes, Blob]:
        """Every field, cut to the limit."""
        cut = {name: self.blob(name, limit) for name in self.sizes}
        return {name: blob for name, blob in cut.items() if blob is not None}


class FieldsRead:
    """Reads known fields of one hash in a batch of the caller, together with other reads."""

    def __init__(self, key: bytes, sizes: Mapping[bytes, int], limit: int) -> None:
        self.values = Values(sizes=dict(sizes))
        self._key = key
        self._limit = limit
        self._small = [name for name, size in sizes.items() if size <= limit]
        self._large = [name for name, size in sizes.items() if size > limit]
        self._small_values: ReplySlot[list[Reply]] | None = None
        self._parts: dict[bytes, ReplySlot[bytes | None]] = {}

    def ask(self, batch: Batch) -> None:
        """Add the reads: whole where a value fits, else its first bytes."""
        if self._small:
            self._small_values = batch.ask("HMGET", self._key, *self._small, parse=items)
        self._parts = {
            name: ask_part(batch, self._key, name, 0, self._limit) for name in self._large
        }

    def parse(self, replies: list[Reply]) -> None:
        """Keep the values that were read, and whether partial reads were refused."""
        if self._small_values is not None:
            self._keep(zip(self._small, self._small_values.value(replies), strict=False))
        parts = self._parts.values()
        self.values.refused = any(isinstance(replies[slot], ResponseError) for slot in parts)
        self._keep((name, replies[slot]) for name, slot in self._parts.items())

    async def finish(self, link: RedisLink) -> None:
        """If partial reads were refused: read values up to the limit whole, in one more trip.

        Raises what :meth:`RedisLink.trip` raises.
        """
        if not self.values.refused:
            return
        batch = Batch()
        whole = {
            name: batch.ask("HGET", self._key, name)
            for name in self._large
            if name not in self.values.data and self.values.sizes[name] <= WHOLE_LIMIT
        }
        replies = await link.trip(batch)
        self._keep((name, replies[slot]) for name, slot in whole.items())

    def _keep(self, pairs: Iterable[tuple[bytes, Reply]]) -> None:
        for name, reply in pairs:
            raw = data(reply)
            if raw is not None:
                self.values.data[name] = raw
