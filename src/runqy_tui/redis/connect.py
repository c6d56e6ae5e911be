"""From a :class:`~runqy_tui.redis.target.Target` to a link, with a monitor's settings.

redis-py's own defaults hold a monitor for a minute on a host that is down: here nothing is tried
twice behind the user's back, and every wait is short.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import (
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runqy_tui.redis.target import Target
from runqy_tui.redis.transport import Link, NodeLink

MAX_CONNECTIONS = 4


def link_to(target: Target) -> Link:
    """The way to a deployment; nothing is connected before the first round trip."""
    return node_link(target)


def node_link(target: Target) -> NodeLink:
    """The way to one server; nothing is connected before the first round trip."""
    settings: dict[str, Any] = {
        "db": target.db,
        "username": target.username,
        "password": target.password,
        "socket_timeout": target.timeout,
        "socket_connect_timeout": target.timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
        "decode_responses": False,
    }
    kind: type[Connection | UnixDomainSocketConnection]
    if target.scheme == "unix":
        kind = UnixDomainSocketConnection
        settings["path"] = target.path
    else:
        kind = SSLConnection if target.scheme == "rediss" else Connection
        settings |= {"host": target.host, "port": target.port, "socket_keepalive": True}
        settings |= target.tls
    pool = BlockingConnectionPool(
        max_connections=MAX_CONNECTIONS,
        timeout=target.timeout,
        connection_class=kind,
        **settings,
    )
    return NodeLink(pool, target)
