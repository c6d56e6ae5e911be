"""The commands this program may send, and the wire form of one: nothing else reaches Redis.

All of them only read. :func:`encode` refuses a command that is not listed, so that a mistake
anywhere in the program ends in an error and not in a write.
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
_FEW = 512
_SIZES = tuple(b"$%d\r\n" % size for size in range(_FEW))
"""The length line that precedes an argument of so many bytes."""

_KEY_MARKER = b"\0key\0"
_KEYLESS = frozenset({"ASKING", "DBSIZE", "INFO", "SCAN", "TIME"}) | _CONTAINERS


class NotAllowedError(Exception):
    """A command outside :data:`ALLOWED`: a mistake in this program, never the user's."""


def encode(*args: bytes | str | int) -> bytes:
    """One command in wire form. Raises ``NotAllowedError`` if it is not in :data:`ALLOWED`."""
    name = args[0]
    if name in _CONTAINERS:
        name = f"{args[0]!s} {args[1]!s}"
    if name not in ALLOWED:
        raise NotAllowedError(f"{name!r} is not one of the commands a monitor may send")
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = arg if isinstance(arg, bytes) else str(arg).encode()
        size = len(raw)
        parts += (_SIZES[size] if size < _FEW else b"$%d\r\n" % size, raw, b"\r\n")
    return b"".join(parts)


class Pattern:
    """A command of which only the key differs: the rest is encoded once.

    ``None`` stands for the key. Raises ``NotAllowedError`` if the command is not allowed.
    """

    __slots__ = ("_after", "_before", "name")

    def __init__(self, *args: bytes | str | int | None) -> None:
        whole = encode(*(_KEY_MARKER if arg is None else arg for arg in args))
        self._before, _, self._after = whole.partition(
            b"$%d\r\n%b\r\n" % (len(_KEY_MARKER), _KEY_MARKER)
        )
        self.name = str(args[0])

    def encode(self, key: bytes) -> bytes:
        """The command for a key, in wire form."""
        return b"%b$%d\r\n%b\r\n%b" % (self._before, len(key), key, self._after)


def key_of(*args: bytes | str | int) -> bytes | None:
    """The key that decides which node of a cluster serves the command; ``None`` if any may."""
    name = args[0]
    if name in _KEYLESS:
        return None
    key = args[3] if name == "EVAL_RO" else args[1]
    return key if isinstance(key, bytes) else str(key).encode()
