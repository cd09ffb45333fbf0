"""The OpenAPI document as a page: plain HTML, no script, nothing from other hosts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font-family:ui-monospace,monospace;font-size:.9em}table{border-collapse:collapse}"
    "td,th{border-bottom:1px solid #8888;padding:.2rem .6rem;text-align:left;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    title = escape(document["info"]["title"])
    return "".join(
        [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body>',
            f"<h1>{title} {escape(document['info']['version'])}</h1><p>{escape(document['info']['description'])} ",
            'The whole description, for programs: <a href="/openapi.json">openapi.json</a>.</p>',
            *_operations(document["paths"]),
            "<h2>Schemas</h2>",
            *(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
            "</body></html>",
        ]
    )


def _operations(paths: dict[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}. "
            yield f"{_text(operation.get('description', ''))}</p>"
            body = operation.get("requestBody", {})
            if body:
                kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in body["content"])
                yield f"<p>Body: {kinds}. {_text(body.get('description', ''))}</p>"
            yield "<table><tr><th>status</th><th>meaning</th></tr>"
            for status, response in sorted(operation["responses"].items()):
                yield f"<tr><td>{status}</td><td>{_text(response['description'])}</td></tr>"
            yield "</table>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    fields = "".join(_field(field, described) for field, described in schema.get("properties", {}).items())
    table = f"<table><tr><th>field</th><th>type</th><th></th></tr>{fields}</table>" if fields else ""
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{_text(schema.get("description", ""))}</p>{table}'


def _field(name: str, described: dict[str, Any]) -> str:
    cells = f"<code>{escape(name)}</code>", _kind(described), _text(described.get("description", ""))
    return "".join(["<tr>", *(f"<td>{cell}</td>" for cell in cells), "</tr>"])


def _kind(described: dict[str, Any]) -> str:
    if "$ref" in described:
        name = escape(str(described["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for word in ("anyOf", "oneOf"):
        if word in described:
            return " or ".join(_kind(each) for each in described[word])
    if "enum" in described:
        return ", ".join(f"<code>{escape(str(each))}</code>" for each in described["enum"])
    if "const" in described:
        return f"<code>{escape(str(described['const']))}</code>"
    if "items" in described:
        return f"list of {_kind(described['items'])}"
    return escape(str(described.get("format") or described.get("type") or ""))


def _text(text: str) -> str:
    """Escaped, with `code` in backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
