"""Which role somebody has: codes valid at that time, units by the policy's maps, never a displayed name."""

from __future__ import annotations

import pytest

from tests.unit.connectors.payloads_fhir import (
    Json,
    at,
    bundle,
    only,
    practitioner_role,
    read,
    reader,
    ref,
    task,
)

URN = "urn:uuid:7ba1f1a4-0000-4000-8000-000000000007"


def owner_role(owner: Json, *others: Json, contained: list[Json] | None = None, **more: object) -> str:
    """The role that an offer goes to; empty if there is none."""
    asked = task(owner=owner, contained=contained)
    found = read(bundle(asked, *others), reader(**more)).drafts
    return str(found[0].data["to_role"]) if found else ""


@pytest.mark.parametrize(
    ("period", "role"),
    [
        (None, "nursing"),
        ({"start": "2026-01-01"}, "nursing"),
        ({"end": "2026-03-02"}, "nursing"),
        ({"start": "2026-03", "end": "2026"}, "nursing"),
        ({"start": "2026-03-03"}, ""),
        ({"end": "2026-03-01"}, ""),
        ({"end": "2026-02"}, ""),
        ({"end": "2025"}, ""),
        ({"start": at("07:00"), "end": at("08:00")}, ""),
        ({"start": at("08:00")}, "nursing"),
    ],
)
def test_code_counts_while_it_was_valid(period: Json | None, role: str) -> None:
    assert owner_role(ref("PractitionerRole/r1"), practitioner_role("r1", "nurse", period=period)) == role


def test_role_that_is_not_in_use_and_has_no_period_is_none() -> None:
    assert owner_role(ref("PractitionerRole/r1"), practitioner_role("r1", "nurse", active=False)) == ""


def test_code_that_no_map_knows_is_a_role_under_its_own_name() -> None:
    assert owner_role(ref("PractitionerRole/r1"), practitioner_role("r1", "porter", "driver")) == "porter"


def test_map_decides_which_of_several_codes_counts() -> None:
    assert owner_role(ref("PractitionerRole/r1"), practitioner_role("r1", "porter", "nurse")) == "nursing"


def test_role_may_be_known_by_where_somebody_works() -> None:
    works = practitioner_role("r1", "porter", organization=ref("Organization/ward"))
    assert owner_role(ref("PractitionerRole/r1"), works) == "ward"


def test_somebody_who_works_in_two_units_is_of_neither() -> None:
    works = practitioner_role("r1", location=[ref("Location/ward"), ref("Location/or")])
    assert owner_role(ref("PractitionerRole/r1"), works) == ""


def test_role_that_did_not_come_along_is_looked_up_by_its_address() -> None:
    maps = {"practitioner_role": {"PractitionerRole/r9": "ward"}, "organization": {}}
    known = {"roles": maps, "actors": {"Practitioner/anna": "emergency"}}
    assert owner_role(ref("PractitionerRole/r9"), **known) == "ward"
    assert owner_role(ref("https://ehr.example/fhir/PractitionerRole/r9"), **known) == "ward"


def test_practitioner_has_the_role_that_came_along() -> None:
    assert owner_role(ref("Practitioner/carl"), practitioner_role("r1", "nurse")) == "nursing"


def test_practitioner_with_two_roles_at_a_time_has_none() -> None:
    two = practitioner_role("r1", "nurse"), practitioner_role("r2", "physician")
    assert owner_role(ref("Practitioner/carl"), *two) == ""


def test_practitioner_with_one_role_at_a_time_has_that() -> None:
    past = practitioner_role("r2", "physician", period={"end": "2025-12"})
    assert owner_role(ref("Practitioner/carl"), practitioner_role("r1", "nurse"), past) == "nursing"


@pytest.mark.parametrize(
    "owner",
    [
        ref("Organization/ward"),
        ref("https://ehr.example/fhir/Organization/ward/_history/4"),
        {"type": "Organization", "identifier": {"system": "http://x", "value": "W5"}},
        {"identifier": {"system": "http://x", "value": "W5"}},
        {"type": "Organization", "identifier": {"value": "W5"}},
        ref("Organization/unknown", display="Ward 5"),
        ref("Organization/long"),
        ref("#unit"),
        ref(URN),
        {"identifier": {"value": "W5"}, "reference": "Organization/unknown"},
    ],
)
def test_unit_is_found_however_it_is_referred_to(owner: Json) -> None:
    unit = {"resourceType": "Organization", "id": "unit", "name": "Ward 5"}
    long = {"resourceType": "Organization", "id": "long", "identifier": [{"system": "http://x", "value": "W5"}]}
    payload = bundle(task(owner=owner, contained=[unit]), long)
    payload["entry"].append({"fullUrl": URN, "resource": {"resourceType": "Organization", "name": "Ward 5"}})
    names = ("Organization/ward", "http://x|W5", "W5", "Ward 5")
    known = reader(roles={"organization": dict.fromkeys(names, "ward")})
    assert only(payload, "handoff.offered", known).data["to_role"] == "ward"


def test_displayed_name_is_no_role() -> None:
    roles = {"organization": {"Ben Baker": "ward"}, "practitioner_role": {"Ben Baker": "ward"}}
    for owner in (ref("Practitioner/x", display="Ben Baker"), {"display": "Ben Baker"}):
        assert owner_role(owner, roles=roles) == ""


def test_words_for_a_role_are_no_code() -> None:
    works = practitioner_role("r1", code=[{"text": "nurse"}])
    assert owner_role(ref("PractitionerRole/r1"), works) == ""


def test_person_is_one_actor_whatever_the_server_is_called() -> None:
    names = {
        offered.actor.name
        for to in ("Practitioner/anna", "http://a/fhir/Practitioner/anna", "Practitioner/anna/_history/2")
        if (offered := only(task(requester=ref(to)), "handoff.offered")).actor
    }
    assert names == {"Practitioner/anna"}


def test_device_is_a_system() -> None:
    known = reader(actors={"Device/d1": "monitoring", "Practitioner/ben": "ward"})
    offered = only(task(requester=ref("Device/d1")), "handoff.offered", known)
    assert offered.actor is not None
    assert (offered.actor.name, offered.actor.kind) == ("Device/d1", "system")


def test_team_is_a_group_or_an_organization() -> None:
    assert owner_role(ref("CareTeam/stroke")) == "stroke team"
    named = {"resourceType": "CareTeam", "id": "x", "name": "Ward 5"}
    assert owner_role(ref("CareTeam/x"), named, roles={"organization": {"Ward 5": "ward"}}) == "ward"
