"""The report from a real store, as the account that dashboards use."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.reading import ServerReader, ViewRefused
from deploy.composition.report import NothingToReport, chosen_processes, gather
from deploy.report.asked import Asked
from deploy.report.questions import COMPARISON, STATEMENTS
from deploy.report.report import report
from sinks.clickhouse.audiences import QUALITY
from sinks.clickhouse.windows import reaggregate_all, refresh_priors
from streams.inference.atoms import atoms, publishable
from tests.integration.store.rows import declare, policies, put, random_evidence, with_details
from tests.integration.store.test_survey_view import archive, said, scored
from tests.integration.store.test_ties import load

YEAR = Asked("ed-to-ward", datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC), compare="live")


def test_no_statement_asks_more_than_quality_views() -> None:
    for sql in (*STATEMENTS.values(), *COMPARISON.values()):
        assert set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql)) <= set(QUALITY)


def test_what_is_inside_unpublishable_atoms_changes_no_byte(client: Client, reader: Client) -> None:
    declare(client)
    written = random_evidence(21, rows=1500)
    load(client, written)
    archive(client, scored(said("nurse", "bed-manager"), said("porter", "nurse"), said("nurse", "porter", n=4)))
    before = gather(ServerReader(reader), YEAR)
    shown = {key for key, atom in atoms(written).items() if publishable(atom, policies()[key.process].publish)}
    rng = random.Random(9)
    changed = [
        with_details(row.model_copy(update={"value": rng.choice([0.0, 0.5, 1.0]), "revision": 2}), rng)
        for row in written
        if row.ripe and next(iter(atoms([row]))) not in shown
    ]
    assert len(changed) > 100
    put(client, "evidence", changed)
    reaggregate_all(client, "live")
    refresh_priors(client, "live")
    assert gather(ServerReader(reader), YEAR) == before  # and the same findings are the same bytes
    assert {row["status"] for row in before.figures} > {"shown", "hidden: too few people"}
    assert before.control
    assert before.changes
    assert before.surveys


def test_an_empty_time_has_a_report_that_says_so(client: Client, reader: Client) -> None:
    declare(client)
    long_ago = Asked("ed-to-ward", datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 2, 1, tzinfo=UTC), compare="live")
    found = gather(ServerReader(reader), long_ago)
    assert found.is_empty
    assert "Nothing was seen in this time" in report([found])


def test_processes_are_those_of_the_run(client: Client, reader: Client) -> None:
    declare(client)
    asked = ServerReader(reader)
    every = replace(YEAR, process="")
    assert chosen_processes(asked, every) == ["ed-to-ward", "incident", "surgery"]
    assert chosen_processes(asked, replace(every, process="surgery")) == ["surgery"]
    for wrong in (replace(every, process="x"), replace(every, run="x"), replace(every, compare="x")):
        with pytest.raises(NothingToReport, match="'x'"):
            chosen_processes(asked, wrong)


def test_a_reader_gets_no_table(reader: Client) -> None:
    with pytest.raises(ViewRefused) as refused:
        ServerReader(reader).rows("SELECT * FROM surveys")
    assert "\n" not in str(refused.value)
