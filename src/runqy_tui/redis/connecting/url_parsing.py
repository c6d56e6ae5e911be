"""The parts of a URL of Redis. An error names the part that is wrong, and quotes none of it.

Read here and not by :mod:`urllib`, which knows no lists of hosts and quotes what it dislikes: a
password that was not %-encoded ends up in any part.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from runqy_tui.model.errors import ConfigError

REDIS, UNIX = "redis", "unix"
SENTINEL, CLUSTER = "redis+sentinel", "redis+cluster"

_SCHEMES = {
    "redis": (REDIS, False),
    "rediss": (REDIS, True),
    "unix": (UNIX, False),
    "redis+sentinel": (SENTINEL, False),
    "rediss+sentinel": (SENTINEL, True),
    "redis+cluster": (CLUSTER, False),
    "rediss+cluster": (CLUSTER, True),
}
_PORTS = {REDIS: 6379, SENTINEL: 26_379, CLUSTER: 6379, UNIX: 0}
_SHAPE = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_NO_HOST = re.compile(r"[\s/@?#\[\]\x00-\x1f\x7f]")
_ENCODE = "Write special characters of a password in %-code: / is %2F, ? is %3F, # is %23, @ is %40"

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class UrlParts:
    """``kind`` is one of the four kinds of deployment, ``tls`` its encrypted form.

    ``path`` is still %-encoded, so that a ``%2F`` in it divides nothing.
    """

    kind: str
    tls: bool
    hosts: tuple[Address, ...] = ()
    path: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: dict[str, str] = field(default_factory=dict)


def split_url(url: str) -> UrlParts:
    """Parse a URL. Raises ``ConfigError`` with the part that is wrong and how to write it."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        raise ConfigError(
            "The Redis URL must start with redis://, rediss:// (TLS), unix://, redis+sentinel:// "
            "or redis+cluster://, or the TLS forms rediss+sentinel:// and rediss+cluster://."
        )
    kind, tls = _SCHEMES[scheme.lower()]
    authority, path, query = _divide(rest)
    _refuse_loose_signs(kind, path, query)
    login, _, hosts = authority.rpartition("@")
    username, colon, password = login.partition(":")
    if kind == UNIX and hosts:
        raise ConfigError(
            "The Redis URL has no valid socket: its path must begin with a /, as in "
            "unix:///run/redis.sock or unix://user:password@/run/redis.sock."
        )
    return UrlParts(
        kind=kind,
        tls=tls,
        hosts=() if kind == UNIX else _hosts(hosts, kind),
        path=path,
        username=unquote(username) or None,
        password=(unquote(password) or None) if colon else None,
        options=dict(parse_qsl(query, keep_blank_values=True)),
    )


def shown(address: Address) -> str:
    """``host:port``, an IPv6 address in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _divide(rest: str) -> tuple[str, str, str]:
    """Authority, path and query."""
    before, hash_sign, _ = rest.partition("#")
    if hash_sign:
        raise ConfigError(f"The Redis URL has no valid host: a # ends it. {_ENCODE}.")
    before, _, query = before.partition("?")
    authority, slash, path = before.partition("/")
    return authority, slash + path, query


def _refuse_loose_signs(kind: str, path: str, query: str) -> None:
    if "@" in query or ("@" in path and kind != UNIX):
        raise ConfigError(f"The Redis URL has no valid host: an @ comes too late. {_ENCODE}.")


def _hosts(text: str, kind: str) -> tuple[Address, ...]:
    entries = text.split(",")
    if len(entries) > 1 and kind == REDIS:
        raise ConfigError(
            "The Redis URL has no valid host: several may stand only in redis+sentinel://host:port,"
            "host:port/service and redis+cluster://host:port,host:port."
        )
    if len(entries) > 1 and not all(entry.strip() for entry in entries):
        raise ConfigError("The Redis URL has no valid host: one between its commas is empty.")
    return tuple(_address(entry, _PORTS[kind]) for entry in entries)


def _address(entry: str, usual: int) -> Address:
    match = _SHAPE.fullmatch(entry)
    if match is None:
        raise ConfigError(
            "The Redis URL has no valid host: write host:port, and an IPv6 address in brackets, "
            "as in [::1]:6379."
        )
    host = unquote(match["host"])
    if host.startswith("["):
        host = _version_six(host[1:-1])
    elif _NO_HOST.search(host):
        raise ConfigError(f"The Redis URL has no valid host: no name has such signs. {_ENCODE}.")
    return host or "localhost", _port(match["port"], usual)


def _version_six(text: str) -> str:
    valid = False
    with suppress(ValueError):  # our error is raised outside: that one quotes the text
        valid = ipaddress.ip_address(text).version == 6
    if not valid:
        raise ConfigError(
            "The Redis URL has no valid host: what stands in brackets is no IPv6 address, as in "
            "[2001:db8::7]:6379."
        )
    return text


def _port(text: str | None, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65_536):
        raise ConfigError(
            "The Redis URL has no valid port: it must be a number from 1 to 65535. If what "
            f"stands there belongs to a password: {_ENCODE[0].lower()}{_ENCODE[1:]}."
        )
    return int(text)
