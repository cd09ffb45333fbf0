"""What the store has acknowledged is there after anything that can happen to its process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from deploy.embedded.at_rest import query_at_rest
from schemas.errors import ConfigError
from tests.conformance.store.running_store import Starter, health

AT_REST = """
import sys
from pathlib import Path
from deploy.embedded.at_rest import query_at_rest
from deploy.embedded.front.errors import StoreError
from schemas.errors import ConfigError
try:
    sys.stdout.buffer.write(query_at_rest(Path(sys.argv[1]), sys.argv[2], "CSV", {"n": "2"}))
except (StoreError, ConfigError) as error:
    print(type(error).__name__, getattr(error, "code", ""))
"""


def make_table(client: Client) -> None:
    client.command("CREATE DATABASE tieline")
    client.command("CREATE TABLE tieline.acknowledged (n UInt32) ENGINE = MergeTree ORDER BY n")


def test_killed_store_has_every_acknowledged_row(new_store: Starter, tmp_path: Path) -> None:
    store = new_store(tmp_path / "data")
    make_table(store.client())
    acknowledged: list[int] = []

    def insert() -> None:
        client = store.client()
        for number in range(10_000):
            try:
                client.insert("tieline.acknowledged", [[number]], ["n"], column_type_names=["UInt32"])
            except (Error, OSError):
                return
            acknowledged.append(number)
            if number == 40:
                enough.set()

    enough = threading.Event()
    thread = threading.Thread(target=insert, daemon=True)
    thread.start()
    assert enough.wait(30)
    store.end(signal.SIGKILL)
    thread.join(30)
    again = new_store(tmp_path / "data")
    found = {row[0] for row in again.client().query("SELECT n FROM tieline.acknowledged").result_rows}
    assert set(acknowledged) <= found
    assert health(again)["detached_parts"] == []


def test_a_damaged_part_is_reported(new_store: Starter, tmp_path: Path) -> None:
    store = new_store(tmp_path / "data")
    make_table(store.client())
    store.client().insert("tieline.acknowledged", [[1]], ["n"])
    store.end()
    for file in (tmp_path / "data" / "store").rglob("all_1_1_0/data.bin"):
        file.write_bytes(b"damaged")
    for file in (tmp_path / "data" / "store").rglob("all_1_1_0/columns.txt"):
        file.unlink()
    again = new_store(tmp_path / "data")
    again.client().command("SELECT count() FROM tieline.acknowledged")
    assert any("acknowledged" in part for part in health(again)["detached_parts"])


def test_stopping_is_clean_and_starting_again_finds_the_same(new_store: Starter, tmp_path: Path) -> None:
    store = new_store(tmp_path / "data")
    make_table(store.client())
    store.client().insert("tieline.acknowledged", [[7]], ["n"])
    passwords = dict(store.passwords)
    assert store.end(signal.SIGTERM) == 0
    again = new_store(tmp_path / "data")
    assert again.passwords == passwords
    assert again.client().command("SELECT sum(n) FROM tieline.acknowledged") == 7


def test_stopping_cancels_what_would_run_for_ever(new_store: Starter, tmp_path: Path) -> None:
    store = new_store(tmp_path / "data")
    make_table(store.client())
    with socket.create_connection(("127.0.0.1", store.port), timeout=10) as raw:
        raw.sendall(store.raw_query("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"))
        running = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query_id != queryID()"
        while store.client().command(running) != 1:
            pass
        assert store.end(signal.SIGTERM) == 0


def test_a_folder_has_one_store_at_a_time(new_store: Starter, tmp_path: Path) -> None:
    new_store(tmp_path / "data")
    second = subprocess.run(
        [sys.executable, "-m", "deploy.embedded.front", "--data", str(tmp_path / "data"), "--port", "0"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == ConfigError.exit_code
    assert b"Cannot lock file" in second.stderr or b"in use" in second.stderr


def test_passwords_are_for_the_owner_only(new_store: Starter, tmp_path: Path) -> None:
    new_store(tmp_path / "data")
    assert (tmp_path / "data" / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_the_folder_at_rest_answers_guarded_sql(new_store: Starter, tmp_path: Path) -> None:
    store = new_store(tmp_path / "data")
    make_table(store.client())
    store.client().insert("tieline.acknowledged", [[1], [2], [3]], ["n"])
    store.end()

    def ask(sql: str) -> str:
        command = [sys.executable, "-c", AT_REST, str(tmp_path / "data"), sql]
        return subprocess.run(command, capture_output=True, timeout=30, check=True, env=os.environ).stdout.decode()

    assert ask("SELECT count() FROM acknowledged WHERE n >= {n:UInt8}") == "2\n"
    assert ask("SELECT * FROM file('/etc/passwd', 'LineAsString')") == "StoreError 497\n"
    assert ask("DROP TABLE acknowledged") == "StoreError 164\n"
    assert ask("SELECT sum(n) FROM tieline.acknowledged FORMAT JSONEachRow") == '{"sum(n)":6}\n'


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no store"):
        query_at_rest(tmp_path, "SELECT 1")
