"""Rulings of the guard, in a process of its own: an engine in the test run would allow no other folder beside it.

Lines of JSON in (user, sql, database), lines of JSON out (code or 0, sql to run).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deploy.embedded.front.accounts import Account, load_grants
from deploy.embedded.front.engine import Engine
from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.guard import guard_of

TABLES = (
    "CREATE DATABASE tieline",
    "CREATE TABLE tieline.evidence (role String, value Float64) ENGINE = MergeTree ORDER BY role",
    "CREATE TABLE tieline.`quality_.evidence` (role String) ENGINE = Memory",
    "CREATE VIEW tieline.quality_charts AS SELECT role, avg(value) AS estimate FROM tieline.evidence GROUP BY role",
    "CREATE VIEW tieline.ties AS SELECT * FROM tieline.evidence WHERE role = {run:String}",
    "CREATE VIEW tieline.auditor_evidence AS SELECT * FROM tieline.evidence",
    "CREATE FUNCTION shown AS (x) -> round(x, 2)",
)


def main(folder: Path) -> None:
    engine = Engine(folder / "store")
    with engine.handle() as handle:
        for table in TABLES:
            handle.query(table, "Null")
    guard = guard_of(engine)
    grants = load_grants(folder) | {"everything": ("*.*",)}
    print("ready", flush=True)
    for line in sys.stdin:
        user, sql, database = json.loads(line)
        try:
            answer = [0, guard.rule(Account(user, grants[user]), sql, database).sql]
        except StoreError as error:
            answer = [error.code, ""]
        print(json.dumps(answer), flush=True)
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
