"""Credentials and TLS settings beside the URL. No secret appears in a ``repr``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

CLIENT_NAME = "runqy-tui"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials and TLS beside the URL; ``None`` keeps the value in the URL.

    ``tls_*`` name PEM files and apply where the URL asks for TLS. ``tls_server_name`` is the name
    that the certificate must be issued for, if it is not the host name. ``tls_insecure`` skips
    the check of certificate and name: front ends show a warning while it is on. The
    ``sentinel_*`` pair is for the Sentinels, whose users are not those of the servers they
    monitor. ``client_name`` is shown by CLIENT LIST.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_server_name: str | None = None
    tls_insecure: bool = False
    client_name: str = CLIENT_NAME
