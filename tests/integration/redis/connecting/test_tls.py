"""TLS with Debian's server: whose certificate is believed, and what is said where it is not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import AccessDeniedError, ConfigError, ConnectionFailedError
from runqy_tui.redis.reader import open_reader
from tests.integration.redis.connecting.connect_once import SECRET, refusal, seen
from tests.support.certificates import HOST, Certificates
from tests.support.servers import RealServer, debian

USER = f"on >{SECRET} ~* &* +@all"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def local(made: Certificates) -> Iterator[RealServer]:
    """Its certificate is for 127.0.0.1; there is a user, and clients need no certificate."""
    server = RealServer(debian(), {"user monitor": USER})
    made.encrypt(server, made.local, clients=False)
    with server:
        yield server


@pytest.fixture(scope="module")
def strict(made: Certificates) -> Iterator[RealServer]:
    """Its certificate is for another name, and it wants one of every client."""
    server = RealServer(debian())
    made.encrypt(server, made.named, clients=True)
    with server:
        yield server


@pytest.fixture(scope="module")
def plain() -> Iterator[RealServer]:
    with RealServer() as server:
        yield server


def encrypted(server: RealServer, login: str = "") -> str:
    return f"rediss://{login}127.0.0.1:{server.port}"


async def test_the_right_authority(local: RealServer, made: Certificates) -> None:
    snapshot = await seen(encrypted(local), tls_ca=made.ca)
    assert snapshot.redis.version is not None
    assert not snapshot.redis.unverified
    in_url = await seen(f"{encrypted(local)}?ssl_ca_certs={made.ca}")
    assert in_url.redis.address == f"127.0.0.1:{local.port}"


async def test_user_and_password(local: RealServer, made: Certificates) -> None:
    await seen(encrypted(local, f"monitor:{SECRET}@"), tls_ca=made.ca)
    await seen(encrypted(local), tls_ca=made.ca, username="monitor", password=SECRET)
    url = encrypted(local, "monitor:wrong@")
    text = await refusal(url, AccessDeniedError, tls_ca=made.ca)
    assert 'refuses the password for user "monitor"' in text


@pytest.mark.parametrize("other", [False, True])
async def test_an_authority_that_did_not_sign_it(
    local: RealServer, made: Certificates, other: bool
) -> None:
    ca = made.other_ca if other else None
    text = await refusal(encrypted(local), ConnectionFailedError, tls_ca=ca)
    assert "has a certificate that fails verification: " in text
    assert "Set tls_ca" in text


async def test_another_name(strict: RealServer, made: Certificates) -> None:
    chain, key = made.client
    own: dict[str, Any] = {"tls_ca": made.ca, "tls_cert": chain, "tls_key": key}
    text = await refusal(encrypted(strict), ConnectionFailedError, **own)
    assert "a certificate for another name: it is not for 127.0.0.1." in text
    assert "tls_server_name" in text
    text = await refusal(
        encrypted(strict), ConnectionFailedError, tls_server_name="other.test", **own
    )
    assert "it is not for other.test." in text
    named = await seen(encrypted(strict), tls_server_name=HOST, **own)
    assert not named.redis.unverified
    unnamed = f"{encrypted(strict)}?ssl_check_hostname=false"
    assert not (await seen(unnamed, **own)).redis.unverified


async def test_the_name_is_sent_too(local: RealServer, made: Certificates) -> None:
    """A server behind a router that goes by the name: TLS ends before a real Redis."""
    names: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*made.named)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    behind = ssl.create_default_context(cafile=str(made.ca))

    async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        back, on = await asyncio.open_connection("127.0.0.1", local.port, ssl=behind)
        await asyncio.gather(pump(source, on), pump(back, sink))

    router = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    port = router.sockets[0].getsockname()[1]
    await seen(f"rediss://127.0.0.1:{port}", tls_ca=made.ca, tls_server_name=HOST)
    assert names == [HOST]
    router.close()
    await asyncio.sleep(0.05)


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
    sink.close()


async def test_a_certificate_of_the_client(strict: RealServer, made: Certificates) -> None:
    common: dict[str, Any] = {"tls_ca": made.ca, "tls_server_name": HOST}
    text = await refusal(encrypted(strict), ConnectionFailedError, **common)
    assert "requires a client certificate" in text
    assert "tls_cert and tls_key" in text
    chain, key = made.other_client
    text = await refusal(
        encrypted(strict), ConnectionFailedError, tls_cert=chain, tls_key=key, **common
    )
    assert "refuses the certificate of this client" in text
    chain, key = made.client
    await seen(encrypted(strict), tls_cert=chain, tls_key=key, **common)


async def test_insecure_says_so(strict: RealServer, made: Certificates) -> None:
    chain, key = made.client
    snapshot = await seen(encrypted(strict), tls_insecure=True, tls_cert=chain, tls_key=key)
    assert snapshot.redis.unverified
    in_url = f"{encrypted(strict)}?ssl_cert_reqs=none&ssl_certfile={chain}&ssl_keyfile={key}"
    assert (await seen(in_url)).redis.unverified


async def test_tls_to_a_plain_port(plain: RealServer, made: Certificates) -> None:
    text = await refusal(encrypted(plain), ConnectionFailedError, 0.4, tls_ca=made.ca)
    assert "redis://" in text
    assert "TLS" in text


async def test_no_tls_to_a_port_that_wants_it(local: RealServer) -> None:
    url = f"redis://monitor:{SECRET}@127.0.0.1:{local.port}"
    text = await refusal(url, ConnectionFailedError, 0.4)
    assert "use rediss://" in text


async def test_nothing_is_connected_with_a_bad_file(made: Certificates) -> None:
    access = Credentials(tls_ca=made.folder / "none.pem")
    with pytest.raises(ConfigError, match=r"tls_ca names .*none\.pem, which cannot be read"):
        await open_reader("rediss://127.0.0.1:1", access=access)


async def test_a_frozen_server_is_given_up_in_time(local: RealServer, made: Certificates) -> None:
    local.freeze()
    try:
        text = await refusal(encrypted(local), ConnectionFailedError, 0.4, tls_ca=made.ca)
    finally:
        local.thaw()
    assert "does not answer within 0.4 s" in text
    await seen(encrypted(local), tls_ca=made.ca)
