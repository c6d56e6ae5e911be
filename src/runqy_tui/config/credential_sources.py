"""Credentials: which sources may supply them, passwords from files, and TLS files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from runqy_tui.config import validation
from runqy_tui.config.redis_address import RedisAddress
from runqy_tui.config.setting_sources import FoundSetting, SettingKind, Source, find_setting
from runqy_tui.model.credentials import CLIENT_NAME, Credentials
from runqy_tui.model.errors import ConfigError, UsageError

_LARGEST = 65_536
_STANDARD_INPUT = "-"


def read_secret(path: Path, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the password in a file, without one trailing newline, and warnings about the file.

    A file that all users may read is accepted: containers mount secrets so. A path that ends in
    ``-`` is standard input. ``where`` is the setting that names the file, for messages.

    Raises:
        ConfigError: the file cannot be read, is empty, too large, or not valid UTF-8.
    """
    standard = path.name == _STANDARD_INPUT
    if standard and os.isatty(0):
        raise ConfigError(f"{where}: standard input is a terminal. Use --ask-password instead.")
    try:
        with (Path("/dev/stdin") if standard else path).open("rb") as file:
            data = file.read(_LARGEST + 1)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ConfigError(f"{where}: {path} cannot be read: {error.strerror}.") from None
    return _text(data, f"{where}: {path}"), _open_to_all(path, mode) if not standard else ()


def _text(data: bytes, where: str) -> str:
    data = data.removesuffix(b"\r\n") if data.endswith(b"\r\n") else data.removesuffix(b"\n")
    if not data:
        raise ConfigError(f"{where} is empty: it must contain the password.")
    if len(data) > _LARGEST:
        raise ConfigError(f"{where} is larger than 64 KiB, the limit for a password.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{where} is not valid UTF-8: save it as UTF-8.") from None


def _open_to_all(path: Path, mode: int) -> tuple[str, ...]:
    return (world_readable_warning(path),) if stat.S_ISREG(mode) and mode & stat.S_IROTH else ()


def world_readable_warning(path: Path) -> str:
    """Return the warning about a file with a password that all users may read."""
    return f"{path} contains a password and is readable by all users: run chmod 600 on it."


T = TypeVar("T")

TLS = ("tls_ca", "tls_cert", "tls_key", "tls_server_name", "tls_insecure")


@dataclass(frozen=True, slots=True)
class CredentialSources:
    """Credentials, and warnings for the user about their sources."""

    access: Credentials = field(default_factory=Credentials)
    warnings: tuple[str, ...] = ()


def trusted_sources(sources: Sequence[Source], address: RedisAddress) -> tuple[Source, ...]:
    """Return the sources that may supply credentials for this address.

    Settings that the URL contains itself are removed from weaker sources. Nothing from the file is
    used for an address from elsewhere, and nothing from its top level for the address of a
    profile: a password must not be sent to a host that it was not written for.
    """
    origin = address.source
    if origin is None:
        return tuple(sources)
    kept = [source for source in sources if not source.in_file or _belongs(source, origin)]
    weaker = kept[kept.index(origin) + 1 :]
    return tuple(_without(s, address.own_settings) if s in weaker else s for s in kept)


def _belongs(source: Source, origin: Source) -> bool:
    return origin.in_file and not (
        source.kind is SettingKind.TOP and origin.kind is SettingKind.PROFILE
    )


def _without(source: Source, names: frozenset[str]) -> Source:
    left = {name: value for name, value in source.values.items() if name not in names}
    return replace(source, values=left)


def read_credentials(
    sources: Sequence[Source],
    own: Sequence[Source],
    address: RedisAddress,
    ask: Callable[[], str] | None,
) -> CredentialSources:
    """Read the credentials for an address.

    Args:
        sources: all sources.
        own: the sources that :func:`trusted_sources` selects for the address.
        address: the address of Redis.
        ask: prompts the user for the password; ``None`` without a prompt.

    Raises:
        ConfigError: a value is invalid, or TLS settings are given for a URL without TLS.
        UsageError: flags contradict each other, or there is no terminal to ask on.
    """
    _check_tls(own, address)
    sentinel, warnings = _password(own, "sentinel_password", None)
    access = Credentials(
        username=_value(own, "username", validation.word),
        sentinel_username=_value(own, "sentinel_username", validation.word),
        sentinel_password=sentinel,
        tls_ca=_file(own, "tls_ca"),
        tls_cert=_file(own, "tls_cert"),
        tls_key=_file(own, "tls_key"),
        tls_server_name=_value(own, "tls_server_name", validation.word),
        tls_insecure=bool(_value(own, "tls_insecure", validation.boolean)),
        client_name=_value(sources, "client_name", validation.client_name) or CLIENT_NAME,
    )
    password, more = _password(own, "password", ask)
    return CredentialSources(replace(access, password=password), (*more, *warnings))


def _value(sources: Sequence[Source], name: str, check: Callable[[object, str], T]) -> T | None:
    found = find_setting(sources, name)
    return None if found is None else check(found.value, found.where)


def _file(sources: Sequence[Source], name: str) -> Path | None:
    found = find_setting(sources, name)
    if found is None:
        return None
    path = validation.file_name(found.value, found.where, found.source.folder)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ConfigError(f"{found.where}: {path} cannot be read: {error.strerror}.") from None


def _password(
    sources: Sequence[Source], name: str, ask: Callable[[], str] | None
) -> tuple[str | None, tuple[str, ...]]:
    file_too = f"{name}_file"
    found = find_setting(sources, name, file_too)
    if ask is not None:
        if found is not None and found.source.kind is SettingKind.FLAGS:
            raise UsageError("--ask-password and --password-file exclude each other: remove one.")
        return ask(), ()
    if found is None:
        return None, ()
    if name in found.source.values and file_too in found.source.values:
        where = found.source.where(file_too)
        raise ConfigError(f"{found.where} and {where} are both set: remove one.")
    if name in found.source.values:
        return validation.secret(found.value, found.where), ()
    return read_secret(_secret_file(found), found.where)


def _secret_file(found: FoundSetting) -> Path:
    if str(found.value) == "-":
        return Path("-")
    return validation.file_name(found.value, found.where, found.source.folder)


def _check_tls(sources: Sequence[Source], address: RedisAddress) -> None:
    found = next(
        (found for name in TLS if (found := find_setting(sources, name)) and found.value), None
    )
    if found is not None and not address.encrypted:
        raise ConfigError(
            f"{found.where} requires TLS, but the URL ({address.where}) does not use it: begin the "
            "URL with rediss://, as in rediss://host, or remove the TLS settings."
        )
    key = find_setting(sources, "tls_key")
    if key is not None and find_setting(sources, "tls_cert") is None:
        raise ConfigError(f"{key.where} requires a certificate: set tls_cert too.")
