"""One HTTP request, read as ClickHouse's HTTP interface defines it."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from deploy.embedded.front.errors import NOT_IMPLEMENTED, StoreError
from deploy.embedded.front.settings import TRANSPORT

DEFAULT_FORMAT = "TabSeparated"
_QUERY_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, its body apart.

    Attributes:
        query: SQL of the `query` parameter; the body is appended to it.
        protocol: revision in which Native blocks are to be written; 0: plain.
    """

    query: str
    database: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    default_format: str
    query_id: str
    protocol: int
    compress: bool
    writes_allowed: bool


def credentials(request: web.Request) -> tuple[str, str]:
    """User and password: ClickHouse's headers, else Basic, else the URL; empty when none is given."""
    if "X-ClickHouse-User" in request.headers:
        return request.headers["X-ClickHouse-User"], request.headers.get("X-ClickHouse-Key", "")
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password
    return request.query.get("user", ""), request.query.get("password", "")


def read(request: web.Request, form: Mapping[str, str] | None = None) -> Asked:
    """The request's parameters; a form's fields win over the URL's.

    Raises: StoreError: asks for what this front does not do (native compression).
    """
    fields = {**request.query, **(form or {})}
    if fields.get("compress", "0") not in ("0", "false") or fields.get("decompress", "0") not in ("0", "false"):
        raise StoreError.refusal(NOT_IMPLEMENTED, "use HTTP compression instead of ClickHouse's own block compression")
    wished = fields.get("query_id", "")
    protocol = fields.get("client_protocol_version", "0")
    return Asked(
        query=fields.get("query", ""),
        database=fields.get("database") or request.headers.get("X-ClickHouse-Database") or "",
        params={name.removeprefix("param_"): value for name, value in fields.items() if name.startswith("param_")},
        settings={name: value for name, value in fields.items() if _is_setting(name)},
        default_format=request.headers.get("X-ClickHouse-Format") or fields.get("default_format") or DEFAULT_FORMAT,
        query_id=wished if _QUERY_ID.fullmatch(wished) else str(uuid.uuid4()),
        protocol=int(protocol) if protocol.isdigit() else 0,
        compress=fields.get("enable_http_compression", "0") in ("1", "true"),
        writes_allowed=request.method == "POST",
    )


def _is_setting(name: str) -> bool:
    return name not in TRANSPORT and not name.startswith("param_") and _SETTING.fullmatch(name) is not None
