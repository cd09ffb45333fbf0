"""Surveys in the store: what readers see of them, and what stands beside them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.reading import ServerReader
from deploy.composition.survey import SurveyDiffers, beside_proxy, calibrations, refuse_other_contents, surveys
from schemas.events.survey import SurveyScored
from schemas.policy import InForce
from schemas.vocabulary import SurveyDimension
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from streams.gateway.survey_import import SurveyRow, survey_results
from tests.builders import policy_book
from tests.integration.store.rows import START, actor, declare, evidence
from tests.integration.store.test_ties import load, select

TAKEN_AT = datetime(2026, 4, 15, tzinfo=UTC)


def scored(*rows: SurveyRow, survey: str = "spring", process: str = "ed-to-ward") -> list[SurveyScored]:
    """Events as the import makes them, but for the minimum of raters: others may send events too."""
    policy = policy_book(publish={"min_actors": 3}).newest("p")
    lax = InForce(policy.version, policy.process, policy.aliases, policy.calendars)
    return list(survey_results(rows, process=process, survey=survey, at=TAKEN_AT, policy=lax).events)


def said(
    rated: str, rater: str, mean: float = 3.5, n: int = 9, dimension: SurveyDimension = "timeliness", site: str = ""
) -> SurveyRow:
    return SurveyRow(2, rater, rated, dimension, mean, n, site)


def archive(client: Client, events: list[SurveyScored]) -> None:
    rows = [
        event_row(event, received_at=event.time, topic="tieline.events", partition=0, offset=number)
        for number, event in enumerate(events)
    ]
    insert_rows(client, "events", rows)


def observed(
    communicator: str, experiencer: str, month: int, share: float = 0.75, people: int = 6, count: int = 24
) -> list[Any]:
    """Replies of a month of 2026."""
    at = datetime(2026, month, 3, 9, tzinfo=UTC)
    return [
        evidence(
            f"{communicator}-{experiencer}-{month}-{number}",
            at=at + timedelta(hours=number),
            communicator_role=communicator,
            experiencer_role=experiencer,
            communicator_actors=(actor(number % people),),
            experiencer_actors=(actor(100 + number % people),),
            value=1.0 if number < share * count else 0.0,
        )
        for number in range(count)
    ]


def one(rows: list[Any], **wanted: str) -> Any:
    (found,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return found


def test_a_proxy_is_that_of_the_whole_periods_before_the_survey(client: Client, reader: Client) -> None:
    declare(client)
    before = [row for month in (1, 2, 3) for row in observed("ward", "nurse", month, 0.75)]
    load(client, [*before, *observed("ward", "nurse", 4, 0.0), *observed("ward", "nurse", 5, 0.0)])
    archive(client, scored(said("ward", "nurse")))
    row = one(beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring"), dimension="timeliness")
    tie = one(select(client, "ties", ("2026-01-01", "2026-04-01")), dimension="timeliness", communicator_role="ward")
    assert (row["period_from"], row["period_to"]) == (START.replace(day=1), TAKEN_AT.replace(day=1))
    assert [row[name] for name in ("n", "estimate", "low", "high")] == [
        tie[name] for name in ("n", "estimate", "low", "high")
    ]
    assert row["n"] == 72


def test_a_mean_has_its_n_and_the_widest_interval_that_it_can_have(client: Client, reader: Client) -> None:
    declare(client)
    load(client, observed("ward", "nurse", 2))
    archive(client, scored(said("ward", "nurse", 3.5, 9)))
    row = one(beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring"), dimension="timeliness")
    z2 = 1.6449**2 / 9
    share = 2.5 / 4
    middle = (share + z2 / 2) / (1 + z2)
    half = (z2 * (share * (1 - share) + z2 / 4)) ** 0.5 / (1 + z2)
    assert (row["survey_mean"], row["survey_n"]) == (3.5, 9)
    assert [row["survey_low"], row["survey_high"]] == pytest.approx([1 + 4 * (middle - half), 1 + 4 * (middle + half)])


def test_a_mean_of_too_few_raters_is_hidden_whoever_sent_it(client: Client, reader: Client) -> None:
    declare(client)
    load(client, observed("ward", "nurse", 2))
    few = [said("ward", "nurse", n=4), said("ward", "nurse", n=4, dimension="shared_goals")]
    enough = [said("ward", "nurse", n=5, dimension="accuracy"), said("ward", "nurse", n=5, dimension="mutual_respect")]
    archive(client, scored(*few, *enough))
    rows = beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring")
    assert len(rows) == 4
    for row in rows:
        hidden = row["dimension"] in ("timeliness", "shared_goals")
        assert row["survey_status"] == ("hidden: too few people" if hidden else "shown")
        assert [row[name] is None for name in ("survey_mean", "survey_n", "survey_low")] == 3 * [hidden]


def test_both_figures_are_hidden_where_the_tie_is(client: Client, reader: Client) -> None:
    declare(client)
    load(client, observed("ward", "nurse", 2, people=4))
    archive(client, scored(said("ward", "nurse"), said("ward", "nurse", dimension="mutual_respect")))
    rows = beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring")
    assert len(rows) == 2
    for row in rows:
        assert row["survey_status"] == "hidden: too few people"
        assert row["survey_mean"] is row["survey_n"] is row["survey_low"] is row["estimate"] is row["n"] is None


def test_relationship_dimensions_stand_alone_and_ties_without_events_too(client: Client, reader: Client) -> None:
    declare(client)
    load(client, observed("ward", "nurse", 2))
    archive(client, scored(said("ward", "nurse", dimension="shared_knowledge"), said("porter", "nurse")))
    rows = beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring")
    assert one(rows, dimension="shared_knowledge")["proxy_status"] == "survey only"
    assert one(rows, communicator_role="porter")["proxy_status"] == "not observed"
    assert all(row["survey_mean"] == 3.5 and row["estimate"] is None for row in rows)


def test_sites_are_pooled_by_their_raters_and_small_ones_left_out(client: Client, reader: Client) -> None:
    declare(client)
    rows = [said("ward", "nurse", 2.0, 10, site="a"), said("ward", "nurse", 5.0, 20, site="b")]
    archive(client, scored(*rows, said("ward", "nurse", 1.0, 3, site="c")))
    asked = ServerReader(reader)
    (pooled,) = beside_proxy(asked, process="ed-to-ward", survey="spring")
    assert (pooled["survey_mean"], pooled["survey_n"]) == (4.0, 30)
    (north,) = beside_proxy(asked, process="ed-to-ward", survey="spring", site="b")
    assert (north["survey_mean"], north["survey_n"]) == (5.0, 20)


def test_an_event_that_comes_twice_is_one_result_and_another_survey_is_not_mixed_in(
    client: Client, reader: Client
) -> None:
    declare(client)
    archive(client, 2 * scored(said("ward", "nurse", 4.0)))
    archive(client, scored(said("ward", "nurse", 1.0), survey="autumn"))
    archive(client, scored(said("ward", "nurse", 1.0), process="incident"))
    (row,) = beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring")
    assert (row["survey_mean"], row["survey_n"]) == (4.0, 9)
    found = surveys(ServerReader(reader))
    assert [(each["process"], each["survey"], each["results"]) for each in found] == [
        ("ed-to-ward", "autumn", 1),
        ("ed-to-ward", "spring", 1),
        ("incident", "spring", 1),
    ]
    assert beside_proxy(ServerReader(reader), process="ed-to-ward", survey="none") == []


def test_results_that_are_there_are_known_again_and_never_changed(client: Client, reader: Client) -> None:
    declare(client)
    events = scored(said("ward", "nurse", 4.0), said("nurse", "ward", 3.0))
    asked = ServerReader(reader)
    assert refuse_other_contents(asked, events) == 0
    archive(client, events)
    assert refuse_other_contents(asked, events) == 2
    with pytest.raises(SurveyDiffers, match="1 of its results"):
        refuse_other_contents(asked, scored(said("ward", "nurse", 4.5), said("nurse", "ward", 3.0)))


def test_a_name_with_quotes_is_a_name(client: Client, reader: Client) -> None:
    declare(client)
    archive(client, scored(said("ward", "nurse"), survey="it's \\'1"))
    (row,) = beside_proxy(ServerReader(reader), process="ed-to-ward", survey="it's \\'1")
    assert row["survey"] == "it's \\'1"


def test_a_survey_that_orders_ties_as_events_do_is_said_to_go_along(client: Client, reader: Client) -> None:
    declare(client)
    rng = random.Random(5)
    roles = [f"role-{number}" for number in range(8)]
    pairs = rng.sample([(a, b) for a in roles for b in roles if a != b], 28)
    shares = {pair: rng.choice([number / 24 for number in range(6, 24)]) for pair in pairs}
    load(client, [row for pair in pairs for row in observed(*pair, 2, shares[pair])])
    results = [said(a, b, round(1.5 + 3 * shares[a, b] + rng.uniform(-0.3, 0.3), 2)) for a, b in pairs]
    archive(client, scored(*results))
    found = calibrations(beside_proxy(ServerReader(reader), process="ed-to-ward", survey="spring"))
    (row,) = [each for each in found if each.dimension == "timeliness"]
    assert (row.found.ties, row.found.roles) == (28, 8)
    assert row.found.validated
