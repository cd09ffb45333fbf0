"""Certificates for tests, made with the openssl program: a server's, and a client's that the same authority signed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.brokers import must_run


class Certificates(NamedTuple):
    """PEM files."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def certificates(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 1) -> Certificates:
    """New certificates for localhost, good for a day.

    Args:
        names: others that server and client have.
        days: negative: they expired so long ago; the authority's has not.
    """
    if shutil.which("openssl") is None:
        if must_run():
            pytest.fail("no openssl program")
        pytest.skip("no openssl program")
    # Python 3.13 refuses an authority that does not say what its key is for.
    use = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    openssl(folder, "req", "-x509", *_new("ca"), "-out", "ca.pem", "-subj", "/CN=tests", "-days", "1", *use)
    for name in ("server", "client"):
        openssl(folder, "req", *_new(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext", "-days", f"{days}"]
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return Certificates(*(folder / file for file in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")))


def _new(name: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]


def openssl(folder: Path, *arguments: str) -> None:
    """Run the openssl program in a folder."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)
