"""Checks the TLS handshake and the certificate of a server."""

from __future__ import annotations

import asyncio
import re
import ssl
from time import time
from typing import Any, NamedTuple

from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.errors import ConfigError, ConnectionFailedError
from runqy_tui.redis.checkup.reachability import Spot, short_connection
from runqy_tui.redis.connecting.target import RedisTarget

SOON_DAYS = 14.0
"""Days before the expiry of a certificate from which on there is a warning."""

_LINGER_S = 0.2
"""In TLS 1.3 a server refuses a client without certificate only after the handshake."""

_CODE = ConnectionFailedError.exit_code
_MOST_NAMES = 6


class _Shown(NamedTuple):
    """A finished handshake."""

    version: str
    cipher: str
    der: bytes
    refused: bool


async def check_tls(target: RedisTarget, spot: Spot) -> CheckLine:
    """One line on TLS with the server at ``spot``; raises nothing that a network may cause."""
    if not target.uses_tls:
        return CheckLine("TLS", Verdict.OK, "not used: the connection is not encrypted")
    try:
        context = context_of(target)
    except (OSError, ssl.SSLError):  # no text of it: it may quote what stands in the file
        files = [target.tls.get(f"ssl_{name}") for name in ("ca_certs", "certfile", "keyfile")]
        text = f"cannot be read as PEM: {', '.join(str(name) for name in files if name)}"
        remedy = "Name the right files: CA, client certificate, and its key without a passphrase."
        return CheckLine("TLS", Verdict.FAIL, text, remedy, ConfigError.exit_code)
    name = server_name(target, spot)
    try:
        shown = await _shake(spot, name, context, target.timeout)
    except ssl.SSLCertVerificationError as error:
        return await _unverified(target, spot, name, error)
    except (OSError, TimeoutError) as error:
        return _no_tls(error, target)
    if shown.refused:
        remedy = "Name a client certificate and its key: ssl_certfile and ssl_keyfile in the URL."
        return CheckLine("TLS", Verdict.FAIL, "the server refuses this client", remedy, _CODE)
    return await _good(target, spot, name, shown)


def context_of(target: RedisTarget) -> ssl.SSLContext:
    """The settings of the connections that the reader makes, for one of our own."""
    settings = target.tls
    context = ssl.create_default_context()
    context.check_hostname = bool(settings.get("ssl_check_hostname"))
    context.verify_mode = _REQUIREMENTS[settings.get("ssl_cert_reqs", "required")]
    _load_own(context, settings)
    if settings.get("ssl_ca_certs"):
        context.load_verify_locations(cafile=settings["ssl_ca_certs"])
    context.minimum_version = settings.get("ssl_min_version", ssl.TLSVersion.TLSv1_2)
    return context


_REQUIREMENTS = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def _load_own(context: ssl.SSLContext, settings: dict[str, Any]) -> None:
    if settings.get("ssl_certfile"):
        # Without a passphrase OpenSSL would ask for one on the terminal.
        context.load_cert_chain(
            settings["ssl_certfile"], settings.get("ssl_keyfile"), password=lambda: b""
        )


def server_name(target: RedisTarget, spot: Spot) -> str:
    """The name that the certificate has to be issued for."""
    return str(target.tls.get("server_hostname") or spot.name)


async def _shake(spot: Spot, name: str, context: ssl.SSLContext, timeout_s: float) -> _Shown:
    async with asyncio.timeout(timeout_s + _LINGER_S):
        opening = asyncio.open_connection(spot.ip, spot.port, ssl=context, server_hostname=name)
        async with short_connection(opening) as (reader, writer):
            shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
            cipher = shown.cipher()
            return _Shown(
                shown.version() or "TLS",
                cipher[0] if cipher else "cipher unknown",
                shown.getpeercert(binary_form=True) or b"",
                await _is_refused(reader),
            )


