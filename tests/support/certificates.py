"""Certificates made for the tests: a CA and one that nobody trusts, servers, clients."""

from __future__ import annotations

from pathlib import Path

import trustme

from tests.support.servers import RealServer

HOST = "redis.test"
"""The only name in :attr:`Certificates.named`: it resolves nowhere."""


class Certificates:
    """PEM files in a folder; ``local`` is for 127.0.0.1, ``named`` for :data:`HOST` alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority, stranger = trustme.CA(), trustme.CA()
        self.ca = self._ca(authority, "ca")
        self.other_ca = self._ca(stranger, "other-ca")
        self.local = self._pair(authority, "local", "127.0.0.1")
        self.named = self._pair(authority, "named", HOST)
        self.client = self._pair(authority, "client", "monitor.test")
        self.other_client = self._pair(stranger, "other-client", "monitor.test")

    def _ca(self, authority: trustme.CA, name: str) -> Path:
        path = self.folder / f"{name}.pem"
        authority.cert_pem.write_to_path(path)
        return path

    def _pair(self, authority: trustme.CA, name: str, *identities: str) -> tuple[Path, Path]:
        made = authority.issue_cert(*identities)
        chain, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        made.private_key_pem.write_to_path(key)
        for index, blob in enumerate(made.cert_chain_pems):
            blob.write_to_path(chain, append=index > 0)
        return chain, key

    def encrypt(self, server: RealServer, pair: tuple[Path, Path], *, clients: bool) -> None:
        """Have a server speak TLS alone; ``clients``: it wants a certificate of them too."""
        server.options |= {
            "port": "0",
            "tls-port": str(server.port),
            "tls-cert-file": str(pair[0]),
            "tls-key-file": str(pair[1]),
            "tls-ca-cert-file": str(self.ca),
            "tls-auth-clients": "yes" if clients else "no",
            "tls-replication": "yes",
        }
