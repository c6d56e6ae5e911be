"""The HTTP server of the exporter: ``/metrics`` and ``/healthz``."""

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
    """Address to listen on; port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """Parse the value of ``--listen``.

    Raises:
        UsageError: it is not HOST:PORT.
    """
    found = _ADDRESS.fullmatch(text) if text.isascii() else None
    if found is None or int(found["port"]) > 65_535:
        examples = "127.0.0.1:9090, 0.0.0.0:9090 (all interfaces) or [::1]:9090"
        raise UsageError(
            f"--listen {text[:60]!r} is not an address: write HOST:PORT, as in {examples}."
        )
    return ListenAddress(found["six"] or found["host"], int(found["port"]))


_TEXT = "text/plain; charset=utf-8"
_CLIENT_S = 10.0
"""A client that is silent for this many seconds is disconnected."""


class ListenError(RunqyTuiError):
    """The address cannot be listened on (``EX_UNAVAILABLE``)."""

    exit_code = 69


class ListenDeniedError(ListenError):
    """This user has no permission to listen on the address (``EX_NOPERM``)."""

    exit_code = 77


class WebServer(ThreadingHTTPServer):
    """Serves a registry. Created by :func:`listen`."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: ListenAddress,
        registry: CollectorRegistry,
        health_problem: Callable[[], str | None],
    ) -> None:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family, _, _, _, place = found[0]
        self.registry = registry
        self.health_problem = health_problem
        super().__init__(place[:2], _Handler)  # type: ignore[arg-type]
        self.address = ListenAddress(address.host, self.server_address[1])

    def server_bind(self) -> None:
        """Bind without resolving the machine's own name, as the base class does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect during a request."""


def listen(
    address: ListenAddress, registry: CollectorRegistry, health_problem: Callable[[], str | None]
) -> WebServer:
    """Bind and listen; requests wait until ``serve_forever`` runs.

    ``health_problem`` returns why ``/healthz`` fails, ``None`` if the exporter is healthy.

    Raises:
        ListenError: the port is in use, or the address is not available on this machine.
    """
    try:
        return WebServer(address, registry, health_problem)
    except socket.gaierror as error:
        reason = f"unknown host ({error.strerror})"
        raise ListenError(f"Cannot listen on {address}: {reason}. Check --listen.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                f"Cannot listen on {address}: the port is in use. Stop the program that uses "
                "it, or choose another port with --listen."
            ) from None
        kind = ListenDeniedError if error.errno == errno.EACCES else ListenError
        raise kind(f"Cannot listen on {address}: {error.strerror}. Check --listen.") from None


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    timeout = _CLIENT_S
    server_version = "runqy-tui"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a scrape, a health check, or a request for the index."""
        path = urlsplit(self.path).path
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, encode(self.server.registry), kind)
        elif path == "/healthz":
            reason = self.server.health_problem()
            code = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer_line(code, "ok" if reason is None else safe_line(reason))
        elif path == "/":
            self._answer_line(HTTPStatus.OK, "runqy-tui metrics: /metrics, /healthz")
        else:
            self._answer_line(HTTPStatus.NOT_FOUND, "Not found. Available: /metrics, /healthz.")

    do_HEAD = do_GET  # noqa: N815

    def _answer_line(self, code: HTTPStatus, line: str) -> None:
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
        """Do not log requests: scrapes are frequent."""
