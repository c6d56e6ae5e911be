"""What TLS needs, checked before anything is connected: options, files, the name to expect."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import ConfigError

FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
OPTIONS = ("ssl_cert_reqs", "ssl_check_hostname", "ssl_server_name", *FILES)
"""As a URL spells them; all but ``ssl_server_name`` are redis-py's own names."""

_IN_ACCESS = {"ssl_ca_certs": "tls_ca", "ssl_certfile": "tls_cert", "ssl_keyfile": "tls_key"}

_Named = tuple[str, Path | None]
"""What the user calls a setting, and the file it names."""


def given(access: Credentials) -> str | None:
    """The first setting of ``access`` that means something with TLS alone."""
    for name in ("tls_ca", "tls_cert", "tls_key", "tls_server_name"):
        if getattr(access, name) is not None:
            return name
    return "tls_insecure" if access.tls_insecure else None


def tls_settings(options: dict[str, str], access: Credentials) -> dict[str, Any]:
    """Settings of a connection, ``access`` before the URL's options.

    Raises ``ConfigError`` where a value is none, a file is missing or no PEM, or a key fits no
    certificate.
    """
    verify = _verify(options)
    check = options.get("ssl_check_hostname", "true").lower()
    if check not in ("true", "false", "1", "0"):
        raise ConfigError("ssl_check_hostname in the Redis URL must be true or false.")
    if access.tls_insecure:
        verify = "none"
    files = {name: _file(name, options, access) for name in FILES}
    _check_files(files)
    tls: dict[str, Any] = {name: str(path) for name, (_, path) in files.items() if path}
    tls["ssl_cert_reqs"] = verify
    tls["ssl_check_hostname"] = verify != "none" and check in ("true", "1")
    tls["ssl_min_version"] = ssl.TLSVersion.TLSv1_2
    name = _server_name(access.tls_server_name or options.get("ssl_server_name"))
    return tls | ({"server_hostname": name} if name else {})


def _verify(options: dict[str, str]) -> str:
    verify = options.get("ssl_cert_reqs", "required")
    if verify not in ("required", "optional", "none"):
        raise ConfigError("ssl_cert_reqs in the Redis URL must be required, optional or none.")
    return verify


def _server_name(name: str | None) -> str | None:
    if name and (len(name) > 253 or not name.isascii() or not name.isprintable() or " " in name):
        raise ConfigError(
            "tls_server_name must be a host's name or address, as in redis.internal, in ASCII."
        )
    return name


def _file(name: str, options: dict[str, str], access: Credentials) -> _Named:
    in_access = _IN_ACCESS[name]
    path: Path | None = getattr(access, in_access)
    if path is not None:
        return in_access, path.expanduser()
    in_url = f"{name} in the Redis URL"
    return in_url, Path(options[name]).expanduser() if options.get(name) else None


def _check_files(files: dict[str, _Named]) -> None:
    for setting, path in files.values():
        if path is not None:
            _readable(setting, path)
    ca_setting, ca = files["ssl_ca_certs"]
    if ca is not None and not _holds_certificates(ca):
        raise ConfigError(f"{ca_setting} names {ca}, which holds no certificate in PEM form.")
    _check_pair(files["ssl_certfile"], files["ssl_keyfile"])


def _check_pair(cert: _Named, key: _Named) -> None:
    (cert_setting, cert_path), (key_setting, key_path) = cert, key
    if cert_path is None:
        if key_path is not None:
            raise ConfigError(f"{key_setting} needs the certificate it is for: set tls_cert too.")
        return
    asked: list[bool] = []

    def no_passphrase() -> str:
        asked.append(True)  # without this OpenSSL would ask on the terminal
        return ""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if _works(lambda: context.load_cert_chain(cert_path, key_path, no_passphrase)):
        return
    if not _holds_certificates(cert_path):
        raise ConfigError(f"{cert_setting} names {cert_path}, which holds no certificate in PEM.")
    keyed = f"{key_setting} names {key_path}" if key_path else f"{cert_setting} names {cert_path}"
    if asked:
        raise ConfigError(f"{keyed}, whose key is encrypted. Give one without a passphrase.")
    hint = "" if key_path else " Set tls_key too, where the key is in a file of its own."
    raise ConfigError(f"{keyed}, which holds no key in PEM form for that certificate.{hint}")


def _readable(setting: str, path: Path) -> None:
    why: str | None = None
    try:
        path.open("rb").close()
    except OSError as error:
        why = error.strerror or type(error).__name__
    if why is not None:
        raise ConfigError(f"{setting} names {path}, which cannot be read: {why}.")


def _holds_certificates(path: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _works(lambda: context.load_verify_locations(path))


def _works(load: Callable[[], None]) -> bool:
    try:
        load()
    except (OSError, ValueError):  # OpenSSL's errors are OSErrors too, with little detail
        return False
    return True
