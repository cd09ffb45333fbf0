"""Did a message mislead somebody?"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events import Event
from tests.builders import act, assigned, at, event, person, sent, worked
from tests.unit.inference.outcomes import NOTHING, PENDING, evidence, only, tie, value, values

MESSAGE = sent(0, "m1", "nurse", ["ward"])  # settled at 120


def corrected(minutes: float, role: str = "nurse", by: str | None = None, **fields: Any) -> Event:
    return event("communication.corrected", minutes, message_id="m1", role=role, reported_by=by, **fields)


def read(minutes: float, role: str = "ward") -> Event:
    return event("communication.read", minutes, message_id="m1", role=role, actor=person(2))


def test_a_message_nobody_complained_about_was_accurate() -> None:
    row = only("message_accuracy", MESSAGE, read(5))
    assert row.value == 1.0
    assert tie(row) == ("nurse", "ward", "accuracy")
    assert (row.communicator_actors, row.experiencer_actors) == ((person(1)["id"],), (person(2)["id"],))


def test_it_is_ripe_when_settled_whatever_the_outcome() -> None:
    for outcome in ([], [corrected(10, by="ward")]):
        assert value("message_accuracy", MESSAGE, *outcome, as_of=at(119.9)) == PENDING
        assert value("message_accuracy", MESSAGE, *outcome, as_of=at(120)) == (0.0 if outcome else 1.0)


@pytest.mark.parametrize("report", [corrected(10, by="ward"), corrected(10, "ward", by="ward"), corrected(10, "ward")])
def test_an_error_that_a_receiver_reports_counts(report: Event) -> None:
    assert value("message_accuracy", MESSAGE, report) == 0.0


@pytest.mark.parametrize("by", [None, "nurse"])
def test_a_sender_that_corrects_itself_in_time_made_no_error(by: str | None) -> None:
    assert value("message_accuracy", MESSAGE, read(5), corrected(10, by=by)) == 1.0


def test_somebody_who_was_not_addressed_reports_nothing() -> None:
    assert value("message_accuracy", MESSAGE, corrected(10, "lab")) == 1.0
    assert value("message_accuracy", MESSAGE, corrected(10, by="lab")) == 1.0


@pytest.mark.parametrize(
    "acted",
    [worked(5, "ward"), sent(5, "m2", "ward", ["lab"]), act("accepted", 5, "ward", "h9")],
    ids=["worked", "wrote", "accepted"],
)
def test_a_correction_after_a_receiver_acted_came_too_late(acted: Event) -> None:
    assert value("message_accuracy", MESSAGE, acted, corrected(10), of=MESSAGE) == 0.0


@pytest.mark.parametrize(
    "other",
    [
        worked(-5, "ward"),
        worked(15, "ward"),
        worked(5, "lab"),
        worked(5, "ward", actor=person(2, "bot")),
        worked(5, "ward", actor=person(2, "unknown")),
        read(5),
        assigned(5, "ward"),
    ],
    ids=["before", "after", "another role", "bot", "unknown", "only read", "only got the item assigned"],
)
def test_a_correction_before_any_receiver_acted_came_in_time(other: Event) -> None:
    assert value("message_accuracy", MESSAGE, other, corrected(10)) == 1.0


@pytest.mark.parametrize(("minutes", "said"), [(120, 0.0), (120.1, 1.0)])
def test_errors_count_until_the_message_is_settled(minutes: float, said: float) -> None:
    assert value("message_accuracy", MESSAGE, corrected(minutes, by="ward")) == said


def test_a_correction_before_the_message_corrects_nothing() -> None:
    assert value("message_accuracy", MESSAGE, corrected(-5, by="ward")) == 1.0


def test_an_error_is_one_for_every_addressed_role() -> None:
    both = sent(0, "m1", "nurse", ["ward", "lab"])
    rows = evidence("message_accuracy", both, read(5), corrected(10, by="ward"))
    assert [(row.experiencer_role, row.value) for row in rows] == [("lab", 0.0), ("ward", 0.0)]
    assert [row.experiencer_actors for row in rows] == [(), (person(2)["id"],)]


def test_a_machines_message_misleads_nobody() -> None:
    assert value("message_accuracy", sent(0, "m1", "nurse", ["ward"], actor=person(1, "bot"))) == NOTHING


def test_the_report_is_cited() -> None:
    report = corrected(10, by="ward")
    assert only("message_accuracy", MESSAGE, report).event_ids == (MESSAGE.ref, report.ref)
    assert values("message_accuracy", MESSAGE) == [1.0]