async def _is_refused(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(_LINGER_S):
            return not await reader.read(1)
    except TimeoutError:
        return False
    except OSError:
        return True


async def _certificate(
    target: RedisTarget, spot: Spot, name: str, der: bytes
) -> dict[str, Any] | None:
    """The fields of a certificate that need not be trusted; ``None`` where it has ended.

    The standard library shows the fields of trusted ones only: so it is trusted, for one
    handshake of which nothing but this is used.
    """
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    _load_own(context, target.tls)
    try:
        async with asyncio.timeout(target.timeout):
            opening = asyncio.open_connection(spot.ip, spot.port, ssl=context, server_hostname=name)
            async with short_connection(opening) as (_, writer):
                found: dict[str, Any] = writer.get_extra_info("peercert")
                return found
    except (OSError, TimeoutError):
        return None


async def _shown_anyway(target: RedisTarget, spot: Spot, name: str) -> dict[str, Any] | None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _load_own(context, target.tls)
    try:
        shown = await _shake(spot, name, context, target.timeout)
    except (OSError, TimeoutError):
        return None
    return await _certificate(target, spot, name, shown.der)


async def _good(target: RedisTarget, spot: Spot, name: str, shown: _Shown) -> CheckLine:
    fields = await _certificate(target, spot, name, shown.der)
    days = _days_left(fields)
    text = f"{shown.version}, {shown.cipher}; {_described(fields)}"
    if target.unverified:
        remedy = (
            "Name the CA's file instead (ssl_ca_certs), so that no other server can pose as it."
        )
        return CheckLine("TLS", Verdict.WARN, f"{text}; NOT verified", remedy)
    if days is not None and days < SOON_DAYS:
        remedy = "Renew the server's certificate before it ends."
        return CheckLine("TLS", Verdict.WARN, f"{text}; verified", remedy)
    return CheckLine("TLS", Verdict.OK, f"{text}; verified")


async def _unverified(
    target: RedisTarget, spot: Spot, name: str, error: ssl.SSLCertVerificationError
) -> CheckLine:
    reason = re.sub(r"\s+", " ", error.verify_message or "it is not trusted").strip().rstrip(".")
    fields = await _shown_anyway(target, spot, name)
    if "expired" in reason:
        remedy = "Renew the server's certificate, and compare the clocks."
    elif "mismatch" in reason or "not valid for" in reason:
        remedy = "Connect by a name that is in the certificate, or set the server name for TLS."
    else:
        remedy = "Name the file of the CA that signed it: ssl_ca_certs=FILE in the URL."
    text = f"the certificate fails the check: {reason}; {_described(fields)}"
    return CheckLine("TLS", Verdict.FAIL, text, remedy, _CODE)


def _no_tls(error: OSError | TimeoutError, target: RedisTarget) -> CheckLine:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    text = f"the handshake fails ({reason or type(error).__name__})"
    if isinstance(error, TimeoutError):
        text = f"no answer within {target.timeout:g} s"
    remedy = (
        "If this Redis has no TLS: redis:// instead of rediss://. It may also want a newer TLS."
    )
    return CheckLine("TLS", Verdict.FAIL, text, remedy, _CODE)


def _described(fields: dict[str, Any] | None) -> str:
    if not fields:
        return "the certificate's names and end cannot be read"
    names = [value for _, value in fields.get("subjectAltName", ())] or [
        value for part in fields.get("subject", ()) for key, value in part if key == "commonName"
    ]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    listed = ", ".join(names[:_MOST_NAMES]) or "no name"
    days = _days_left(fields)
    end = "" if days is None else f", ends in {days:.0f} days ({fields['notAfter']})"
    return f"certificate for {listed}{more}{end}"


def _days_left(fields: dict[str, Any] | None) -> float | None:
    if not fields or "notAfter" not in fields:
        return None
    return (ssl.cert_time_to_seconds(fields["notAfter"]) - time()) / 86_400
