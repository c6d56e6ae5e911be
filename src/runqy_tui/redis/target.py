"""Where a URL of Redis leads: read, checked, and never quoted."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from runqy_tui.access import CLIENT_NAME, Access
from runqy_tui.errors import ConfigError

_SCHEMES = ("redis", "rediss", "unix")
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OPTIONS = ("db", "ssl_cert_reqs", "ssl_check_hostname", *_TLS_FILES)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. The password shows in no ``repr``.

    ``host`` and ``port`` are the server's, or the first of ``seeds``: the Sentinels to ask or the
    nodes of a cluster to begin with. ``service`` is the name that Sentinel knows the primary by.
    """

    scheme: str
    address: str
    host: str = "localhost"
    port: int = 6379
    path: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: dict[str, Any] = field(default_factory=dict)
    timeout: float = 3.0
    client_name: str = CLIENT_NAME
    seeds: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return bool(self.tls)

    @property
    def unverified(self) -> bool:
        """Whether TLS is used without a check of who is at the other end."""
        return self.tls.get("ssl_cert_reqs") == "none"

    def at(self, host: str, port: int) -> Target:
        """The same way in, for one server of the deployment."""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        scheme = "rediss" if self.tls else "redis"
        return replace(
            self, scheme=scheme, address=address, host=host, port=port, seeds=(), service=""
        )


def parse_url(url: str, timeout: float = 3.0, access: Access | None = None) -> Target:
    """Read ``redis://``, ``rediss://`` or ``unix://``; ``ConfigError`` names what is wrong.

    What ``access`` says counts more than what the URL says.
    The text of the URL is in no message: it may hold a password.
    """
    access = access or Access()
    parts = _split(url)
    options = _options(parts)
    path = unquote(parts.path)
    path_db = path.strip("/") if parts.scheme != "unix" else ""
    db = _db(options.pop("db", "") or path_db or "0")
    if parts.scheme == "unix":
        if not path:
            raise ConfigError("The Redis URL names no socket. Write unix:///path/to/redis.sock")
        host, port, address = "", 0, f"unix:{path}"
    else:
        host, port = unquote(parts.hostname or "localhost"), parts.port or 6379
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Target(
        scheme=parts.scheme,
        address=f"{address}/{db}" if db and parts.scheme != "unix" else address,
        host=host,
        port=port,
        path=path,
        db=db,
        username=access.username or _text(parts.username),
        password=access.password if access.password is not None else _text(parts.password),
        tls=_tls(options) if parts.scheme == "rediss" else {},
        timeout=timeout,
        client_name=access.client_name,
    )


def address_of(url: str) -> str:
    """``host:port``, ``host:port/db`` or ``unix:path``: never a credential."""
    return parse_url(url).address


def _split(url: str) -> SplitResult:
    # Raised outside the handler: the error of urlsplit may quote a password.
    parts: SplitResult | None = None
    with suppress(ValueError):
        split = urlsplit(url)
        _ = split.port  # is read lazily, and raises where it is no number
        parts = split
    if parts is None or (parts.scheme == "unix" and parts.hostname):
        raise ConfigError(
            "The Redis URL has no valid host, port or socket. Write redis://user:password@host:"
            "port/db or unix:///path, with special characters %-encoded."
        )
    if parts.scheme not in _SCHEMES:
        raise ConfigError("The Redis URL must start with redis://, rediss:// or unix://")
    return parts


def _text(quoted: str | None) -> str | None:
    return unquote(quoted) if quoted else None


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            raise ConfigError(
                f"The Redis URL has an unknown option {name!r}. Known are: {', '.join(_OPTIONS)}."
            )
        if name != "db" and parts.scheme != "rediss":
            raise ConfigError(f"The Redis URL option {name!r} needs rediss:// (TLS).")
    return options


def _db(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ConfigError("The database in the Redis URL must be a number, as in redis://host/0")
    return int(text)


def _tls(options: dict[str, str]) -> dict[str, Any]:
    tls: dict[str, Any] = {name: options[name] for name in _TLS_FILES if options.get(name)}
    verify = options.get("ssl_cert_reqs", "required")
    if verify not in ("required", "optional", "none"):
        raise ConfigError("ssl_cert_reqs in the Redis URL must be required, optional or none.")
    check = options.get("ssl_check_hostname", "true").lower()
    if check not in ("true", "false", "1", "0"):
        raise ConfigError("ssl_check_hostname in the Redis URL must be true or false.")
    tls["ssl_cert_reqs"] = verify
    tls["ssl_check_hostname"] = verify != "none" and check in ("true", "1")
    tls["ssl_min_version"] = ssl.TLSVersion.TLSv1_2
    return tls
