"""The reads of workers' hashes, from a pattern: a large fleet is asked for thousands per poll."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from runqy_tui.redis import keys
from runqy_tui.redis.polling import workers
from runqy_tui.redis.wire.commands import encode
from runqy_tui.redis.wire.transport import Batch, Packed

MOST_READ = workers.MOST_FIELD_BYTES + 1
METRICS = frozenset({b"metrics"})

_NO_FIELD = b"-"
"""Stands where a field is not to be read: nobody writes one of this name."""

_NO_KEY = encode("HMGET", b"")[-6:]
_NAMES = ("HMGET",)
_CUT = (
    "local v=redis.call('hmget',KEYS[1],unpack(ARGV,2)) local m=tonumber(ARGV[1]) "
    "for i=1,#v do if v[i] and #v[i]>m then v[i]=string.sub(v[i],1,m) end end return v"
)
"""HMGET with each value cut: how a worker is read as long as nobody knows how long its are."""


def hash_read(worker_id: str, left_out: Collection[bytes] = ()) -> Packed:
    """The read of a worker's hash without these fields; each has its place in the reply."""
    key = keys.worker(worker_id)
    head, tail = _frame(frozenset(left_out))
    wire = b"%b$%d\r\n%b\r\n%b" % (head, len(key), key, tail)
    return Packed(wire, 1, (wire,), (key,), _NAMES)


def cut_read(worker_id: str) -> Packed:
    """The same, but the server shortens what is too long."""
    batch = Batch()
    batch.ask("EVAL_RO", _CUT, 1, keys.worker(worker_id), MOST_READ, *workers.FIELDS)
    return batch.packed()


@lru_cache(maxsize=64)
def _frame(left_out: frozenset[bytes]) -> tuple[bytes, bytes]:
    """What comes before and after the key, in wire form."""
    names = (_NO_FIELD if name in left_out else name for name in workers.FIELDS)
    head, _, tail = encode("HMGET", b"", *names).partition(_NO_KEY)
    return head, tail
