"""From a :class:`~runqy_tui.redis.connecting.target.RedisTarget` to a link for monitoring.

redis-py's own defaults hold a monitor for a minute on a host that is down: here nothing is tried
twice behind the user's back, and every wait is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import (
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.wire.transport import NodeLink, RedisLink

MAX_CONNECTIONS = 4


class TlsConnection(SSLConnection):
    """Asks for, and checks, another name than the host's where it is given one.

    redis-py uses the host name for both; asyncio needs the other name. It also ends without TLS's
    goodbye: a frozen server would not return it, and so hold up whoever wants to leave.
    """

    def __init__(self, server_hostname: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._server_hostname = server_hostname

    def _connection_arguments(self) -> Mapping[str, Any]:
        arguments = dict(super()._connection_arguments())
        if self._server_hostname is not None:
            arguments["server_hostname"] = self._server_hostname
        return arguments

    async def disconnect(self, *args: Any, **settings: Any) -> None:
        """Close the socket at once."""
        if self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(*args, **settings)


def link_to(target: RedisTarget) -> RedisLink:
    """The way to a deployment; nothing is connected before the first round trip."""
    # Most deployments are one server: the first screen does not wait for the rest.
    if target.scheme == "redis+sentinel":
        from runqy_tui.redis.sentinel.sentinel_link import SentinelLink

        return SentinelLink(target, node_link)
    if target.scheme == "redis+cluster":
        from runqy_tui.redis.cluster.cluster_link import ClusterLink

        return ClusterLink(target, node_link)
    return node_link(target)


def node_link(target: RedisTarget) -> NodeLink:
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
        kind = TlsConnection if target.tls else Connection
        settings |= {"host": target.host, "port": target.port, "socket_keepalive": True}
        settings |= target.tls
    pool = BlockingConnectionPool(
        max_connections=MAX_CONNECTIONS,
        timeout=target.timeout,
        connection_class=kind,
        **settings,
    )
    return NodeLink(pool, target)
