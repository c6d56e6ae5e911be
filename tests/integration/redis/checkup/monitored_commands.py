"""What a server hears: every command by MONITOR, on a connection of the test's own."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

from redis import Redis

_LINE = re.compile(rb'\+[\d.]+ \[\d+ ([^\]]+)\] "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)")?')
_END = "that-is-all"
_CONTAINERS = ("CLIENT", "CLUSTER", "CONFIG", "ACL", "COMMAND", "SCRIPT", "SENTINEL")
DEADLINE_S = 20.0


@dataclass
class Heard:
    """Names of commands, from where they came."""

    commands: set[tuple[str, str]] = field(default_factory=set)

    def of_others(self, own: str) -> set[str]:
        """Names that did not come from this address; what a script called counts."""
        return {name for sender, name in self.commands if sender != own}


@contextmanager
def listening(admin: Redis, port: int) -> Iterator[Heard]:
    """Hear everything; when the block ends, all that came in it has been heard."""
    heard = Heard()
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as ear:
        ear.sendall(b"MONITOR\r\n")
        assert ear.recv(64).startswith(b"+OK")
        thread = Thread(target=_listen, args=(ear, heard), daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            admin.echo(_END)
            thread.join(DEADLINE_S)
    assert not thread.is_alive()


def _listen(ear: socket.socket, heard: Heard) -> None:
    with ear.makefile("rb") as lines:
        for line in lines:
            match = _LINE.match(line)
            if match is None:
                continue
            sender, name, first = (part.decode() if part else "" for part in match.groups())
            name = name.upper()
            if name == "ECHO" and first == _END:
                return
            heard.commands.add((sender, f"{name} {first.upper()}" if name in _CONTAINERS else name))
