"""TLS as the doctor sees it: Debian's Redis with certificates made for the test."""

from __future__ import annotations

import datetime as dt
import gc
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest
import trustme

from tests.integration.commands.doctor.conftest import Doctor
from tests.support.certificates import HOST, Certificates
from tests.support.servers import RealServer, debian


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(papers: Certificates) -> Iterator[RealServer]:
    server = RealServer(debian())
    papers.encrypt(server, papers.local, clients=False)
    with server:
        yield server


def at(server: RealServer, **options: object) -> str:
    text = urlencode({name: str(value) for name, value in options.items()})
    return f"rediss://127.0.0.1:{server.port}/0?{text}"


def test_a_good_certificate(doctor: Doctor, papers: Certificates, encrypted: RealServer) -> None:
    report = doctor(at(encrypted, ssl_ca_certs=papers.ca))
    assert report.code == 0
    tls_text = report.one("TLS")
    assert tls_text.startswith("TLSv1.3, TLS_")
    assert "certificate for 127.0.0.1, ends in " in tls_text
    assert tls_text.endswith("; verified")
    assert report.one("server").startswith("Redis ")


def test_a_ca_that_nobody_knows(
    doctor: Doctor, papers: Certificates, encrypted: RealServer
) -> None:
    for options in ({}, {"ssl_ca_certs": papers.other_ca}):
        report = doctor(at(encrypted, **options))
        assert (report.code, report.failures()) == (69, ["TLS"])
        tls_text = report.one("TLS", "fail")
        assert "the certificate fails the check" in tls_text
        assert "certificate for 127.0.0.1, ends in " in tls_text
        assert "CA" in report.mend("TLS")
        assert "authentication" in report.skipped()


def test_not_verified(doctor: Doctor, encrypted: RealServer) -> None:
    report = doctor(at(encrypted, ssl_cert_reqs="none"))
    assert report.code == 0
    assert report.one("TLS", "warn").endswith("; NOT verified")
    assert "certificate for 127.0.0.1" in report.one("TLS", "warn")


def test_another_name(doctor: Doctor, papers: Certificates) -> None:
    server = RealServer(debian())
    papers.encrypt(server, papers.named, clients=False)
    with server:
        report = doctor(at(server, ssl_ca_certs=papers.ca))
    assert (report.code, report.failures()) == (69, ["TLS"])
    assert f"certificate for {HOST}" in report.one("TLS", "fail")
    assert "name that is in the certificate" in report.mend("TLS")


def test_it_wants_a_certificate_of_the_client(doctor: Doctor, papers: Certificates) -> None:
    server = RealServer(debian())
    papers.encrypt(server, papers.local, clients=True)
    with server:
        report = doctor(at(server, ssl_ca_certs=papers.ca))
        assert (report.code, report.one("TLS", "fail")) == (69, "the server refuses this client")
        assert "client certificate" in report.mend("TLS")
        chain, key = papers.client
        report = doctor(at(server, ssl_ca_certs=papers.ca, ssl_certfile=chain, ssl_keyfile=key))
        assert report.code == 0
        assert report.one("TLS").endswith("; verified")


@pytest.mark.parametrize(("days", "verdict"), [(-1, "fail"), (3, "warn")])
def test_a_certificate_that_ends(doctor: Doctor, tmp_path: Path, days: int, verdict: str) -> None:
    authority = trustme.CA()
    now = dt.datetime.now(dt.UTC)
    made = authority.issue_cert(
        "127.0.0.1",
        not_before=now - dt.timedelta(days=9),
        not_after=now + dt.timedelta(days=days, hours=1),
    )
    chain, key, ca = (tmp_path / name for name in ("chain.pem", "key.pem", "ca.pem"))
    made.private_key_pem.write_to_path(key)
    made.cert_chain_pems[0].write_to_path(chain)
    authority.cert_pem.write_to_path(ca)
    options = {"tls-cert-file": chain, "tls-key-file": key, "tls-ca-cert-file": ca}
    server = RealServer(debian())
    server.options |= {name: str(path) for name, path in options.items()}
    server.options |= {"port": "0", "tls-port": str(server.port), "tls-auth-clients": "no"}
    with server:
        report = doctor(at(server, ssl_ca_certs=ca))
    tls_text = report.one("TLS", verdict)
    assert ("expired" in tls_text) is (days < 0)
    assert "Renew the server's certificate" in report.mend("TLS")


def test_a_server_without_tls(doctor: Doctor) -> None:
    with RealServer(debian()) as plain:
        report = doctor(f"rediss://127.0.0.1:{plain.port}/0", "--timeout", "0.5")
    assert (report.code, report.failures()) == (69, ["TLS"])
    assert "redis:// instead of rediss://" in report.mend("TLS")


@contextmanager
def mute(pair: tuple[Path, Path]) -> Iterator[int]:
    """The port of a server that completes handshakes, and then neither sends nor closes."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            held.append(client)
            with suppress(OSError):  # the client does not trust this certificate
                held.append(context.wrap_socket(client, server_side=True))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=serve)
        server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
            for client in held:
                client.close()


def test_a_server_that_never_closes(doctor: Doctor, papers: Certificates) -> None:
    """No connection of the checks stays open when the event loop ends."""
    with mute(papers.local) as port:
        options = urlencode({"ssl_ca_certs": papers.other_ca})
        report = doctor(f"rediss://127.0.0.1:{port}/0?{options}")
        assert (report.code, report.failures()) == (69, ["TLS"])
        assert "certificate for 127.0.0.1, ends in " in report.one("TLS", "fail")
        gc.collect()  # a socket that was left open warns here, and a warning is an error
