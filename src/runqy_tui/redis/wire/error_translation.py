"""Connection failures in one line for the user: what happens, its cause, and the fix.

All have the form ``Redis at HOST does X: cause. Fix.`` No message is built from the URL or the
password.
"""

from __future__ import annotations

import errno
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
    MasterDownError,
    NoPermissionError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.text.safe import safe_line

if TYPE_CHECKING:
    from runqy_tui.redis.connecting.target import RedisTarget

ACL_HINT = "`runqy-tui acl` prints the rights that a monitor needs"
_COMMAND = re.compile(r"'([\w|]+)' command")
_UNKNOWN = re.compile(r"unknown (?:sub)?command [`'\"]?([\w|-]+)")
_CONNECTING = re.compile(r"Error (-?\d+) connecting to ")
_PREFIX = re.compile(r"^(Error -?\d+ connecting to \S+\. |\[Errno -?\d+\] )")
_SINCE = {"EVAL_RO": "7.0"}
_NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_AGAIN = "Retrying automatically."


def translate(
    error: BaseException, target: RedisTarget, *, has_answered: bool = False
) -> RunqyTuiError:
    """Turn an exception of redis-py or of the socket into the error that the user sees.

    ``has_answered``: the server has answered before, so that host, port and TLS are right.
    """
    where = f"{target.program} at {target.address}"
    missing = missing_command(error)
    if missing is not None:
        return AccessDeniedError(f"{where} {unknown_command(missing)}.")
    if isinstance(error, NoPermissionError):
        return AccessDeniedError(f"{where} {_no_permission(error)}")
    if _is_authentication(error):
        return AccessDeniedError(_authentication(error, target, where))
    if isinstance(error, BusyLoadingError):
        return ConnectionFailedError(
            f"{where} is still loading its data: it has just started. {_AGAIN}"
        )
    if isinstance(error, InvalidResponse):
        return ConnectionFailedError(
            f"{where} does not answer like Redis: another program listens there. "
            "Check host and port."
        )
    if isinstance(error, ResponseError):
        return ConnectionFailedError(f"{where} {_response(error)}")
    return ConnectionFailedError(_socket(error, target, where, has_answered))


def concerns_every_command(error: ResponseError) -> bool:
    """Whether every command would fail like this one, because of the state of the server."""
    return isinstance(error, MasterDownError) or str(error).startswith("BUSY ")


def missing_command(error: object) -> str | None:
    """Name of a command that the server does not have, ``None`` for any other error."""
    found = _UNKNOWN.match(str(error)) if isinstance(error, ResponseError) else None
    return found.group(1).upper() if found else None


def unknown_command(names: str) -> str:
    """``does not know X: cause. Fix``, for one command or for several, comma-separated."""
    since = _SINCE.get(names, "6.2")
    one = "," not in names
    return (
        f"does not know {names}: {'it was' if one else 'they were'} renamed there, or the server "
        f"is too old. Restore {'its name' if one else 'their names'} (rename-command), "
        f"or use Redis {since} or later"
    )


def _is_authentication(error: BaseException) -> bool:
    """Whether the password is refused; on a Unix socket only redis-py's text shows it."""
    kinds = AuthenticationError | AuthorizationError | AuthenticationWrongNumberOfArgsError
    return isinstance(error, kinds) or "invalid username-password pair" in str(error)


def permission_text(error: ResponseError) -> str:
    """The forbidden action, for a message: ``run LLEN``, or ``read a key``."""
    match = _COMMAND.search(str(error))
    return f"run {match.group(1).upper()}" if match else "read a key"


def _no_permission(error: NoPermissionError) -> str:
    what = permission_text(error)
    return f"does not let this user {what} (NOPERM): it lacks that right. {ACL_HINT}."


