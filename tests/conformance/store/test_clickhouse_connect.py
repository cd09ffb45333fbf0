"""What clickhouse-connect, sync and async, does against a ClickHouse server works against the embedded store."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.conformance.store.running_store import Store

COLUMNS = """
    id UInt32, role LowCardinality(String), at DateTime64(3, 'UTC'), reasons Array(String), value Nullable(Float64),
    worked Bool, origin Enum8('explicit' = 1, 'inferred' = 2), counts Map(String, UInt64), pair Tuple(a UInt8, b String)
"""
NAMES = ["id", "role", "at", "reasons", "value", "worked", "origin", "counts", "pair"]
START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int) -> list[Any]:
    value = None if number % 3 == 0 else number / 7
    origin = "explicit" if number % 2 else "inferred"
    at = START + timedelta(milliseconds=number)
    return [number, f"role {number % 4}", at, ["a'b", "ü"], value, number % 2 == 0, origin, {"k": number}, (1, "x\ty")]


def fresh_table(writer: Client, name: str) -> str:
    writer.command(f"DROP TABLE IF EXISTS tieline.{name}")
    writer.command(f"CREATE TABLE tieline.{name} ({COLUMNS}) ENGINE = MergeTree ORDER BY id")
    return f"tieline.{name}"


def test_connecting_tells_version_and_settings(writer: Client) -> None:
    assert writer.ping()
    assert writer.server_version.startswith("26.")
    assert str(writer.server_tz) in ("UTC", "Etc/UTC")
    assert "max_threads" in writer.server_settings


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip", True])
def test_rows_come_back_as_they_went_in_under_every_compression(store: Store, compress: Any) -> None:
    client = store.client(compress=compress, tz_mode="aware")
    table = fresh_table(client, "round_trip")
    rows = [row(number) for number in range(2_500)]
    summary = client.insert(table, rows, column_names=NAMES)
    assert summary.written_rows == 2_500
    answer = client.query(f"SELECT * FROM {table} ORDER BY id").result_rows
    expected = [(*item[:8], {"a": 1, "b": "x\ty"}) for item in rows]
    assert [tuple(found) for found in answer] == expected


def test_large_insert_arrives_whole_in_many_pieces(writer: Client) -> None:
    writer.command("CREATE OR REPLACE TABLE tieline.wide (id UInt64, text String) ENGINE = MergeTree ORDER BY id")
    writer.insert("tieline.wide", [[number, "x" * 500] for number in range(20_000)], column_names=["id", "text"])
    assert writer.query("SELECT count(), sum(id), sum(length(text)) FROM tieline.wide").first_row == (
        20_000,
        sum(range(20_000)),
        10_000_000,
    )


def test_server_side_parameters_keep_their_values(writer: Client) -> None:
    asked = {"text": "it's \\ a\ttab\nand `more`", "list": ["a'b", "c\\"], "at": START, "none": None, "n": -3}
    sql = "SELECT {text:String}, {list:Array(String)}, {at:DateTime64(3)}, {none:Nullable(String)}, {n:Int8}"
    answer = writer.query(sql, parameters=asked).first_row
    assert answer == (asked["text"], asked["list"], START.replace(tzinfo=None), None, -3)


def test_many_parameters_may_come_as_a_form(store: Store) -> None:
    client = store.client(form_encode_query_params=True)
    assert client.query("SELECT {a:String}, {b:UInt8}", parameters={"a": "x" * 5_000, "b": 7}).first_row == (
        "x" * 5_000,
        7,
    )


def test_settings_hold_for_their_request_only(writer: Client) -> None:
    asked = "SELECT getSetting('max_block_size')"
    usual = writer.command(asked)
    assert writer.command(asked, settings={"max_block_size": 123}) == 123
    assert writer.command(asked) == usual
    writer.command("SELECT 1", settings={"readonly": 1})
    writer.command("CREATE OR REPLACE TABLE tieline.after_readonly (a UInt8) ENGINE = Memory")


def test_default_database_is_the_clients(store: Store) -> None:
    assert store.client(database="tieline").command("SELECT count() FROM evidence") == 3
    with pytest.raises(DatabaseError) as refused:
        store.client(database="nowhere").command("SELECT 1")
    assert refused.value.code == 81


def test_empty_result_and_columns_only_have_their_shape(writer: Client) -> None:
    assert writer.query("SELECT id, role FROM tieline.evidence LIMIT 0").column_names == ("id", "role")
    assert writer.query("SELECT id FROM tieline.evidence WHERE id > 99").result_rows == []
    assert writer.command("SELECT id FROM tieline.evidence WHERE id > 99") == ""


def test_streams_deliver_everything_in_order(writer: Client) -> None:
    with writer.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        numbers = [item[0] for block in blocks for item in block]
    assert numbers == list(range(1_000_000))


def test_error_in_mid_stream_is_an_error_for_the_client(writer: Client) -> None:
    sql = "SELECT throwIf(number = 900000, 'enough') FROM numbers(1000000)"
    with pytest.raises(StreamFailureError, match="enough"), writer.query_rows_stream(sql) as rows:
        list(rows)


def test_abandoned_stream_is_cancelled(store: Store) -> None:
    """More of them than there are lanes: each would hold its lane for ever."""
    for _ in range(6):
        with socket.create_connection(("127.0.0.1", store.port), timeout=10) as raw:
            raw.sendall(store.raw_query("SELECT number FROM system.numbers"))
            assert raw.recv(12) == b"HTTP/1.1 200"
    assert store.client().command("SELECT 1") == 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nothing_like_this", 47),
        ("SELECT * FROM tieline.nowhere", 60),
        ("SELECT (1", 62),
        ("SELECT 1; SELECT 2", 62),
        ("CREATE TABLE tieline.evidence (a UInt8) ENGINE = Memory", 57),
        ("SELECT {missing:UInt8}", 456),
    ],
)
def test_errors_carry_the_servers_code(writer: Client, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError) as refused:
        writer.command(sql)
    assert refused.value.code == code


def test_a_second_statement_is_never_run(writer: Client) -> None:
    writer.command("CREATE OR REPLACE TABLE tieline.first (a UInt8) ENGINE = MergeTree ORDER BY a")
    second = "DROP TABLE tieline.first"
    for first in ("SYSTEM FLUSH LOGS", "SELECT 1", "CREATE TABLE tieline.third (a UInt8) ENGINE = Memory"):
        with pytest.raises(DatabaseError) as refused:
            writer.command(f"{first}; {second}")
        assert refused.value.code == 62
    with suppress(DatabaseError):
        writer.command(f"INSERT INTO tieline.first VALUES (9); {second}")
    assert writer.command("EXISTS tieline.first") == 1


def test_inserts_of_every_form(writer: Client) -> None:
    writer.command("CREATE OR REPLACE TABLE tieline.forms (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
    writer.raw_insert("tieline.forms", ["a", "b"], b"1,x\n2,y\n", fmt="CSV")
    writer.raw_insert("tieline.forms", ["a", "b"], '{"a":3,"b":"z"}\n', fmt="JSONEachRow")
    writer.command("INSERT INTO tieline.forms VALUES (4, 'it''s; FORMAT'), (5, 'v')")
    writer.command("/* why */ INSERT INTO tieline.forms (a, b) SELECT number + 6, '' FROM numbers(2)")
    writer.command("INSERT INTO tieline.forms SETTINGS async_insert = 0 VALUES", data="(8, 'w')")
    assert writer.query("SELECT groupArray(a) FROM (SELECT a FROM tieline.forms ORDER BY a)").first_row == (
        [1, 2, 3, 4, 5, 6, 7, 8],
    )


def test_broken_insert_leaves_no_rows(writer: Client) -> None:
    writer.command("CREATE OR REPLACE TABLE tieline.broken (a UInt32) ENGINE = MergeTree ORDER BY a")
    for data, name in ((b"1\n2\nthree\n", "CSV"), (b"\x01\x05\x01a\x06UInt32\x00\x00", "Native")):
        with pytest.raises(DatabaseError):
            writer.raw_insert("tieline.broken", ["a"], data, fmt=name)
    assert writer.command("SELECT count() FROM tieline.broken") == 0


def test_deduplication_token_is_honoured(writer: Client) -> None:
    writer.command(
        "CREATE OR REPLACE TABLE tieline.once (a UInt32) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    for _ in range(2):
        writer.insert("tieline.once", [[1]], column_names=["a"], settings={"insert_deduplication_token": "t & 'quote'"})
    assert writer.command("SELECT count() FROM tieline.once") == 1


def test_concurrent_inserts_lose_nothing(store: Store, writer: Client) -> None:
    writer.command(
        "CREATE OR REPLACE TABLE tieline.many (thread UInt8, n UInt32) ENGINE = MergeTree ORDER BY (thread, n)"
    )

    def insert(thread: int) -> None:
        client = store.client()
        for batch in range(20):
            rows = [[thread, batch * 50 + number] for number in range(50)]
            client.insert("tieline.many", rows, column_names=["thread", "n"], column_type_names=["UInt8", "UInt32"])
        client.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(insert, range(8)))
    assert writer.query("SELECT count(), uniqExact(thread, n) FROM tieline.many").first_row == (8_000, 8_000)


async def test_async_client_reads_writes_and_streams(store: Store) -> None:
    client = await clickhouse_connect.get_async_client(
        host="127.0.0.1", port=store.port, username="tieline", password=store.passwords["tieline"], compress="zstd"
    )
    try:
        await client.command("CREATE OR REPLACE TABLE tieline.aio (a UInt32) ENGINE = MergeTree ORDER BY a")
        await client.insert("tieline.aio", [[number] for number in range(100)], column_names=["a"])
        answers = await asyncio.gather(*(client.query("SELECT sum(a) FROM tieline.aio") for _ in range(12)))
        assert {answer.first_row for answer in answers} == {(4_950,)}
    finally:
        await client.close()
