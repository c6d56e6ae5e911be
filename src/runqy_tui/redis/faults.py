"""Failures of a connection in one line for the user: what, why, and what to do.

No message is built from the URL or the password.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runqy_tui.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.safetext import safe_line

if TYPE_CHECKING:
    from runqy_tui.redis.target import Target

ACL_HINT = "a monitor needs: %R~asynq:* +@read +@connection -@dangerous +info +time"
_COMMAND = re.compile(r"'([\w|]+)' command")


def translate(error: BaseException, target: Target) -> RunqyTuiError:
    """Turn what redis-py or the socket raised into the error that the user sees."""
    where = f"Redis at {target.address}"
    if isinstance(error, NoPermissionError):
        return AccessDeniedError(f"{where} {_no_permission(error)}")
    if _is_authentication(error):
        return AccessDeniedError(_authentication(error, target, where))
    if isinstance(error, BusyLoadingError):
        return ConnectionFailedError(f"{where} is still loading its data. It will answer soon.")
    if isinstance(error, InvalidResponse):
        return ConnectionFailedError(f"{where} does not answer like Redis. Check host and port.")
    if isinstance(error, ResponseError):
        return ConnectionFailedError(f"{where} {_response(error)}")
    return ConnectionFailedError(_socket(error, target, where))


def _is_authentication(error: BaseException) -> bool:
    """Whether the password is refused; on a Unix socket redis-py says so in the text alone."""
    kinds = AuthenticationError | AuthorizationError | AuthenticationWrongNumberOfArgsError
    return isinstance(error, kinds) or "invalid username-password pair" in str(error)


def permission_text(error: ResponseError) -> str:
    """``may not run LLEN (NOPERM)``-style text of a refused command, for a warning."""
    match = _COMMAND.search(str(error))
    return match.group(1).upper() if match else "a command or key"


def _no_permission(error: NoPermissionError) -> str:
    return f"does not let this user run {permission_text(error)} (NOPERM): {ACL_HINT}."


def _authentication(error: BaseException, target: Target, where: str) -> str:
    text = str(error)
    if target.password is None:
        return f"{where} asks for a password. Set RUNQY_REDIS_URL, or REDIS_PASSWORD."
    if "without any password configured" in text:
        return f"{where} has no password set, but one was given. Leave the password out."
    user = safe_line(target.username) if target.username else "default"
    return (
        f'{where} refuses the password for user "{user}". Set RUNQY_REDIS_URL, or REDIS_PASSWORD.'
    )


def _response(error: ResponseError) -> str:
    text = safe_line(str(error))
    if "DB index is out of range" in text or text == "invalid DB index":
        return "has no database of that number. Choose another in the URL, as in redis://host/0."
    if text.startswith("DENIED"):
        return "is in protected mode: connect from its own host, or set a password there."
    if text.startswith("BUSY "):
        return "is busy with a script and answers nothing else. Wait, or SCRIPT KILL there."
    return f"answers with an error: {text[:200]}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _socket(error: BaseException, target: Target, where: str) -> str:
    for cause in _causes(error):
        text = _of_cause(cause, target, where)
        if text is not None:
            return text
    text = str(error)
    if "max number of clients" in text:
        return f"{where} has reached its limit of clients (maxclients). Close some, then retry."
    if "No connection available" in text:
        return f"{where} is slow: all connections of this monitor are waiting for it."
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return _timeout(target, where)
    if "closed by server" in text or "reset by peer" in text:
        return _reset(target, where)
    if isinstance(error, RedisConnectionError) and "Invalid Database" in text:
        return f"{where} has no database of that number."
    return f"{where} cannot be reached: {safe_line(text)[:200] or type(error).__name__}"


def _of_cause(cause: BaseException, target: Target, where: str) -> str | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = safe_line(cause.verify_message or "it is not trusted")
        return f"{where} has a certificate that fails the check: {reason}. Set ssl_ca_certs=FILE."
    if isinstance(cause, ssl.SSLError):
        return f"{where} does not speak TLS as asked. If it has no TLS, use redis://."
    if isinstance(cause, socket.gaierror):
        return f"The name {target.host!r} of Redis cannot be resolved. Check the URL and DNS."
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"{where} refuses the connection: nothing listens there. "
            "Start Redis, or set --url or RUNQY_REDIS_URL."
        )
    if isinstance(cause, ConnectionResetError | BrokenPipeError):
        return _reset(target, where)
    if isinstance(cause, FileNotFoundError):
        return f"{where}: there is no such socket. Start Redis, or set --url or RUNQY_REDIS_URL."
    if isinstance(cause, PermissionError):
        return f"{where}: this user may not open the socket. Check its permissions."
    return None


def _timeout(target: Target, where: str) -> str:
    hints = {
        "redis": " If it expects TLS, use rediss://.",
        "rediss": " If it has no TLS: redis://.",
    }
    hint = hints.get(target.scheme, "")
    return f"{where} does not answer within {target.timeout:g} s. Check the network.{hint}"


def _reset(target: Target, where: str) -> str:
    if target.scheme == "redis":
        return f"{where} closed the connection. It restarted, or expects TLS: then use rediss://."
    if target.scheme == "rediss":
        return f"{where} closed the connection. It restarted, or has no TLS: then use redis://."
    return f"{where} closed the connection. It may have restarted."
