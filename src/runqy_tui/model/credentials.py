"""How to get in: what a URL of Redis does not say, or says less well. No secret in a ``repr``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

CLIENT_NAME = "runqy-tui"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials and TLS beside the URL; ``None`` leaves what the URL says.

    ``tls_*`` name PEM files and apply where the URL asks for TLS. ``tls_server_name`` is the name
    that the certificate must bear, where it is not the host's. ``tls_insecure`` checks neither
    certificate nor name: front ends say so for as long as it is on. The ``sentinel_*`` pair is
    for the Sentinels, which know other users than the servers they watch. ``client_name`` is what
    CLIENT LIST shows.
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