def _authentication(error: BaseException, target: RedisTarget, where: str) -> str:
    text = str(error)
    if target.program == "Sentinel":
        return _of_sentinel(text, target, where)
    if target.password is None:
        return f"{where} requires a password: none is set. Set RUNQY_REDIS_URL, or REDIS_PASSWORD."
    if "without any password configured" in text:
        return f"{where} has no password set: one was sent. Leave the password out."
    user = safe_line(target.username) if target.username else "default"
    return (
        f'{where} refuses the password for user "{user}": one of the two is not right. '
        "Set RUNQY_REDIS_URL, or REDIS_PASSWORD."
    )


def _of_sentinel(text: str, target: RedisTarget, where: str) -> str:
    if target.password is None:
        return (
            f"{where} requires a password: the one in the URL is for the servers. "
            "Set sentinel_password, and sentinel_username if it has users."
        )
    if "without any password configured" in text:
        return f"{where} has no password set: one was sent. Leave sentinel_password out."
    user = safe_line(target.username) if target.username else "default"
    return (
        f'{where} refuses the password for user "{user}": one of the two is not right. '
        "Set sentinel_username and sentinel_password."
    )


def _response(error: ResponseError) -> str:
    text = safe_line(str(error))
    if "DB index is out of range" in text or text == "invalid DB index":
        return (
            "has no database of that number: it has fewer databases. "
            "Choose another in the URL, as in redis://host/0."
        )
    if text.startswith("DENIED"):
        return (
            "is in protected mode: it accepts connections from its own host only. "
            "Connect from there, or set a password there."
        )
    if text.startswith("BUSY "):
        return (
            "is busy with a script: it answers nothing else until that ends. "
            "Wait, or run SCRIPT KILL there."
        )
    if isinstance(error, MasterDownError):
        return (
            "is a replica that lost its primary: it is set to serve no stale data. "
            "Fix the replication, or connect to the primary."
        )
    return f"answers with an error: {text[:200]}. Check its log."


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _socket(error: BaseException, target: RedisTarget, where: str, has_answered: bool) -> str:
    for cause in _causes(error):
        text = _of_cause(cause, target, where, has_answered)
        if text is not None:
            return text
    text = str(error)
    cause_in_text = _cause_in_text(text)
    if cause_in_text is not None:
        explanation = _of_cause(cause_in_text, target, where, has_answered)
        if explanation is not None:
            return explanation
    if "max number of clients" in text:
        return (
            f"{where} has reached its limit of clients (maxclients): it accepts no further client. "
            "Close some, or raise maxclients there."
        )
    if "No connection available" in text:
        return (
            f"{where} is slow: all connections of this monitor are waiting for it. "
            "Check the server and the network."
        )
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return _timeout(target, where, has_answered)
    if "closed by server" in text or "reset by peer" in text:
        return _reset(target, where, has_answered)
    if isinstance(error, RedisConnectionError) and "Invalid Database" in text:
        return f"{where} has no database of that number: it has fewer. Choose another."
    reason = safe_line(_PREFIX.sub("", text))[:200].rstrip(". ") or type(error).__name__
    return f"{where} cannot be reached: {reason}. Check the server and the network."


def _cause_in_text(text: str) -> OSError | None:
    """The socket error in redis-py's text: when it reconnects it drops the error itself."""
    found = _CONNECTING.match(text)
    if found is None:
        return None
    number = int(found.group(1))
    return socket.gaierror(number, "") if number < 0 else OSError(number, "")


def _of_cause(
    cause: BaseException, target: RedisTarget, where: str, has_answered: bool
) -> str | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return certificate_text(cause, target, where)
    if isinstance(cause, ssl.SSLError):
        return handshake_text(cause, target, where)
    if isinstance(cause, socket.gaierror):
        return (
            f"{where} cannot be found: the name {target.host!r} cannot be resolved. "
            "Check the URL and DNS."
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"{where} refuses the connection: nothing listens there. "
            "Start Redis, or set --url or RUNQY_REDIS_URL."
        )
    if isinstance(cause, ConnectionResetError | BrokenPipeError):
        return _reset(target, where, has_answered)
    if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
        return (
            f"{where} cannot be reached: there is no route to its network. "
            "Check the network, the VPN and the firewall."
        )
    if isinstance(cause, FileNotFoundError):
        return f"{where}: there is no such socket. Start Redis, or set --url or RUNQY_REDIS_URL."
    if isinstance(cause, PermissionError):
        return f"{where}: this user may not open the socket. Check its permissions."
    return None


