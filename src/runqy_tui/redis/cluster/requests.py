"""Commands taken apart again where a cluster has to send them in another way."""

from __future__ import annotations


def args_of(wire: bytes) -> list[bytes]:
    """The arguments of one command that :func:`~runqy_tui.redis.wire.commands.encode` made."""
    line, _, rest = wire.partition(b"\r\n")
    found: list[bytes] = []
    for _ in range(int(line[1:])):
        line, _, rest = rest.partition(b"\r\n")
        size = int(line[1:])
        found.append(rest[:size])
        rest = rest[size + 2 :]
    return found
