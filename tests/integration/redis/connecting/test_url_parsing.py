"""Where a URL leads, and what is said of one that leads nowhere."""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import ConfigError
from runqy_tui.redis.connecting.target import address_of, parse_url
from tests.support.certificates import Certificates

SENTINELS = (("a", 26379), ("b", 7001), ("::1", 7002))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost:6379/0", "localhost:6379"),
        ("redis://", "localhost:6379"),
        ("redis://u:p@h", "h:6379"),
        ("REDIS://h:1", "h:1"),
        ("rediss://:p%40@h:7000/3", "h:7000/3"),
        ("redis://h/?db=4", "h:6379/4"),
        ("redis://[::1]:7000", "[::1]:7000"),
        ("redis://[fe80::1%25eth0]", "[fe80::1%eth0]:6379"),
        ("unix:///run/redis.sock?db=2", "unix:/run/redis.sock"),
        ("unix://u:p@/run/my%20redis.sock", "unix:/run/my redis.sock"),
        ("unix:///run/a@b.sock", "unix:/run/a@b.sock"),
        ("redis+sentinel://h/mymaster", "mymaster@h:26379"),
        (
            "redis+sentinel://u:p@a,b:7001,[::1]:7002/mymaster/2",
            "mymaster@a:26379,b:7001,[::1]:7002/2",
        ),
        ("rediss+sentinel://a,b,c,d,e/my%2Fmaster?db=1", "my/master@a:26379,b:26379,c:26379,+2/1"),
        ("redis+cluster://:p@a,b:1", "cluster@a:6379,b:1"),
        ("rediss+cluster://[::1]/0", "cluster@[::1]:6379"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert address_of(url) == address
    assert parse_url(url).address == address


def test_parts_of_a_url() -> None:
    target = parse_url("rediss://us%3Aer:p%40ss@h:7000/3?ssl_cert_reqs=none", timeout=2)
    assert (target.username, target.password) == ("us:er", "p@ss")
    assert (target.db, target.timeout) == (3, 2)
    assert (target.scheme, target.unverified) == ("rediss", True)
    assert target.tls["ssl_check_hostname"] is False
    assert "p@ss" not in repr(target)


def test_sentinels_of_a_url() -> None:
    access = Credentials(sentinel_username="watch", sentinel_password="other", client_name="mine")
    target = parse_url("rediss+sentinel://u:p@a,b:7001,[::1]:7002/m/2", access=access)
    assert (target.scheme, target.service, target.db) == ("redis+sentinel", "m", 2)
    assert target.seeds == SENTINELS
    assert target.uses_tls
    assert not target.unverified
    server, sentinel = target.at("10.0.0.1", 6379), target.sentinel_at("b", 7001)
    assert (server.scheme, server.username, server.password, server.db) == ("rediss", "u", "p", 2)
    assert (sentinel.username, sentinel.password, sentinel.db) == ("watch", "other", 0)
    assert (server.client_name, sentinel.client_name) == ("mine", "mine")
    assert server.url_form(tls=False) == "redis+sentinel://"
    assert parse_url("redis+sentinel://u:p@a/m").sentinel_at("a", 1).password is None


def test_a_cluster_of_a_url() -> None:
    target = parse_url("rediss+cluster://u:p@a,[::2]:7/0")
    assert (target.scheme, target.seeds) == ("redis+cluster", (("a", 6379), ("::2", 7)))
    assert target.at("::2", 7).address == "[::2]:7"
    assert target.at("::2", 7).scheme == "rediss"


def test_access_counts_more_than_the_url() -> None:
    target = parse_url("redis://u:p@h", access=Credentials(username="me", password=""))
    assert (target.username, target.password) == ("me", "")
    target = parse_url("rediss://h?ssl_server_name=x", access=Credentials(tls_server_name="y"))
    assert target.tls["server_hostname"] == "y"
    assert parse_url("rediss://h?ssl_server_name=x").tls["server_hostname"] == "x"
    assert parse_url("rediss://h", access=Credentials(tls_insecure=True)).unverified


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://u:s3cret@h", "must start with redis://"),
        ("h:6379", "must start with redis://"),
        ("redis+sentinels://s3cret@h/m", "must start with redis://"),
        ("redis://u:s3#cret@h:6379", "no valid host: a # ends it"),
        ("redis://u:s3/cret@h:6379", "no valid host: an @ comes too late"),
        ("redis://u:s3?cret@h:6379", "no valid host: an @ comes too late"),
        ("redis://u:s3cret@h:port", "no valid port"),
        ("redis://u:s3cret@h:65536", "no valid port"),
        ("redis://u:s3cret@h:0", "no valid port"),
        ("redis://u:s3cret:h:1", "IPv6 address in brackets"),
        ("redis://u:s3cret@[::1", "IPv6 address in brackets"),
        ("redis://u:s3cret@[s3cret]:1", "no IPv6 address"),
        ("redis://u:s3cret@h h", "no name has such signs"),
        ("redis://u:s3cret@a,b", "several may stand only in redis+sentinel://"),
        ("redis+cluster://u:s3cret@a,,b", "one between its commas is empty"),
        ("redis://u:s3cret@h/name", "database in the Redis URL must be a number"),
        ("redis://u:s3cret@h/1/2", "database in the Redis URL must be a number"),
        ("redis://u:s3cret@h?socket_timeout=3", "unknown option 'socket_timeout'"),
        ("redis://u:s3cret@h?ssl_ca_certs=x", "needs rediss://"),
        ("redis+sentinel://s3cret@h/m?ssl_ca_certs=x", "needs rediss+sentinel://"),
        ("rediss://u:s3cret@h?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
        ("rediss://u:s3cret@h?ssl_check_hostname=maybe", "ssl_check_hostname"),
        ("unix://u:s3cret@", "names no socket"),
        ("unix://tmp/x.sock", "no valid socket"),
        ("redis+sentinel://u:s3cret@h", "must name one service"),
        ("redis+sentinel://u:s3cret@h//0", "must name one service"),
        ("redis+sentinel://u:s3cret@h/m/0/1", "must name one service"),
        ("redis+sentinel://u:s3cret@h/m/zero", "database in the Redis URL must be a number"),
        ("redis+sentinel://u:s3cret@h/m%0a", "service in the Redis URL must be a name"),
        ("redis+cluster://u:s3cret@h/2", "a cluster has only database 0"),
    ],
)
def test_bad_urls(url: str, part: str) -> None:
    complaint(url, part)


