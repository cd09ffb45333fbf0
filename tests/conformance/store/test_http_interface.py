"""The HTTP interface itself: what Grafana's data source sends, headers, limits, and who gets in."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
from urllib.parse import quote, urlencode

import pytest

from deploy.embedded.front.server import require_loopback
from schemas.errors import ConfigError
from tests.conformance.store.running_store import Store, health

GRAFANA = {"default_format": "Native", "client_protocol_version": "54460", "database": "tieline"}


class Blocks:
    """Reads Native as clickhouse-go does for revisions from 54454 on; knows the types that the tests use."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def all(self) -> list[dict[str, list[object]]]:
        blocks = []
        while self._data.read(1):
            self._data.seek(-1, io.SEEK_CUR)
            blocks.append(self._block())
        return blocks

    def _block(self) -> dict[str, list[object]]:
        assert self._data.read(8) == b"\x01\x00\x02\xff\xff\xff\xff\x00"
        columns, rows = self._varint(), self._varint()
        block: dict[str, list[object]] = {}
        for _ in range(columns):
            name, kind = self._string(), self._string()
            assert self._data.read(1) == b"\x00"
            block[name] = [self._value(kind) for _ in range(rows)]
        return block

    def _value(self, kind: str) -> object:
        if kind == "String":
            return self._string()
        return struct.unpack(
            {"UInt8": "<B", "UInt32": "<I", "UInt64": "<Q", "DateTime": "<I"}[kind], self._sized(kind)
        )[0]

    def _sized(self, kind: str) -> bytes:
        return self._data.read({"UInt8": 1, "UInt32": 4, "UInt64": 8, "DateTime": 4}[kind])

    def _string(self) -> str:
        return self._data.read(self._varint()).decode()

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._data.read(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


def grafana(store: Store, sql: str, **more: str) -> list[dict[str, list[object]]]:
    url = "/?" + urlencode(GRAFANA | more)
    status, _, body = store.http(url, sql.encode(), user="reader")
    assert status == 200, body
    return Blocks(body).all()


def test_grafanas_handshake_is_answered(store: Store) -> None:
    (hello,) = grafana(store, "SELECT displayName(), version(), revision(), timezone()")
    assert hello["timezone()"][0] in ("UTC", "Etc/UTC")
    assert isinstance(hello["revision()"][0], int)
    assert grafana(store, "SELECT 1") == [{"1": [1]}]


def test_grafana_reads_granted_views_only(store: Store) -> None:
    sql = "SELECT toDateTime(60) AS time, role, n FROM quality_by_role ORDER BY role"
    assert grafana(store, sql, max_execution_time="600") == [{"time": [60, 60], "role": ["ed", "ward"], "n": [2, 1]}]
    status, headers, _ = store.http("/?" + urlencode(GRAFANA), b"SELECT * FROM evidence", user="reader")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "497")


def test_long_answers_keep_the_newer_block_form(store: Store) -> None:
    blocks = grafana(store, "SELECT number, toString(number) AS text FROM numbers(200000)")
    assert len(blocks) > 2
    assert [number for block in blocks for number in block["number"]] == list(range(200_000))


def test_gzip_answers_are_for_those_who_enable_them(store: Store) -> None:
    asked = b"SELECT repeat('x', 10000)"
    _, headers, body = store.http("/?enable_http_compression=1", asked, Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == b"x" * 10_000 + b"\n"
    _, headers, body = store.http("/", asked, Accept_Encoding="gzip")
    assert ("Content-Encoding" in headers, len(body)) == (False, 10_001)


def test_every_way_to_give_credentials_works(store: Store) -> None:
    password = store.passwords["reader"]
    basic = base64.b64encode(f"reader:{password}".encode()).decode()
    for path, headers in (
        ("/?query=SELECT+currentDatabase()", {"Authorization": f"Basic {basic}"}),
        ("/?query=SELECT+currentDatabase()", {"X_ClickHouse_User": "reader", "X_ClickHouse_Key": password}),
        (f"/?query=SELECT+currentDatabase()&user=reader&password={password}", {}),
    ):
        assert store.http(path, user=None, **headers)[::2] == (200, b"default\n")


@pytest.mark.parametrize("user", ["tieline", "reader", "default", "", "nobody"])
def test_wrong_passwords_open_nothing(store: Store, user: str) -> None:
    for password in ("", "x", "ü", store.passwords["auditor"]):
        path = "/?" + urlencode({"user": user, "password": password, "query": "SELECT 1"})
        status, headers, body = store.http(path, user=None)
        assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "516")
        assert b"Authentication failed" in body


