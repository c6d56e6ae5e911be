"""Which node of a cluster serves which slot, from a CLUSTER SLOTS reply."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS

from runqy_tui.redis.connecting.url_parsing import Address
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, integer, items


class UnservedError(UnreachableError):
    """Stands for the reply of a slot that no node of the cluster serves."""

    def __init__(self) -> None:
        super().__init__(
            "Some hash slots are served by no node of the cluster: their contents are unknown; "
            "assign them with CLUSTER ADDSLOTS, or wait for the failover"
        )


class SlotMap(NamedTuple):
    """The primaries that serve slots, by address, and the one of each slot."""

    primaries: tuple[Address, ...]
    owners: tuple[Address | None, ...]


def parse_slots(reply: Reply, asked_host: str) -> SlotMap | None:
    """Parse a CLUSTER SLOTS reply; ``None`` if it names no node.

    ``asked_host`` is the host that sent the reply. A node that announces no host, or a loopback
    address, is reached there: behind a port forwarding nothing else would lead to it.
    """
    owners: list[Address | None] = [None] * SLOTS
    for entry in items(reply):
        parts = items(entry)
        if len(parts) < 3:
            continue
        first, last, address = integer(parts[0]), integer(parts[1]), _address(parts[2], asked_host)
        if first is None or last is None or address is None or not 0 <= first <= last < SLOTS:
            continue
        owners[first : last + 1] = [address] * (last - first + 1)
    primaries = _distinct(owners)
    return SlotMap(primaries, tuple(owners)) if primaries else None


def reachable(host: str, asked_host: str) -> str:
    """The host at which a node that announces itself as ``host`` is reached."""
    return asked_host if host in ("", "?") or _loopback(host) else host


def _address(reply: Reply, asked_host: str) -> Address | None:
    parts = items(reply)
    port = integer(parts[1]) if len(parts) > 1 else None
    if not port:
        return None
    return reachable((data(parts[0]) or b"").decode("utf-8", "replace"), asked_host), port


def _loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _distinct(owners: Iterable[Address | None]) -> tuple[Address, ...]:
    return tuple(sorted({owner for owner in owners if owner is not None}))
