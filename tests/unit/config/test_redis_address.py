"""The address of Redis: runqy's own variables, and passwords that must stay where they are."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.config import Settings, load_settings
from runqy_tui.model.errors import ConfigError
from runqy_tui.redis.connecting.target import parse_url

SECRET = "hunter2"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text("", encoding="utf-8")
    return path


def load(file: Path, url: str | None = None, **env: str) -> Settings:
    return load_settings({"RUNQY_TUI_CONFIG": str(file), **env}, url=url)


def complaint(file: Path, url: str | None = None, **env: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(file, url, **env)
    return str(raised.value)


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"REDIS_HOST": "r"}, "redis://r:6379/0"),
        ({"REDIS_HOST": " r "}, "redis://r:6379/0"),
        ({"REDIS_HOST": "r", "REDIS_PORT": "6380", "REDIS_DB": "3"}, "redis://r:6380/3"),
        ({"REDIS_HOST": "r:6381"}, "redis://r:6381/0"),
        ({"REDIS_HOST": "r:6381", "REDIS_PORT": "6380"}, "redis://r:6380/0"),
        ({"REDIS_HOST": "r", "REDIS_TLS": "TRUE"}, "rediss://r:6379/0"),
        ({"REDIS_HOST": "r", "REDIS_TLS": "1"}, "rediss://r:6379/0"),
        ({"REDIS_HOST": "r", "REDIS_TLS": "off"}, "redis://r:6379/0"),
        ({"REDIS_HOST": "10.0.0.5"}, "redis://10.0.0.5:6379/0"),
        ({"REDIS_HOST": "::1"}, "redis://[::1]:6379/0"),
        ({"REDIS_HOST": "[::1]"}, "redis://[::1]:6379/0"),
        ({"REDIS_HOST": "[2001:db8::7]:6390"}, "redis://[2001:db8::7]:6390/0"),
        ({"REDIS_HOST": "2001:db8::7", "REDIS_PORT": "1"}, "redis://[2001:db8::7]:1/0"),
        ({"REDIS_PASSWORD": "p"}, "redis://:p@localhost:6379/0"),
        ({"REDIS_PORT": "6380"}, "redis://localhost:6380/0"),
        ({"REDIS_PORT": "tcp://172.17.0.2:6379"}, "redis://localhost:6379/0"),
    ],
)
def test_a_url_out_of_parts(file: Path, env: dict[str, str], url: str) -> None:
    assert load(file, **env).url == url


def test_an_ipv6_zone_survives_the_url(file: Path) -> None:
    assert parse_url(load(file, REDIS_HOST="fe80::1%ee0").url).host == "fe80::1%ee0"


def test_parts_without_a_host_do_not_override_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("url = 'redis://from-file/0'", encoding="utf-8")
    assert load(path, REDIS_PORT="6380").url == "redis://from-file/0"


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30))
def test_any_password_arrives_whole_and_shows_nowhere(file: Path, password: str) -> None:
    settings = load(file, REDIS_HOST="redis.internal", REDIS_PASSWORD=f"{SECRET}{password}")
    target = parse_url(settings.url)
    assert target.password == f"{SECRET}{password}"
    assert (target.host, target.port, target.db) == ("redis.internal", 6379, 0)
    assert urlsplit(settings.url).hostname == "redis.internal"
    for shown in (repr(settings), str(settings), f"{settings}", repr(target), target.address):
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"REDIS_PORT": "http"}, "REDIS_PORT='http' must be a number from 1 to 65535."),
        ({"REDIS_PORT": "0"}, "REDIS_PORT='0' must be a number from 1 to 65535."),
        ({"REDIS_PORT": "65536"}, "REDIS_PORT='65536' must be a number from 1 to 65535."),
        ({"REDIS_PORT": "²"}, "REDIS_PORT='²' must be a number from 1 to 65535."),
        ({"REDIS_PORT": "-1"}, "REDIS_PORT='-1' must be a number from 1 to 65535."),
        ({"REDIS_PORT": "9" * 5000}, "REDIS_PORT=(not shown) must be a number from 1 to 65535."),
        ({"REDIS_HOST": "r:99999"}, "the port in REDIS_HOST='99999' must be a number from 1"),
        ({"REDIS_DB": "one"}, "REDIS_DB='one' must be a number from 0 to 999999."),
        ({"REDIS_DB": "-1"}, "REDIS_DB='-1' must be a number from 0 to 999999."),
        ({"REDIS_TLS": "maybe"}, "REDIS_TLS='maybe' must be true or false."),
        ({"REDIS_HOST": "a b"}, "REDIS_HOST='a b' is not a host name or address."),
        ({"REDIS_HOST": "redis/0"}, "REDIS_HOST='redis/0' is not a host name or address."),
        ({"REDIS_HOST": "[::1"}, "REDIS_HOST='[::1' is not a host name or address."),
        ({"REDIS_HOST": "redis://r:6379"}, "REDIS_HOST='redis://r:6379' is not a host name"),
        ({"REDIS_HOST": "[r]"}, "REDIS_HOST='[r]' is not a host name or address."),
    ],
)
def test_a_bad_part_is_named_with_its_value_and_fix(
    file: Path, env: dict[str, str], says: str
) -> None:
    assert complaint(file, **{"REDIS_HOST": "r", **env}).startswith(says)


@pytest.mark.parametrize(
    "env",
    [
        {"REDIS_HOST": f"redis://:{SECRET}@r:6379"},
        {"REDIS_HOST": f"{SECRET}@r"},
        {"REDIS_HOST": "r", "REDIS_PORT": f"tcp://me:{SECRET}@r:1"},
        {"REDIS_HOST": "r", "REDIS_DB": f"redis://:{SECRET}@r"},
        {"REDIS_HOST": "r", "REDIS_PASSWORD": f"{SECRET}\udcff"},
        {"RUNQY_REDIS_URL": f"redis://:{SECRET}\udcff@r"},
        {"RUNQY_REDIS_URL": f"redis://:12?{SECRET}@r:6379/0"},
        {"REDIS_URL": f"redis://:12#{SECRET}@r:6379/0"},
    ],
)
def test_a_password_in_the_wrong_place_is_refused_without_showing_it(
    file: Path, env: dict[str, str]
) -> None:
    text = complaint(file, **env)
    assert SECRET not in text
    assert any(name in text for name in env)


@pytest.mark.parametrize(
    "url",
    [
        f"http://:{SECRET}@r",
        f"//:{SECRET}@r",
        f"redis://:{SECRET}@r:port",
        f"redis://:{SECRET}@r:99999",
        f"redis://:{SECRET}@[::1",
        f"redis://:{SECRET}@r/zero",
        f"redis://:{SECRET}@r/0?unknown={SECRET}",
        f"redis://:{SECRET}@r/0?ssl_ca_certs={SECRET}",
        f"rediss://:{SECRET}@r/0?ssl_cert_reqs={SECRET}",
        f"unix://:{SECRET}@",
        f"redis://:a/{SECRET}@r",
        f"redis://:1/{SECRET}@r",
        f":{SECRET}@r",
        SECRET,
        "",
    ],
)
def test_a_url_that_leads_nowhere_is_a_config_error_without_its_text(file: Path, url: str) -> None:
    settings = load(file, url)
    with pytest.raises(ConfigError) as raised:
        parse_url(settings.url)
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(raised.value)
    assert "Redis URL" in str(raised.value)