def test_ping_and_health_need_no_password_and_tell_no_secret(store: Store) -> None:
    assert store.http("/ping", user=None)[::2] == (200, b"Ok.\n")
    assert store.http("/", user=None)[::2] == (200, b"Ok.\n")
    answer = health(store)
    assert answer["pid"] == store.process.pid
    assert answer["detached_parts"] == []
    assert set(answer) == {"pid", "uptime_s", "detached_parts", "version"}


def test_headers_tell_format_query_id_and_counts(store: Store) -> None:
    _, headers, body = store.http("/?query_id=mine-1&default_format=JSONEachRow", b"SELECT id FROM tieline.evidence")
    assert len(body.splitlines()) == 3
    assert headers["X-ClickHouse-Query-Id"] == "mine-1"
    assert headers["X-ClickHouse-Format"] == "JSONEachRow"
    summary = json.loads(headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("3", "3")


def test_a_query_parameter_and_the_body_are_one_statement(store: Store) -> None:
    assert store.http("/?query=" + quote("SELECT 1 +"), b"2")[2] == b"3\n"


def test_get_requests_do_not_write(store: Store) -> None:
    path = "/?query=" + quote("CREATE TABLE tieline.by_get (a UInt8) ENGINE = Memory")
    status, headers, _ = store.http(path)
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (400, "164")


def test_foreign_host_names_are_refused(store: Store) -> None:
    assert store.http("/?query=SELECT+1", Host="rebound.example:80")[0] == 403


def test_broken_bodies_are_refused_without_harm(store: Store) -> None:
    insert = "/?query=" + quote("INSERT INTO tieline.evidence FORMAT Native")
    assert store.http(insert, b"\x04\x22\x4d\x18garbage", Content_Encoding="lz4")[0] == 400
    assert store.http(insert, b"not gzip", Content_Encoding="gzip")[0] == 400
    assert store.http(insert, b"x", Content_Encoding="snappy")[0] == 501
    assert store.http("/?query=SELECT+count()+FROM+tieline.evidence")[2] == b"3\n"


def test_clickhouses_own_block_compression_is_refused_clearly(store: Store) -> None:
    assert store.http("/?compress=1", b"SELECT 1")[0] == 501


def test_a_query_that_takes_too_long_is_ended(store: Store) -> None:
    sql = b"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
    status, headers, _ = store.http("/?max_execution_time=1", sql, user="reader")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (408, "159")


def test_results_of_readers_are_bounded(store: Store) -> None:
    sql = b"SELECT number FROM numbers(3000000) FORMAT JSON"
    status, headers, _ = store.http("/", sql, user="reader")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "396")


def test_logs_hold_neither_values_nor_passwords(store: Store) -> None:
    store.http("/", b"SELECT 'a literal value', nope")
    store.http("/?param_p=a+literal+value", b"SELECT {p:UInt8}")
    store.http("/?user=tieline&password=a+literal+value", b"SELECT 1", user=None)
    log = store.log.read_text()
    assert "answered" in log
    assert "a literal value" not in log
    assert not any(password in log for password in store.passwords.values())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_only_loopback_addresses_are_listened_on(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        require_loopback(host)


def test_loopback_addresses_are_accepted() -> None:
    assert [require_loopback(host) for host in ("127.0.0.1", "::1", "localhost")]
