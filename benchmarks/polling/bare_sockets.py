"""Bare sockets: bytes that are ready are written, and replies are read and never parsed.

Nothing can be faster: this is what the wire and the server take.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from time import perf_counter

_MARK = b"the end of the replies"
_ASK = b"*2\r\n$4\r\nECHO\r\n$%d\r\n%b\r\n" % (len(_MARK), _MARK)
_END = _MARK + b"\r\n"
_CHUNK = 1 << 20


class BareConnection:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def trip(self, wire: bytes) -> None:
        """Write, then read until the reply to a marker command at the end."""
        self._socket.sendall(wire + _ASK)
        last = b""
        while not last.endswith(_END):
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            last = (last + chunk)[-len(_END) :]

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def timed(connection: BareConnection, trips: Sequence[bytes]) -> float:
    """Milliseconds for round trips that follow each other."""
    began = perf_counter()
    for wire in trips:
        connection.trip(wire)
    return (perf_counter() - began) * 1_000
