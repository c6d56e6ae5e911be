"""``--listen HOST:PORT``."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from runqy_tui.model.errors import RunqyTuiError, UsageError
from runqy_tui.text.safe import safe_line

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[\w.-]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """Read an address.

    Raises:
        UsageError: it is none.
    """
    found = _ADDRESS.fullmatch(text) if text.isascii() else None
    if found is None or int(found["port"]) > 65_535:
        mend = "127.0.0.1:9090, 0.0.0.0:9090 (every interface) or [::1]:9090"
        raise UsageError(f"--listen {text[:60]!r} is no address: write HOST:PORT, as in {mend}.")
    return ListenAddress(found["six"] or found["host"], int(found["port"]))


_TEXT = "text/plain; charset=utf-8"
_CLIENT_S = 10.0
"""A client that says nothing for so long is let go."""


class ListenError(RunqyTuiError):
    """The address cannot be listened on (``EX_UNAVAILABLE``)."""

    exit_code = 69


class ListenDeniedError(ListenError):
    """The address is reserved to others (``EX_NOPERM``)."""

    exit_code = 77


class WebServer(ThreadingHTTPServer):
    """Serves a registry. Made by :func:`listen`."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: ListenAddress, registry: CollectorRegistry, sick: Callable[[], str | None]
    ) -> None:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family, _, _, _, place = found[0]
        self.registry = registry
        self.sick = sick
        super().__init__(place[:2], _Handler)  # type: ignore[arg-type]
        self.address = ListenAddress(address.host, self.server_address[1])

    def server_bind(self) -> None:
        """Bind, without looking up the machine's own name as the base class does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event."""


def listen(
    address: ListenAddress, registry: CollectorRegistry, sick: Callable[[], str | None]
) -> WebServer:
    """Bind and listen; requests wait until ``serve_forever`` runs.

    ``sick`` gives the reason why ``/healthz`` must say no, ``None`` where all is well.

    Raises:
        ListenError: the port is taken, or the address is not ours to use.
    """
    try:
        return WebServer(address, registry, sick)
    except socket.gaierror as error:
        reason = f"the host is not known ({error.strerror})"
        raise ListenError(f"Cannot listen on {address}: {reason}. Check --listen.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                f"Cannot listen on {address}: the port is in use. End what uses it, or give "
                "another with --listen."
            ) from None
        kind = ListenDeniedError if error.errno == errno.EACCES else ListenError
        raise kind(f"Cannot listen on {address}: {error.strerror}. Check --listen.") from None


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    timeout = _CLIENT_S
    server_version = "runqy-tui"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a scrape, a health check or a person who looks what this is."""
        path = urlsplit(self.path).path
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, encode(self.server.registry), kind)
        elif path == "/healthz":
            reason = self.server.sick()
            code = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
            self._say(code, "ok" if reason is None else safe_line(reason))
        elif path == "/":
            self._say(HTTPStatus.OK, "runqy-tui metrics: /metrics, /healthz")
        else:
            self._say(HTTPStatus.NOT_FOUND, "There is /metrics and /healthz.")

    do_HEAD = do_GET  # noqa: N815

    def _say(self, code: HTTPStatus, line: str) -> None:
        self._answer(code, f"{line}\n".encode(), _TEXT)

    def _answer(self, code: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Scrapes are no news."""
