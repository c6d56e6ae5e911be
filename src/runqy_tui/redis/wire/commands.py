"""The commands this program may send, and the wire form of one: nothing else reaches Redis.

Everything here reads. :func:`encode` refuses what is not listed, so that a mistake anywhere in
the program ends in an error and not in a write.
"""

from __future__ import annotations

ALLOWED = frozenset(
    {
        "ASKING",
        "CLIENT SETNAME",
        "CLUSTER SLOTS",
        "DBSIZE",
        "EVAL_RO",
        "EXISTS",
        "GETRANGE",
        "HEXISTS",
        "HGET",
        "HKEYS",
        "HLEN",
        "HMGET",
        "HRANDFIELD",
        "HSTRLEN",
        "INFO",
        "LINDEX",
        "LLEN",
        "LRANGE",
        "MGET",
        "PTTL",
        "SCAN",
        "SENTINEL GET-MASTER-ADDR-BY-NAME",
        "SSCAN",
        "STRLEN",
        "TIME",
        "TYPE",
        "ZCARD",
        "ZRANGE",
        "ZRANK",
        "ZREVRANGE",
        "ZSCORE",
    }
)
"""Names as Redis spells them; of the containers, only these subcommands."""

_CONTAINERS = frozenset({"CLIENT", "CLUSTER", "SENTINEL"})
_KEYLESS = frozenset({"ASKING", "DBSIZE", "INFO", "SCAN", "TIME"}) | _CONTAINERS


class NotAllowedError(Exception):
    """A command outside :data:`ALLOWED`: a mistake in this program, never the user's."""


def encode(*args: bytes | str | int) -> bytes:
    """One command in wire form; ``NotAllowedError`` where it may not be sent."""
    name = args[0]
    if name in _CONTAINERS:
        name = f"{args[0]!s} {args[1]!s}"
    if name not in ALLOWED:
        raise NotAllowedError(f"{name!r} is not among the commands of a monitor")
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def key_of(*args: bytes | str | int) -> bytes | None:
    """The key that decides which node of a cluster answers; ``None`` where any may."""
    name = args[0]
    if name in _KEYLESS:
        return None
    key = args[3] if name == "EVAL_RO" else args[1]
    return key if isinstance(key, bytes) else str(key).encode()
