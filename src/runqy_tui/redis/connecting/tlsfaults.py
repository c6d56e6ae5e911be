"""Failures of TLS in one line for the user: what happens, its cause, and the mend."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from runqy_tui.text.safe import safe_line

if TYPE_CHECKING:
    from runqy_tui.redis.connecting.target import Target

_ANOTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_MISMATCH
_NOT_YET, _EXPIRED = 9, 10
_WANTED = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_REFUSED = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")


def certificate_text(error: ssl.SSLCertVerificationError, target: Target, where: str) -> str:
    """Why the server's certificate is not believed."""
    code = getattr(error, "verify_code", None)
    if code in _ANOTHER_NAME:
        name = safe_line(str(target.tls.get("server_hostname") or target.host))
        return (
            f"{where} shows a certificate for another name: it is not for {name}. Connect by the "
            "name in it, or set tls_server_name to that name."
        )
    if code in (_NOT_YET, _EXPIRED):
        why = "it has expired" if code == _EXPIRED else "it is not valid yet"
        return (
            f"{where} shows a certificate that fails the check: {why}. Renew it there, and look "
            "at the clock of this machine."
        )
    reason = safe_line(error.verify_message or "it is not trusted")
    return (
        f"{where} has a certificate that fails the check: {reason}. Set tls_ca, or ssl_ca_certs="
        "FILE in the URL, to the certificate of who signed it."
    )


def handshake_text(error: ssl.SSLError, target: Target, where: str) -> str:
    """Why the two do not come to terms."""
    alert = f"{error.reason or ''} {error}".upper().replace(" ", "_")
    if "ALERT" in alert and any(word in alert for word in _WANTED):
        if "ssl_certfile" not in target.tls:
            return (
                f"{where} wants a certificate of its clients: none was given. "
                "Set tls_cert and tls_key."
            )
        return f"{where} refuses the TLS handshake: it may want another certificate or version."
    if "ALERT" in alert and any(word in alert for word in _REFUSED):
        return (
            f"{where} refuses the certificate of this client: it does not trust who signed it. "
            "Set tls_cert and tls_key to a pair that its CA signed."
        )
    plain = target.url_form(tls=False)
    return f"{where} does not speak TLS as asked. If it has no TLS, use {plain}."


def dropped(target: Target) -> str:
    """What may be behind a connection that ends as soon as it is encrypted.

    In TLS 1.3 a server judges a client after the handshake, and what it says of that is often
    lost with the connection.
    """
    if "ssl_certfile" in target.tls:
        return "refuses the certificate of this client (tls_cert)"
    return "wants a certificate of its clients (set tls_cert and tls_key)"