@pytest.mark.parametrize(
    ("url", "access", "part"),
    [
        ("redis://h", {"tls_ca": Path("x")}, "tls_ca needs rediss:// (TLS)"),
        ("redis+cluster://h", {"tls_insecure": True}, "tls_insecure needs rediss+cluster:// (TLS)"),
        ("unix:///x", {"tls_server_name": "x"}, "a Unix socket has none"),
        ("rediss://h", {"tls_ca": Path("/nowhere/s3.pem")}, "tls_ca names /nowhere/"),
        ("rediss://h", {"tls_cert": Path("/")}, "tls_cert names /, which cannot be read: Is a dir"),
        ("rediss://h", {"tls_server_name": "a b"}, "tls_server_name must be"),
        ("redis://h", {"client_name": "a b"}, "client_name must be"),
        ("redis://h", {"client_name": ""}, "client_name must be"),
        ("redis://h", {"client_name": "a\nb"}, "client_name must be"),
        ("redis://h", {"client_name": "ä"}, "client_name must be"),
        ("redis://h", {"password": "s3\udcff"}, "password is not valid UTF-8"),
    ],
)
def test_bad_access(url: str, access: dict[str, Any], part: str) -> None:
    complaint(url, part, secret="\udcff", **access)


def test_bad_files(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    text = tmp_path / "text"
    text.write_text("no PEM")
    locked = tmp_path / "locked.key"
    locked.write_bytes(encrypted_key(made.client[1].read_bytes()))
    complaint("rediss://h", f"tls_ca names {text}, which holds no certificate", tls_ca=text)
    complaint(f"rediss://h?ssl_ca_certs={text}", f"ssl_ca_certs in the Redis URL names {text}")
    complaint("rediss://h", "tls_cert names", tls_cert=text, tls_key=made.client[1])
    complaint("rediss://h", "Set tls_key too", tls_cert=made.client[0])
    complaint("rediss://h", "tls_key names", tls_cert=made.client[0], tls_key=text)
    complaint("rediss://h", "no key in PEM", tls_cert=made.client[0], tls_key=made.other_client[1])
    complaint("rediss://h", "key is encrypted", tls_cert=made.client[0], tls_key=locked)
    complaint("rediss://h", "set tls_cert too", tls_key=made.client[1])
    both = tmp_path / "both.pem"
    both.write_bytes(made.client[0].read_bytes() + made.client[1].read_bytes())
    assert parse_url("rediss://h", access=Credentials(tls_cert=both)).tls["ssl_certfile"] == str(
        both
    )


@given(st.text(max_size=40))
def test_no_url_raises_anything_else(text: str) -> None:
    for url in (text, f"redis://{text}", f"unix://{text}", f"rediss+sentinel://{text}"):
        with suppress(ConfigError):
            parse_url(url)


def complaint(url: str, part: str, secret: str = "s3", **access: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url, access=Credentials(**access))
    assert part in str(caught.value)
    printed = "".join(traceback.format_exception(caught.value)).replace(url, "")
    assert secret not in printed.replace("s3.pem", "")
    assert caught.value.__context__ is None


def encrypted_key(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
