"""Deliveries: single resources, bundles of every type, notifications of subscriptions."""

from __future__ import annotations

import json

import pytest

from schemas.errors import InvalidEvent
from streams.gateway.connectors.fhir.bundle import MAX_ENTRIES
from tests.unit.connectors.payloads_fhir import (
    Json,
    at,
    bundle,
    communication,
    encounter,
    notification_r4,
    notification_r5,
    read,
    reader,
    task,
    told,
    verb,
)

TYPES = [
    "transaction",
    "batch",
    "collection",
    "history",
    "searchset",
    "message",
    "document",
    "subscription-notification",
]


@pytest.mark.parametrize("type_", TYPES)
def test_bundle_of_any_type_is_its_resources(type_: str) -> None:
    found = read(bundle(encounter(), task(), communication(), type_=type_))
    assert {draft.id.partition("/")[0] for draft in found.drafts} == {"Encounter", "Task", "Communication"}
    assert found.unused == ()


def test_history_is_read_from_the_oldest_version_on() -> None:
    newest_first = [task("in-progress", 3, "08:30"), task("accepted", 2, "08:10"), task("requested", 1, "08:00")]
    assert told(bundle(*newest_first, type_="history")) == [
        ("handoff.offered", "08:00"),
        ("handoff.accepted", "08:10"),
        ("work_item.worked", "08:30"),
    ]


def test_history_may_tell_versions_in_its_entries() -> None:
    def version(status: str) -> Json:
        return task(status, meta=None, lastModified=None)

    history = bundle(version("accepted"), version("requested"), type_="history")
    for entry, clock, etag in zip(history["entry"], ("08:10", "08:00"), ('W/"10"', 'W/"9"'), strict=True):
        entry["response"] = {"status": "200", "etag": etag, "lastModified": at(clock)}
    assert told(history) == [("handoff.offered", "08:00"), ("handoff.accepted", "08:10")]


def test_what_was_deleted_is_unused() -> None:
    history = bundle(task(), type_="history")
    history["entry"].insert(0, {"request": {"method": "DELETE", "url": "Task/t0"}})
    assert read(history).unused == ("deleted",)


def test_entry_that_cannot_be_read_is_no_reason_to_refuse_the_others() -> None:
    payload = bundle(task(lastModified="yesterday"), task(id="t2"), communication(id=None) | {"id": "c"})
    payload["entry"] += [None, {"resource": {"id": "x"}}, {"resource": {"resourceType": "Task"}}, {}]
    found = read(payload)
    assert {draft.id.split("/")[1] for draft in found.drafts} == {"t2", "c"}
    assert sorted(found.unused) == [
        "Task.bad_time",
        "Task.missing_field",
        "entry.invalid_value",
        "entry.missing_field",
        "no_resource",
    ]


@pytest.mark.parametrize(
    ("payload", "code", "field"),
    [
        (b"", None, ""),
        (b"  \n", None, ""),
        (b"<Task/>", "not_json", ""),
        (b"[]", "not_object", ""),
        (b"{}", "missing_field", "resourceType"),
        (b'{"resourceType": 1}', "invalid_value", "resourceType"),
        (b'{"resourceType": "Anna Able"}', "invalid_value", "resourceType"),
        (json.dumps(task(id=None)).encode(), "missing_field", "id"),
        (json.dumps(task(lastModified="yesterday")).encode(), "bad_time", "lastModified"),
        (json.dumps(task(authoredOn="2026-02-30T08:00:00Z")).encode(), "bad_time", "authoredOn"),
        (json.dumps(task(restriction={"period": {"end": "soon"}})).encode(), "bad_time", "restriction.period.end"),
        (b'{"resourceType": "Bundle", "entry": {}}', "invalid_value", "entry"),
        (json.dumps({"resourceType": "Bundle", "entry": [{}] * (MAX_ENTRIES + 1)}).encode(), "too_large", "entry"),
    ],
)
def test_delivery_that_cannot_be_read_is_refused_by_field(payload: bytes, code: str | None, field: str) -> None:
    if code is None:
        assert read(payload).unused == ("empty",)
        return
    with pytest.raises(InvalidEvent) as refused:
        read(payload)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize("type_", ["Patient", "Observation", "Anna"])
def test_other_resources_are_unused_without_repeating_their_type(type_: str) -> None:
    assert read({"resourceType": type_, "id": "1"}).unused == ("other_type",)


def test_bundle_in_a_bundle_is_unused() -> None:
    inner = bundle(task())
    assert read({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": inner}]}).unused == (
        "nested_bundle",
    )


@pytest.mark.parametrize("build", [notification_r4, notification_r5], ids=["R4", "R5"])
def test_notification_is_the_resources_that_it_carries(build: object) -> None:
    assert callable(build)
    found = read(build("event-notification", task(), encounter()))
    assert {draft.id.partition("/")[0] for draft in found.drafts} == {"Task", "Encounter"}
    assert found.unused == ()


@pytest.mark.parametrize("build", [notification_r4, notification_r5], ids=["R4", "R5"])
def test_notification_of_ids_says_only_that_there_is_something(build: object) -> None:
    assert callable(build)
    assert read(build("event-notification", focus=["Task/t1", "Task/t2"])).unused == ("id_only", "id_only")
    assert read(build("event-notification", focus=[])).unused == ("empty_notification",)


@pytest.mark.parametrize("build", [notification_r4, notification_r5], ids=["R4", "R5"])
def test_entry_without_its_resource_is_counted_once(build: object) -> None:
    assert callable(build)
    payload = build("event-notification", focus=["https://ehr.example/fhir/Task/t1"])
    payload["entry"].append(
        {"fullUrl": "https://ehr.example/fhir/Task/t1", "request": {"method": "PUT", "url": "Task/t1"}}
    )
    assert read(payload).unused == ("id_only",)


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
@pytest.mark.parametrize("build", [notification_r4, notification_r5], ids=["R4", "R5"])
def test_sign_of_life_is_unused(build: object, kind: str) -> None:
    assert callable(build)
    assert read(build(kind)).unused == (kind,)


def test_drafts_are_in_the_order_in_which_things_happened() -> None:
    found = read(bundle(task("accepted", 2, "09:00"), communication(sent=at("08:30")), encounter())).drafts
    assert [draft.time for draft in found] == sorted(draft.time for draft in found)
    assert [verb(draft) for draft in found] == [
        "work_item.opened",
        "handoff.offered",
        "work_item.assigned",
        "communication.sent",
        "handoff.accepted",
    ]


def test_resources_of_a_transaction_refer_to_each_other_before_they_have_ids() -> None:
    stay, asked = "urn:uuid:7ba1f1a4-0000-4000-8000-000000000001", "urn:uuid:7ba1f1a4-0000-4000-8000-000000000002"
    transaction = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": stay, "resource": encounter(id=None), "request": {"method": "POST", "url": "Encounter"}},
            {
                "fullUrl": asked,
                "resource": task(id=None, encounter={"reference": stay}),
                "request": {"method": "POST", "url": "Task"},
            },
        ],
    }
    found = read(transaction)
    assert {draft.subject for draft in found.drafts} == {"Encounter/7ba1f1a4-0000-4000-8000-000000000001"}


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="work_item"):
        read(task(), reader(options={"work_item": ["patient"]}))
