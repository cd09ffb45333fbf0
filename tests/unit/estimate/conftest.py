"""A ClickHouse to ask, in a process of its own: chDB allows one store per process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import pytest

Rows = list[list[float]]
Ask = Callable[[str], Rows]

_CHILD = """
import json, sys, chdb
for line in sys.stdin:
    try:
        answer = {"rows": json.loads(chdb.query(json.loads(line), "JSONCompact").bytes())["data"]}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="session")
def ask() -> Iterator[Ask]:
    """Runs a query in chDB and returns its rows; infinities and NaN come back as None."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        questions, answers = child.stdin, child.stdout
        assert questions is not None
        assert answers is not None

        def run(sql: str) -> Rows:
            print(json.dumps(sql), file=questions, flush=True)
            answer = json.loads(answers.readline())
            assert "error" not in answer, answer["error"]
            rows: Rows = answer["rows"]
            return rows

        yield run
        questions.close()


@pytest.fixture(scope="session")
def table() -> Callable[[Sequence[str], Sequence[Sequence[float]]], str]:
    """Rows of numbers as something to select from, numbered in the column `id`."""

    def write(columns: Sequence[str], rows: Sequence[Sequence[float]]) -> str:
        types = ", ".join(f"{column} Float64" for column in ("id", *columns))
        values = ", ".join(
            f"({', '.join(map(repr, (float(number), *map(float, row))))})" for number, row in enumerate(rows)
        )
        return f"values('{types}', {values})"

    return write
