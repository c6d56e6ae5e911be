"""Values of a size that nobody meant, made by the server itself: nothing of them crosses a wire."""

from __future__ import annotations

from typing import Any

from runqy_tui.redis.decoding import proto
from tests.support import dialect_writers

MIB = 1024 * 1024


def long_field(client: Any, key: str, field: str, before: str, unit: str, times: int) -> None:
    """A hash field of ``before`` and so many times ``unit``."""
    script = "return redis.call('hset',KEYS[1],ARGV[1],ARGV[2]..string.rep(ARGV[3],ARGV[4]))"
    client.eval(script, 1, key, field, before, unit, times)


def long_message(client: Any, key: str, size: int, **fields: Any) -> None:
    """A ``msg`` whose payload has so many bytes (a multiple of 64 KiB), and fields behind it."""
    head = b"\x0a\x01t\x12" + _varint(size)
    tail = dialect_writers.message(**fields)
    script = "return redis.call('hset',KEYS[1],'msg',ARGV[1]..string.rep(ARGV[2],ARGV[3])..ARGV[4])"
    client.eval(script, 1, key, head, b"p" * 65_536, size // 65_536, tail)


def names(client: Any, key: str, count: int, length: int) -> None:
    """A set of so many names of this length."""
    script = (
        "for i=1,ARGV[1] do local n=tostring(i) "
        "redis.call('sadd',KEYS[1],n..string.rep('n',ARGV[2]-#n)) end"
    )
    client.eval(script, 1, key, count, length)


def long_lines(client: Any, key: str, count: int, size: int) -> None:
    """Log lines with a text of this size each."""
    script = (
        "for i=1,ARGV[1] do redis.call('rpush',KEYS[1],"
        '\'{"ts":1795484095421,"src":"stderr","text":"\'..string.rep(\'x\',ARGV[2])'
        "..'\",\"seq\":'..i..'}') end"
    )
    client.eval(script, 1, key, count, size)


def many_queues(worker: int, count: int) -> str:
    """A worker's map of so many queues."""
    return "map[" + " ".join(f"w{worker}.queue-{number:05}:1" for number in range(count)) + "]"


def huge_server(count: int) -> bytes:
    """A ``ServerInfo`` with so many queues."""
    queues = [{"key": b"queue-%06d" % number, "value": 1} for number in range(count)]
    info = proto.ServerInfo(host=b"h", pid=1, server_id=b"u", concurrency=8, queues=queues)
    encoded: bytes = info.SerializeToString()
    return encoded


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
