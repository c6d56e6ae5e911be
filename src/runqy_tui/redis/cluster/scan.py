"""Commands taken apart again where a cluster has to send them in another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

from runqy_tui.redis.cluster.slot_map import UnreachableError
from runqy_tui.redis.connecting.url_parsing import Address
from runqy_tui.redis.wire.commands import encode
from runqy_tui.redis.wire.replies import Reply, scan_page


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


_MOST = 32
"""Walks that are remembered; one that is forgotten begins anew, which costs time and no keys."""


class ClusterScan:
    """Cursors of a cluster stand for where each primary's own walk is; 0 begins and ends one.

    A primary that joins in mid-walk is walked from its beginning, one that leaves is forgotten,
    and one that is down is left out until the next walk: what moved meanwhile may be met twice.
    """

    def __init__(self) -> None:
        self._at: dict[int, dict[Address, int]] = {0: {}}
        self._names = count(1)

    def step(self, wire: bytes, primaries: Iterable[Address]) -> tuple[int, dict[Address, bytes]]:
        """The cursor of a SCAN in wire form, and the SCAN for each primary with more to tell.

        They share the COUNT, so that a step looks at as many keys as on a single server.
        """
        args = args_of(wire)
        cursor = int(args[1]) if args[1].isdigit() and int(args[1]) in self._at else 0
        at = self._at[cursor]
        going = [address for address in primaries if not (cursor and at.get(address) == 0)]
        if b"COUNT" in args:
            place = args.index(b"COUNT") + 1
            args[place] = b"%d" % max(1, -(-int(args[place]) // max(1, len(going))))
        return cursor, {address: encode("SCAN", at.get(address, 0), *args[2:]) for address in going}

    def join(self, cursor: int, replies: Mapping[Address, Reply]) -> Reply:
        """One reply from those of :meth:`step`; an error where any of them is one."""
        at = {address: where for address, where in self._at[cursor].items() if where == 0}
        found: list[Reply] = []
        for address, reply in replies.items():
            page = scan_page(reply)
            if page is not None:
                at[address] = page[0]
                found.extend(page[1])
            elif isinstance(reply, UnreachableError):
                at[address] = 0
            else:
                return reply
        if not any(at.values()):
            return [b"0", found]
        name = next(self._names)
        self._at[name] = at
        while len(self._at) > _MOST:
            del self._at[next(key for key in self._at if key)]
        return [b"%d" % name, found]
