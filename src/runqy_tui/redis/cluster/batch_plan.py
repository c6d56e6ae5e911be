"""Splits a batch by node of a cluster, and joins the replies: keys by slot, SCAN by primary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from redis.crc import key_slot
from redis.exceptions import ResponseError

from runqy_tui.redis.cluster.slot_map import SlotMap
from runqy_tui.redis.connecting.url_parsing import Address
from runqy_tui.redis.wire.command_encoding import encode
from runqy_tui.redis.wire.replies import Reply, UnreachableError, integer, items, scan_page
from runqy_tui.redis.wire.transport import Batch, Packed


def args_of(wire: bytes) -> list[bytes]:
    """The arguments of one command in the wire form that ``command_encoding.encode`` makes."""
    line, _, rest = wire.partition(b"\r\n")
    found: list[bytes] = []
    for _ in range(int(line[1:])):
        line, _, rest = rest.partition(b"\r\n")
        size = int(line[1:])
        found.append(rest[:size])
        rest = rest[size + 2 :]
    return found


_MOST_SCANS = 32
"""Scans that are remembered; one that is forgotten starts again, which costs time and no keys."""


class ClusterScan:
    """SCAN over a cluster: its cursor stands for one cursor per primary; 0 starts and ends a scan.

    A primary that joins during a scan is scanned from its beginning, one that leaves is
    forgotten, and one that is down is left out until the next scan. A key whose slot moves
    meanwhile may be returned twice.
    """

    def __init__(self) -> None:
        self._at: dict[int, dict[Address, int]] = {0: {}}
        self._names = count(1)

    def step(self, wire: bytes, primaries: Iterable[Address]) -> tuple[int, dict[Address, bytes]]:
        """The cursor of a SCAN in wire form, and the SCAN for each primary that is not finished.

        They share the COUNT, so that a step covers as many keys as on a single server.
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
        """Join the replies to the commands of :meth:`step`; an error if one of them is an error."""
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
        while len(self._at) > _MOST_SCANS:
            del self._at[next(key for key in self._at if key)]
        return [b"%d" % name, found]


Fold = Callable[[list[Reply]], Reply]


class BatchPlan:
    """The commands of one trip, by number: those of the batch, then those made from them.

    ``homes`` holds the node of a command without a key, and of one that was redirected; those in
    ``asking`` go to a node that is still importing their slot (ASKING).
    """

    def __init__(self, batch: Batch, slot_map: SlotMap, scan: ClusterScan) -> None:
        self.wires = [wire for part in batch.parts for wire in part.wires]
        self.keys = [key for part in batch.parts for key in part.keys]
        self.names = [name for part in batch.parts for name in part.names]
        self.replies: list[Reply] = [None] * len(self.wires)
        self.homes: dict[int, Address] = {}
        self.asking: set[int] = set()
        self.todo: list[int] = []
        self._count = len(self.wires)
        self._folds: list[tuple[int, list[int], Fold]] = []
        self._scan = scan
        for index, key in enumerate(self.keys[:]):
            if key is not None and b"{}" not in key:
                self.todo.append(index)
            else:
                self.todo.extend(self._expand(index, slot_map))

    def owner(self, index: int, slot_map: SlotMap) -> Address | None:
        """The node of a command; ``None`` if no node serves its slot, or any node will do."""
        home = self.homes.get(index)
        key = self.keys[index]
        if home is not None or key is None:
            return home
        return slot_map.owners[key_slot(key)]

    def anywhere(self, index: int) -> bool:
        """Whether any node may answer."""
        return self.keys[index] is None and index not in self.homes

    def packed(self, indexes: Sequence[int]) -> tuple[Packed, list[int]]:
        """The commands for one node, and the index of each command's reply."""
        order: list[int | None] = []
        places: list[int] = []
        for index in indexes:
            if index in self.asking:
                order.append(None)
            places.append(len(order))
            order.append(index)
        wires = tuple([_ASKING if index is None else self.wires[index] for index in order])
        keys = tuple([None if index is None else self.keys[index] for index in order])
        names = tuple(["ASKING" if index is None else self.names[index] for index in order])
        return Packed(b"".join(wires), len(wires), wires, keys, names), places

    def scatter(self, index: int) -> list[int]:
        """Split a command into one per key; returns their indexes, none if it has only one key.

        Its keys may belong to several slots (a queue whose name leaves the hash tag empty), or
        to a slot of which some have moved to another node already.
        """
        name = self.names[index]
        keys = args_of(self.wires[index])[1:] if name in _ALL_ARGUMENTS_KEYS else []
        if len(keys) < 2:
            return []
        parts = [self._add(encode(name, key), name, key) for key in keys]
        self._folds.append((index, parts, _ALL_ARGUMENTS_KEYS[name]))
        return parts

    def answers(self) -> list[Reply]:
        """The reply to each command of the batch, in its order."""
        for index, parts, fold in reversed(self._folds):
            self.replies[index] = fold([self.replies[part] for part in parts])
        return self.replies[: self._count]

    def _expand(self, index: int, slot_map: SlotMap) -> list[int]:
        key, name = self.keys[index], self.names[index]
        if key is not None:  # its hash tag is empty: each of its keys has a slot of its own
            return self.scatter(index) or [index]
        if name == "SCAN":
            cursor, steps = self._scan.step(self.wires[index], slot_map.primaries)
            asked = list(steps)
            parts = [self._add(wire, name, None, home) for home, wire in steps.items()]

            def join(replies: list[Reply]) -> Reply:
                return self._scan.join(cursor, dict(zip(asked, replies, strict=True)))

            self._folds.append((index, parts, join))
            return parts
        if name in _ON_EVERY_NODE:
            wire = self.wires[index]
            parts = [self._add(wire, name, None, home) for home in slot_map.primaries]
            self._folds.append((index, parts, _ON_EVERY_NODE[name]))
            return parts
        return [index]

    def _add(self, wire: bytes, name: str, key: bytes | None, home: Address | None = None) -> int:
        self.wires.append(wire)
        self.names.append(name)
        self.keys.append(key)
        self.replies.append(None)
        if home is not None:
            self.homes[len(self.wires) - 1] = home
        return len(self.wires) - 1


def _gathered(replies: list[Reply]) -> Reply:
    """The values of an MGET."""
    return _error(replies) or [value for reply in replies for value in items(reply)]


def _counted(replies: list[Reply]) -> Reply:
    """How many keys an EXISTS found."""
    return _error(replies) or sum(integer(reply) or 0 for reply in replies)


def _error(replies: list[Reply]) -> ResponseError | None:
    return next((reply for reply in replies if isinstance(reply, ResponseError)), None)


def _sum(replies: list[Reply]) -> Reply:
    counted = [number for reply in replies if (number := integer(reply)) is not None]
    return sum(counted) if counted else next(iter(replies), None)


def _each(replies: list[Reply]) -> Reply:
    return replies


_ALL_ARGUMENTS_KEYS: dict[str, Fold] = {"EXISTS": _counted, "MGET": _gathered}
"""Commands whose every argument is a key."""

_ON_EVERY_NODE: dict[str, Fold] = {"DBSIZE": _sum, "INFO": _each}
_ASKING = encode("ASKING")
