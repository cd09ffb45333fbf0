"""TLS for MLLP: MLLP itself knows no passwords, so a sender proves who it is by its certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from schemas.errors import ConfigError


def server_tls(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later with our certificate; with `client_ca` only for senders whose certificate it signed.

    Raises: ConfigError: a file cannot be read, or does not fit the other.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(f"{certificate}, {key}: no certificate and key: {_why(error)}") from None
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{client_ca}: no certificates of an authority: {_why(error)}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS cannot use them"
    return getattr(error, "strerror", None) or type(error).__name__
