"""Where a URL of Redis leads: read, checked, and never quoted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from runqy_tui.model.credentials import CLIENT_NAME, Credentials
from runqy_tui.model.errors import ConfigError
from runqy_tui.redis.connecting.tls_options import OPTIONS as TLS_OPTIONS
from runqy_tui.redis.connecting.tls_options import given, tls_settings
from runqy_tui.redis.connecting.url_parsing import (
    CLUSTER,
    REDIS,
    SENTINEL,
    UNIX,
    Address,
    UrlParts,
    split_url,
)
from runqy_tui.redis.connecting.url_parsing import shown as shown_address

_OPTIONS = ("db", *TLS_OPTIONS)
_MOST_SHOWN = 3
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """Where a URL leads. The password shows in no ``repr``.

    ``scheme`` is ``redis``, ``rediss``, ``unix``, ``redis+sentinel`` or ``redis+cluster``; of the
    last two ``tls`` is set if they are encrypted. ``host`` and ``port`` are the server's, or
    the first of ``seeds``: the Sentinels to ask or the nodes of a cluster to begin with.
    ``service`` is the name that Sentinel knows the primary by. ``program`` is who answers there,
    for messages, and ``beyond`` the scheme of the deployment that this is one server of.
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
    seeds: tuple[Address, ...] = ()
    service: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    program: str = "Redis"
    beyond: str = ""

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return bool(self.tls)

    @property
    def unverified(self) -> bool:
        """Whether TLS is used without a check of who is at the other end."""
        return self.tls.get("ssl_cert_reqs") == "none"

    def url_form(self, *, tls: bool) -> str:
        """How the user's URL would begin, with TLS or without: ``rediss+sentinel://``."""
        name = self.beyond or self.scheme
        plain = name.replace("rediss", "redis", 1)
        return f"{plain.replace('redis', 'rediss', 1) if tls else plain}://"

    def at(self, host: str, port: int) -> RedisTarget:
        """The same way in, for one server of the deployment."""
        return replace(
            self,
            scheme="rediss" if self.tls else "redis",
            address=shown_address((host, port)),
            host=host,
            port=port,
            seeds=(),
            service="",
            beyond=self.beyond or self.scheme,
        )

    def sentinel_at(self, host: str, port: int) -> RedisTarget:
        """The way to one Sentinel: it has users of its own, and no databases."""
        return replace(
            self.at(host, port),
            db=0,
            username=self.sentinel_username,
            password=self.sentinel_password,
            program="Sentinel",
        )


def parse_url(url: str, timeout: float = 3.0, access: Credentials | None = None) -> RedisTarget:
    """Read any URL of :mod:`.urlparts`; ``ConfigError`` names what is wrong.

    ``access`` takes precedence over the URL. TLS files are opened and checked.
    The text of the URL is in no message: it may hold a password.
    """
    access = access or Credentials()
    parts = split_url(url)
    _check_options(parts, access)
    service, path, db = _places(parts)
    _check_text(access)
    host, port = parts.hosts[0] if parts.hosts else ("", 0)
    several = parts.kind in (SENTINEL, CLUSTER)
    return RedisTarget(
        scheme="rediss" if parts.kind == REDIS and parts.tls else parts.kind,
        address=_address(parts, service, path, db),
        host=host,
        port=port,
        path=path,
        db=db,
        username=access.username or parts.username,
        password=parts.password if access.password is None else access.password,
        tls=tls_settings(parts.options, access) if parts.tls else {},
        timeout=timeout,
        client_name=access.client_name,
        seeds=parts.hosts if several else (),
        service=service,
        sentinel_username=access.sentinel_username,
        sentinel_password=access.sentinel_password,
    )


def address_of(url: str) -> str:
    """``host:port``, ``host:port/db``, ``unix:path``, ``service@host:port,…/db`` or ``cluster@…``.

    Never a credential. Of more than three hosts the others are counted: ``+2``.
    """
    parts = split_url(url)
    return _address(parts, *_places(parts))


def _address(parts: UrlParts, service: str, path: str, db: int) -> str:
    if parts.kind == UNIX:
        return f"unix:{path}"
    names = [shown_address(host) for host in parts.hosts[:_MOST_SHOWN]]
    if len(parts.hosts) > _MOST_SHOWN:
        names.append(f"+{len(parts.hosts) - _MOST_SHOWN}")
    before = {SENTINEL: f"{service}@", CLUSTER: "cluster@"}.get(parts.kind, "")
    return f"{before}{','.join(names)}{f'/{db}' if db else ''}"


def _places(parts: UrlParts) -> tuple[str, str, int]:
    """Service, socket and database, as the kind of URL has them."""
    in_query = parts.options.get("db") or "0"
    segments = [unquote(part) for part in parts.path.removeprefix("/").removesuffix("/").split("/")]
    if parts.kind == UNIX:
        if not parts.path.strip("/"):
            raise ConfigError("The Redis URL names no socket. Write unix:///path/to/redis.sock")
        return "", unquote(parts.path), _db(in_query)
    if parts.kind == SENTINEL:
        return _service(segments), "", _db(segments[1] if len(segments) > 1 else in_query)
    if len(segments) > 1:
        raise ConfigError("The database in the Redis URL must be a number, as in redis://host/0")
    db = _db(segments[0] or in_query)
    if parts.kind == CLUSTER and db:
        raise ConfigError(
            "The database in the Redis URL must be left out: a cluster has only database 0."
        )
    return "", "", db


def _service(segments: list[str]) -> str:
    name = segments[0]
    if not name or len(segments) > 2:
        raise ConfigError(
            "The Redis URL must name one service and, if any, one database, as in "
            "redis+sentinel://host:26379/mymaster/0: the name that stands in sentinel.conf behind "
            '"sentinel monitor".'
        )
    if not name.isprintable() or len(name) > 200:
        raise ConfigError("The service in the Redis URL must be a name, as in sentinel.conf.")
    return name


def _db(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ConfigError("The database in the Redis URL must be a number, as in redis://host/0")
    return int(text)


def _check_options(parts: UrlParts, access: Credentials) -> None:
    for name in parts.options:
        if name not in _OPTIONS:
            known = ", ".join(_OPTIONS)
            called = f" {name!r}" if name.isidentifier() and len(name) < _LONGEST_NAME else ""
            raise ConfigError(f"The Redis URL has an unknown option{called}. Known are: {known}.")
        if name != "db" and not parts.tls:
            raise ConfigError(f"The Redis URL option {name!r} {_needs_tls(parts)}")
    setting = given(access)
    if setting is not None and not parts.tls:
        raise ConfigError(f"{setting} {_needs_tls(parts)}")


def _needs_tls(parts: UrlParts) -> str:
    if parts.kind == UNIX:
        return "needs rediss:// (TLS): a Unix socket has none. Leave it out."
    encrypted = parts.kind.replace("redis", "rediss", 1)
    return f"needs {encrypted}:// (TLS), and the URL starts with {parts.kind}://. Change either."


def _check_text(access: Credentials) -> None:
    """Refuse what Redis or the socket would choke on, before it comes to that."""
    name = access.client_name
    if not name or len(name) > _LONGEST_NAME or not all("!" <= sign <= "~" for sign in name):
        raise ConfigError(
            f"client_name must be 1 to {_LONGEST_NAME} ASCII signs without spaces, as in "
            f"{CLIENT_NAME}: Redis takes no other."
        )
    for setting in ("username", "password", "sentinel_username", "sentinel_password"):
        value: str | None = getattr(access, setting)
        if value and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise ConfigError(f"{setting} is not valid UTF-8. Write it again, as UTF-8.")
