"""The reads of workers' hashes, from a pattern: a large fleet is asked for thousands per poll."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from runqy_tui.redis import keys
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.wire.command_encoding import Pattern
from runqy_tui.redis.wire.transport import Packed, packed_for

MOST_READ = worker_parsing.MOST_FIELD_BYTES + 1
METRICS = frozenset({b"metrics"})

_NO_FIELD = b"-"
"""Stands where a field is not to be read: nobody writes one of this name."""

_CUT = (
    "local v=redis.call('hmget',KEYS[1],unpack(ARGV,2)) local m=tonumber(ARGV[1]) "
    "for i=1,#v do if v[i] and #v[i]>m then v[i]=string.sub(v[i],1,m) end end return v"
)
"""HMGET with each value cut: how a worker is read as long as nobody knows how long its are."""


_CUT_READ = Pattern("EVAL_RO", _CUT, 1, None, MOST_READ, *worker_parsing.FIELDS)


def hash_read(worker_id: str, left_out: Collection[bytes] = ()) -> Packed:
    """The read of a worker's hash without these fields; each has its place in the reply."""
    return packed_for(keys.worker(worker_id), _read_without(frozenset(left_out)))


def cut_read(worker_id: str) -> Packed:
    """The same, but the server shortens what is too long."""
    return packed_for(keys.worker(worker_id), _CUT_READ)


@lru_cache(maxsize=64)
def _read_without(left_out: frozenset[bytes]) -> Pattern:
    names = (_NO_FIELD if name in left_out else name for name in worker_parsing.FIELDS)
    return Pattern("HMGET", None, *names)