def _timeout(target: RedisTarget, where: str, has_answered: bool) -> str:
    hints = {
        "redis": f" If it expects TLS, use {target.url_form(tls=True)}.",
        "rediss": f" If it has no TLS: {target.url_form(tls=False)}.",
    }
    hint = "" if has_answered else hints.get(target.scheme, "")
    return (
        f"{where} does not answer within {target.timeout:g} s: it is frozen, overloaded or far "
        f"away. Check the server and the network, or raise --timeout.{hint}"
    )


def _reset(target: RedisTarget, where: str, has_answered: bool) -> str:
    if has_answered or target.scheme not in ("redis", "rediss"):
        return f"{where} closed the connection: it restarted, or was cut off. {_AGAIN}"
    other = target.url_form(tls=target.scheme == "redis")
    if target.scheme == "redis":
        return f"{where} closed the connection: it restarted, or expects TLS. Then use {other}."
    return (
        f"{where} closed the connection: it restarted, {rejected_client(target)}, or has no TLS. "
        f"Then use {other}."
    )


_ANOTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_MISMATCH
_NOT_YET, _EXPIRED = 9, 10
_CERTIFICATE_REQUIRED = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_CERTIFICATE_REFUSED = (
    "UNKNOWN_CA",
    "BAD_CERTIFICATE",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
)


def certificate_text(error: ssl.SSLCertVerificationError, target: RedisTarget, where: str) -> str:
    """Why the server's certificate fails verification."""
    code = getattr(error, "verify_code", None)
    if code in _ANOTHER_NAME:
        name = safe_line(str(target.tls.get("server_hostname") or target.host))
        return (
            f"{where} presents a certificate for another name: it is not for {name}. Connect by "
            "the name in it, or set tls_server_name to that name."
        )
    if code in (_NOT_YET, _EXPIRED):
        why = "it has expired" if code == _EXPIRED else "it is not valid yet"
        return (
            f"{where} presents a certificate that fails verification: {why}. Renew it there, and "
            "check the clock of this machine."
        )
    reason = safe_line(error.verify_message or "it is not trusted")
    return (
        f"{where} has a certificate that fails verification: {reason}. Set tls_ca, or ssl_ca_certs="
        "FILE in the URL, to the certificate of the CA that signed it."
    )


def handshake_text(error: ssl.SSLError, target: RedisTarget, where: str) -> str:
    """Why the TLS handshake fails."""
    alert = f"{error.reason or ''} {error}".upper().replace(" ", "_")
    if "ALERT" in alert and any(word in alert for word in _CERTIFICATE_REQUIRED):
        if "ssl_certfile" not in target.tls:
            return f"{where} requires a client certificate: none is set. Set tls_cert and tls_key."
        return f"{where} refuses the TLS handshake: it may require another certificate or version."
    if "ALERT" in alert and any(word in alert for word in _CERTIFICATE_REFUSED):
        return (
            f"{where} refuses the certificate of this client: it does not trust its CA. "
            "Set tls_cert and tls_key to a pair that its CA signed."
        )
    plain = target.url_form(tls=False)
    return f"{where} does not speak TLS as asked. If it has no TLS, use {plain}."


def rejected_client(target: RedisTarget) -> str:
    """A likely cause for a connection that ends right after the handshake.

    In TLS 1.3 a server verifies the client certificate after the handshake, and its alert is
    often lost with the connection.
    """
    if "ssl_certfile" in target.tls:
        return "refuses the certificate of this client (tls_cert)"
    return "requires a client certificate (set tls_cert and tls_key)"
