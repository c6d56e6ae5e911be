"""The Redis URL to use, and the settings that it contains itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from runqy_tui.config.setting_sources import SettingKind, Source
from runqy_tui.config.settings import DEFAULT_URL
from runqy_tui.config.validation import boolean_word, is_text, shown
from runqy_tui.model.errors import ConfigError

_PARTS = ("REDIS_PORT", "REDIS_PASSWORD", "REDIS_TLS", "REDIS_DB")
_HOST_NAME = re.compile(r"[^\s/@?#%:\[\]]+")
_OPTIONS = {
    "ssl_ca_certs": "tls_ca",
    "ssl_certfile": "tls_cert",
    "ssl_keyfile": "tls_key",
    "ssl_server_name": "tls_server_name",
    "ssl_cert_reqs": "tls_insecure",
    "ssl_check_hostname": "tls_insecure",
}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A URL, where it came from in words, and its source (``None`` for the default URL)."""

    url: str = field(repr=False)
    where: str
    source: Source | None

    @property
    def encrypted(self) -> bool:
        """Whether the scheme requires TLS."""
        return self.url.strip().lower().startswith("rediss")

    @property
    def unverified(self) -> bool:
        """Whether the URL disables the verification of the server's certificate."""
        return self.encrypted and bool(re.search(r"[?&]ssl_cert_reqs=none(&|$)", self.url))

    @property
    def own_settings(self) -> frozenset[str]:
        """Settings that the URL contains; a weaker source does not override them."""
        rest, _, query = self.url.partition("?")
        login, at, _ = rest.partition("://")[2].split("/")[0].rpartition("@")
        username, colon, _ = login.partition(":")
        names = {_OPTIONS[name] for name in re.findall(r"(\w+)=", query) if name in _OPTIONS}
        # A URL with a password is complete: it is not combined with another user name.
        names |= {"username"} if username or colon else set()
        names |= {"password", "password_file"} if at and colon else set()
        return frozenset(names)


def resolve_address(sources: Sequence[Source], env: Mapping[str, str]) -> RedisAddress:
    """Return the URL of the strongest source that has one.

    Raises:
        ConfigError: it is not valid UTF-8, or its parts are ambiguous.
    """
    found = _resolve(sources, env)
    _check(found.url, found.where)
    return found


def _resolve(sources: Sequence[Source], env: Mapping[str, str]) -> RedisAddress:
    for source in sources:
        if source.kind is SettingKind.ENVIRONMENT:
            found = _of_environment(source, env)
        else:
            found = _of_values(source)
        if found is not None:
            return found
    parts = {name: env[name] for name in _PARTS if env.get(name)}
    if "://" in parts.get("REDIS_PORT", ""):
        del parts["REDIS_PORT"]  # Kubernetes sets tcp://… beside any service named redis
    if parts:
        (own,) = (source for source in sources if source.kind is SettingKind.ENVIRONMENT)
        return RedisAddress(_url_from_parts(parts), "REDIS_*", own)
    return RedisAddress(DEFAULT_URL, "the default", None)


def _of_environment(source: Source, env: Mapping[str, str]) -> RedisAddress | None:
    for name in ("RUNQY_REDIS_URL", "REDIS_URL"):
        if value := env.get(name):
            return RedisAddress(value, name, source)
    if env.get("REDIS_HOST"):
        return RedisAddress(_url_from_parts(env), "REDIS_HOST", source)
    return None


def _of_values(source: Source) -> RedisAddress | None:
    url = source.values.get("url")
    if url is None:
        return None
    if not isinstance(url, str):
        raise ConfigError(f"{source.where('url')} must be a string, as in redis://host:6379/0.")
    where = "config.toml" if source.kind is SettingKind.TOP else source.where("url")
    return RedisAddress(url, where, source)


def _check(url: str, source: str) -> None:
    """Reject a URL whose password would be parsed as another part, and could then be shown."""
    behind = "".join(re.split(r"[?#]", url, maxsplit=1)[1:])
    if "@" in behind:
        raise ConfigError(
            f"{source} has an @ after a ? or #. Percent-encode special characters of a password: "
            "? is %3F, # is %23, @ is %40."
        )
    if not is_text(url):
        raise ConfigError(f"{source} is not valid UTF-8. Percent-encode its other bytes.")


def _url_from_parts(env: Mapping[str, str]) -> str:
    """Build a URL from runqy's own variables (``REDIS_HOST``, ``REDIS_PORT``…).

    Raises ConfigError where one of them is invalid.
    """
    tls = boolean_word(env.get("REDIS_TLS", ""), "REDIS_TLS")
    host, inline_port = _split_host(env.get("REDIS_HOST", "").strip() or "localhost")
    named = "REDIS_PORT" if env.get("REDIS_PORT", "").strip() else "the port in REDIS_HOST"
    port = env.get("REDIS_PORT", "").strip() or inline_port or "6379"
    _check_number(named, port, 1, 65_535)
    db = env.get("REDIS_DB", "").strip() or "0"
    _check_number("REDIS_DB", db, 0, 999_999)
    password = env.get("REDIS_PASSWORD", "")
    if not is_text(password):
        raise ConfigError("REDIS_PASSWORD is not valid UTF-8. Set it again, as UTF-8.")
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{'rediss' if tls else 'redis'}://{login}{host}:{port}/{db}"


def _split_host(host: str) -> tuple[str, str]:
    """Return the host as in a URL, and the port if given, from ``h``, ``h:1`` or ``[::1]:1``."""
    name, colon, port = host.rpartition(":")
    if not colon or (":" in name and not name.endswith("]")):
        name, port = host, ""
    if _HOST_NAME.fullmatch(name):
        return name, port
    import ipaddress

    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    valid = ":" in bare
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"REDIS_HOST={shown(host)} is not a host name or address. "
            "Write only the host, as in redis.internal, or set RUNQY_REDIS_URL."
        )
    return f"[{bare.replace('%', '%25')}]", port


def _check_number(name: str, text: str, low: int, high: int) -> None:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not digits or not low <= int(text) <= high:
        raise ConfigError(f"{name}={shown(text)} must be a number from {low} to {high}.")
