"""``--listen HOST:PORT``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runqy_tui.model.errors import UsageError

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[\w.-]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Address:
    """Read an address.

    Raises:
        UsageError: it is none.
    """
    found = _ADDRESS.fullmatch(text) if text.isascii() else None
    if found is None or int(found["port"]) > 65_535:
        mend = "127.0.0.1:9090, 0.0.0.0:9090 (every interface) or [::1]:9090"
        raise UsageError(f"--listen {text[:60]!r} is no address: write HOST:PORT, as in {mend}.")
    return Address(found["six"] or found["host"], int(found["port"]))
